"""What an interrupted push left behind: objects that no index entry names, deletions half done.

The journal says which; a push that follows finishes them (reliability section 3, recovery).
"""

from functools import partial

import msgspec
from msgspec.structs import replace

from s3dash.core.diff import Base, Remote, Verdict, classify
from s3dash.core.plan import Change
from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.engine.observe import LocalView, Observation, as_remote, is_merely_absent
from s3dash.engine.pin import find_version
from s3dash.engine.remote import RemoteIndex
from s3dash.errors import NotFound, S3DashError
from s3dash.local.state import BaseRow, JournalRow


class Leftovers(msgspec.Struct):
    """By path: versions that we uploaded but never committed, objects still to be deleted, and
    uploads whose entries stand. These last may want their meta: it is written after all shards."""

    uploads: dict[str, JournalRow] = msgspec.field(default_factory=dict)
    deletes: dict[str, JournalRow] = msgspec.field(default_factory=dict)
    standing: dict[str, JournalRow] = msgspec.field(default_factory=dict)

    @property
    def unfinished(self) -> bool:
        """True when there is something to commit, whatever the plan says."""
        return bool(self.deletes or self.standing)


def leave_out_own(
    ctx: Context, index: RemoteIndex, local: LocalView, *, ask: bool = True
) -> RemoteIndex:
    """The index without our own uncommitted uploads, which somebody's listing put into it.

    Such an entry has no hash, and its object has the ETag that we noted, or the content that was
    announced when the answer never came. Without the entry the journal decides, as it does
    wherever there was an index. `ask` false: no request is sent.
    """
    own, attempts = set(), ctx.state.attempts()
    for row in ctx.state.journal():
        entry = index.entries.get(row.rel)
        if row.action != "upload" or row.rel not in local.scan.files:
            continue
        if entry is None or entry.sha256 is not None:
            continue
        if row.etag is None:
            known = {row.sha256, *attempts.get(row.rel, ())}
            if ask and find_version(ctx, row.rel, known)[0] is not None:
                own.add(row.rel)
        elif row.etag == _listed_etag(ctx, index, row.rel, ask=ask):
            own.add(row.rel)
    if not own:
        return index
    return replace(index, entries={r: e for r, e in index.entries.items() if r not in own})


def _listed_etag(ctx: Context, index: RemoteIndex, rel: str, *, ask: bool) -> str | None:
    return index.etags.get(rel) if index.rebuilt or not ask else _etag(ctx, rel)


def take_up_own(ctx: Context, index: RemoteIndex, local: LocalView) -> None:
    """Uploads that the index names, but a killed push could not say so any more: base says it now.

    Our files went on from there. Where there is none, it may as well have been lost: no deletion.
    """
    rows = []
    for row in ctx.state.journal():
        entry, base = index.entries.get(row.rel), local.base.get(row.rel)
        if row.action != "upload" or entry is None or row.rel not in local.scan.files:
            continue
        if entry.sha256 == row.sha256 and (base is None or base.tag != entry.tag):
            rows.append(
                BaseRow(row.rel, row.sha256, entry.size, entry.tag, row.etag, None, verified_ns=0)
            )
    if rows:
        local.base.update((row.rel, row) for row in rows)
        ctx.state.adopt(rows)


def _etag(ctx: Context, rel: str) -> str | None:
    try:
        return ctx.store.head(ctx.keys.data(rel)).etag
    except NotFound:
        return None


def leftovers(ctx: Context, seen: Observation, *, tidy: bool) -> Leftovers:
    """Reads the journal against what was just seen; with `tidy`, rows that are done go.

    An uploaded file that has since gone back to its base is sent again: the index names the
    base, and the object must be what the index names. So `seen` may gain changes.
    """
    left, done = Leftovers(_unnamed(ctx, seen)), []
    attempts = ctx.state.attempts()
    for noted, row in _all_confirmed(ctx, attempts):
        if row is None:
            done.append(noted.rel)
            continue
        entry = seen.remote.entries.get(row.rel)
        if row.action == "delete":
            if entry is None:
                left.deletes[row.rel] = row
            elif ours := _uploaded_before(ctx, attempts, row):
                left.uploads[row.rel] = ours
            else:
                done.append(row.rel)
        elif entry is not None and entry.tag == row.sha256:
            left.standing[row.rel] = row
        else:
            left.uploads.setdefault(row.rel, row)
    if tidy and done:
        ctx.state.journal_clear(done)
    _send_again(ctx, seen, left)
    return left


