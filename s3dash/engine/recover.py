"""What an interrupted push left behind: objects that no index entry names, deletions half done.

The journal says which; a push that follows finishes them (reliability section 3, recovery).
"""

from dataclasses import dataclass, field, replace

from s3dash.core.diff import Base, Remote, Verdict, classify
from s3dash.core.plan import Change
from s3dash.engine.context import Context
from s3dash.engine.observe import Observation, as_remote
from s3dash.engine.pin import find_version
from s3dash.local.state import JournalRow


@dataclass(slots=True)
class Leftovers:
    """By path: versions that we uploaded but never committed, objects still to be deleted."""

    uploads: dict[str, JournalRow] = field(default_factory=dict)
    deletes: dict[str, JournalRow] = field(default_factory=dict)


def leftovers(ctx: Context, seen: Observation, *, tidy: bool) -> Leftovers:
    """Reads the journal against what was just seen; with `tidy`, rows that are done go.

    An uploaded file that has since gone back to its base is sent again: the index names the
    base, and the object must be what the index names. So `seen` may gain changes.
    """
    left, done = Leftovers(), []
    for noted in ctx.state.journal():
        row = _confirmed(ctx, noted)
        if row is None:
            done.append(noted.rel)
            continue
        entry = seen.remote.entries.get(row.rel)
        if row.action == "delete":
            if entry is None:
                left.deletes[row.rel] = row
            else:
                done.append(row.rel)
        elif entry is not None and entry.tag == row.sha256:
            done.append(row.rel)
        else:
            left.uploads[row.rel] = row
    if tidy and done:
        ctx.state.journal_clear(done)
    _send_again(seen, left)
    return left


def _confirmed(ctx: Context, row: JournalRow) -> JournalRow | None:
    """An upload that was announced: whether it took place only its object tells."""
    if row.action != "upload" or row.etag is not None:
        return row
    etag, _ = find_version(ctx, row.rel, {row.sha256})
    return replace(row, etag=etag) if etag is not None else None


def _send_again(seen: Observation, left: Leftovers) -> None:
    """The object is ours already, whatever the index still names: what it names is our base now.

    Only while the index names what we meant to replace; else somebody went on from there.
    """
    for rel in list(left.uploads):
        entry = seen.remote.entries.get(rel)
        if seen.local.unknown(rel) or left.uploads[rel].over != (entry.tag if entry else None):
            continue
        change = _from_here(seen, rel, as_remote(entry))
        _forget(seen, rel)
        if change is None:
            left.deletes[rel] = left.uploads.pop(rel)
        else:
            seen.changes.append(change)


def _from_here(seen: Observation, rel: str, remote: Remote | None) -> Change | None:
    """What is to be done about a path whose object is an uncommitted upload; None: remove it."""
    base = Base(remote.sha256 or "", remote.size, remote.tag) if remote else None
    local = seen.local.side(rel)
    if local is None and remote is None:
        return None
    verdict = classify(base, local, remote)
    if verdict is Verdict.IN_SYNC:
        verdict = Verdict.LOCAL_MODIFIED  # the file is what the index names, the object is not
    return Change(rel, verdict, base, local, remote)


def _forget(seen: Observation, rel: str) -> None:
    """What the comparison said of the path, not knowing of the upload."""
    told = rel in seen.blocked or any(c.path == rel for c in seen.changes)
    seen.changes[:] = [c for c in seen.changes if c.path != rel]
    seen.blocked.pop(rel, None)
    if not told and rel in seen.remote.entries:
        seen.unchanged -= 1
