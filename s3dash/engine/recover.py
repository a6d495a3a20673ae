"""What an interrupted push left behind: objects that no index entry names, deletions half done.

The journal says which; a push that follows finishes them (reliability section 3, recovery).
"""

from dataclasses import dataclass, field

from s3dash.core.diff import Verdict
from s3dash.core.plan import Change
from s3dash.engine.context import Context
from s3dash.engine.observe import Observation, as_remote
from s3dash.local.state import JournalRow


@dataclass(slots=True)
class Leftovers:
    """By path: versions that we uploaded but never committed, objects still to be deleted."""

    uploads: dict[str, JournalRow] = field(default_factory=dict)
    deletes: dict[str, JournalRow] = field(default_factory=dict)


def leftovers(ctx: Context, seen: Observation, *, tidy: bool) -> Leftovers:
    """Reads the journal against what was just seen; with `tidy`, rows that are done go.

    An uploaded file that has since gone back to its base is sent again: the index names the
    base, and the object must be what the index names.
    """
    left, done = Leftovers(), []
    for row in ctx.state.journal():
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


def _send_again(seen: Observation, left: Leftovers) -> None:
    changed = {change.path for change in seen.changes}
    for rel in list(left.uploads):
        if rel in changed or seen.local.unknown(rel):
            continue
        local, base = seen.local.side(rel), seen.local.base.get(rel)
        entry = seen.remote.entries.get(rel)
        if local is None and entry is None:
            left.deletes[rel] = left.uploads.pop(rel)
        elif local is not None and base is not None and entry is not None:
            seen.changes.append(_back_to_base(seen, rel))
            seen.unchanged -= 1


def _back_to_base(seen: Observation, rel: str) -> Change:
    base = seen.local.base[rel].base
    remote = as_remote(seen.remote.entries.get(rel))
    return Change(rel, Verdict.LOCAL_MODIFIED, base, seen.local.side(rel), remote)