def _unnamed(ctx: Context, seen: Observation) -> dict[str, JournalRow]:
    """Without an index: objects that are what we have. A first push got no further, or its
    journal is lost; whose they are makes no difference."""
    if not seen.remote.rebuilt:
        return {}
    alike = [c for c in seen.changes if c.verdict is Verdict.BOTH_ADDED and _of_one_size(c)]
    found = each(
        lambda change: _object_like(ctx, change),
        alike,
        workers=ctx.settings.pull_concurrency,
        cancel=ctx.cancel,
        name="s3dash-look",
    )
    rows = {}
    for change, row in found:
        if isinstance(row, S3DashError):
            raise row
        if row is not None:
            rows[change.path] = row
    ctx.cancel.check()
    return rows


def _of_one_size(change: Change) -> bool:
    local, remote = change.local, change.remote
    return bool(local and remote and local.size == remote.size and remote.sha256 is None)


def _object_like(ctx: Context, change: Change) -> JournalRow | None:
    """The object as if our journal had it; None when it is another one than our file."""
    local, remote = change.local, change.remote
    if local is None or remote is None or local.sha256 is None:
        return None
    etag, _ = find_version(ctx, change.path, {local.sha256})
    if etag is None:
        return None
    return JournalRow(
        commit_id="",
        rel=change.path,
        action="upload",
        sha256=local.sha256,
        size=local.size,
        etag=etag,
        over=remote.tag,
        at=ctx.now(),
    )


def _uploaded_before(
    ctx: Context, attempts: dict[str, set[str]], row: JournalRow
) -> JournalRow | None:
    """The upload that a deletion was to take away, while it lies there all the same."""
    known = attempts.get(row.rel)
    etag, sha256 = find_version(ctx, row.rel, known) if known else (None, None)
    if etag is None or sha256 is None:
        return None
    return replace(row, action="upload", etag=etag, sha256=sha256)


def _all_confirmed(
    ctx: Context, attempts: dict[str, set[str]]
) -> list[tuple[JournalRow, JournalRow | None]]:
    """Each row of the journal, oldest first, with what became of it (None: nothing)."""
    rows = ctx.state.journal()
    found: dict[str, JournalRow | None] = {}
    work = each(
        partial(_confirmed, ctx, attempts),
        rows,
        workers=ctx.settings.push_concurrency,
        cancel=ctx.cancel,
        name="s3dash-recover",
    )
    for row, outcome in work:
        if isinstance(outcome, S3DashError):
            raise outcome
        found[row.rel] = outcome
    ctx.cancel.check()
    return [(row, found[row.rel]) for row in rows]


def _confirmed(ctx: Context, attempts: dict[str, set[str]], row: JournalRow) -> JournalRow | None:
    """An upload that was announced, or tried again: what took place only its object tells."""
    others = attempts.get(row.rel, set())
    if row.action != "upload" or (row.etag is not None and not others):
        return row
    etag, sha256 = find_version(ctx, row.rel, {row.sha256, *others})
    if etag is None or sha256 is None:
        return None
    return replace(row, etag=etag, sha256=sha256)


def _send_again(ctx: Context, seen: Observation, left: Leftovers) -> None:
    """The object is ours already, whatever the index still names: what it names is our base now.

    Only while the index names what we meant to replace; else somebody went on from there.
    """
    for rel in list(left.uploads):
        entry = seen.remote.entries.get(rel)
        if seen.local.unknown(rel) or left.uploads[rel].over != (entry.tag if entry else None):
            continue
        if is_merely_absent(ctx, seen, rel):
            _name_it(seen, left.uploads[rel], as_remote(entry))
            continue
        change = _from_here(seen, rel, as_remote(entry))
        if change is None:
            left.deletes[rel] = left.uploads.pop(rel)
            seen.blocked.pop(rel, None)  # the base goes as it does without an object
        else:
            _forget(seen, rel)
            seen.changes.append(change)


def _name_it(seen: Observation, row: JournalRow, remote: Remote | None) -> None:
    """A lazy cache has the file no longer: the object may be its only copy, and gets its entry."""
    seen.local.base[row.rel] = BaseRow(
        row.rel, row.sha256, row.size, row.sha256, row.etag, None, verified_ns=0
    )
    seen.skipped.pop(row.rel, None)
    seen.changes[:] = [c for c in seen.changes if c.path != row.rel]
    base = Base(row.sha256, row.size, row.sha256, row.etag)
    seen.changes.append(Change(row.rel, Verdict.CLOBBERED, base, None, remote))


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
