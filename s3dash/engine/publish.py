"""The end of a push: lock, commit, delete, and only then believe it.

Kept here: I2 (an object is deleted only after a verified index lacks it; `deletions` keeps the
other half of it) and I9 (base moves only after the commit is durable).
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from s3dash import tracing
from s3dash.core.plan import Item, conflict_of
from s3dash.core.report import Failed, Result
from s3dash.engine import commit, commit_v1, doubts, intents, origin, under_lock
from s3dash.engine.beside import beside
from s3dash.engine.context import Context
from s3dash.engine.deletions import Doomed, delete_all
from s3dash.engine.lease import Lease
from s3dash.engine.observe import Observation
from s3dash.engine.pin import find_version
from s3dash.engine.recover import Leftovers
from s3dash.engine.remote import RemoteIndex
from s3dash.engine.transfer import Sent
from s3dash.errors import S3DashError
from s3dash.local.state import BaseRow, JournalRow
from s3dash.objectstore.port import Capabilities

MAX_REQUEST_S = 10.0
VANISHED = "somebody deleted it in the bucket before it was committed; the next push sends it again"


class Work(msgspec.Struct):
    """One push on its way from plan to commit.

    `etags` are the versions to delete, by path; `stuck` the objects that are not
    deleted yet: the journal keeps them for the next push. `vanished` are uploads that somebody
    deleted before they could be committed, `unsure` those that failed: the journal knows what of
    them may lie there all the same.
    """

    nonce: str
    sent: list[Sent] = msgspec.field(default_factory=list)
    removed: list[Item] = msgspec.field(default_factory=list)
    restored: list[Item] = msgspec.field(default_factory=list)
    etags: dict[str, str | None] = msgspec.field(default_factory=dict)
    stuck: set[str] = msgspec.field(default_factory=set)
    vanished: set[str] = msgspec.field(default_factory=set)
    unsure: set[str] = msgspec.field(default_factory=set)


def publish(
    ctx: Context,
    seen: Observation,
    result: Result,
    work: Work,
    edits: Sequence[commit.Edit],
    *,
    can: Capabilities,
    left: Leftovers,
) -> None:
    """Write `edits` into the index, delete what `work` removed, move the base.

    Raises LockHeld, LockLost, CommitConflict and what the store raises; the journal then knows
    what is still to be committed.
    """
    for item in work.removed:
        work.etags[item.path] = _version_to_delete(ctx, seen, left, item)
    _journal_deletions(ctx, work, left)
    records = intents.Listing(ctx)
    with (
        ctx.stage.during("committing"),
        lock(ctx, work.nonce, can) as lease,
        ctx.stage.holding_lock(),
    ):
        ctx.stage.enter("committing")  # it may have been waiting for the lock
        with (
            beside(ctx, partial(_index_now, ctx)) as found,
            beside(ctx, partial(doubts.vanished, ctx, edits, records=records)) as doubted,
        ):
            origin.ensure(ctx, guard=lease.guard)
            index, work.vanished = found(), doubted()
        edits = [edit for edit in edits if edit.rel not in work.vanished]
        ours = {sent.item.path: sent.version.etag for sent in work.sent}
        own = {edit.rel for edit in edits} | left.uploads.keys()
        lost = index.rebuilt and not index.entries.keys() <= own
        edits = under_lock.completed(ctx, edits, ours, index=index, left=left)
        intent = under_lock.announced(ctx, work.nonce, edits, index=index, left=left)
        intents.write(ctx, intent, work.nonce, guard=lease.guard)
        ctx.cancel.check()  # from the first shard on the commit is carried through
        done = _commit(ctx, edits, work.nonce, index=index, lease=lease, lost=lost)
        gone = _delete_objects(ctx, work, done, lease, can, left)
    _tell_mended(ctx, index)
    if lease.left_behind:
        ctx.note("warning", "push", f"our lock could not be removed: {lease.left_behind}")
    _settle(ctx, result, work, done, gone)
    _tidy(ctx, records)


def _index_now(ctx: Context) -> RemoteIndex:
    """Under the lock. Whoever commits writes meta last: while it has not moved, what was read
    before the lock holds, but for what a compare-and-swap will tell."""
    return ctx.reader.still() or ctx.reader.load()


def _commit(
    ctx: Context,
    edits: Sequence[commit.Edit],
    nonce: str,
    *,
    index: RemoteIndex,
    lease: Lease,
    lost: bool,
) -> commit.Committed:
    """`lost`: there was an index once, of files that are not all from this push."""
    with tracing.span("s3dash.commit", {"s3dash.edits": len(edits)}) as told:
        if lost and index.version == 0:
            index = commit_v1.stand_in(ctx, edits, index=index, lease=lease)
        if index.version == 1:
            return commit_v1.commit(ctx, edits, index=index, lease=lease)
        writer = f"{ctx.identity.client} {nonce}"
        done = commit.commit(ctx, edits, index=index, lease=lease, writer=writer)
        told.set("s3dash.commit_seq", done.commit_seq or 0)
        return done


def _tell_mended(ctx: Context, found: RemoteIndex) -> None:
    """Shards that a plain client had left out of meta, or deleted, are back."""
    for what, names in (("dropped from", found.dropped), ("missing from", found.missing)):
        if names:
            told = ", ".join(sorted(names))
            ctx.note("warning", "index", f"shards that were {what} the index are back: {told}")


def _tidy(ctx: Context, records: intents.Listing) -> None:
    """The commit holds already: what fails here is told, and tried again another day."""
    try:
        intents.prune(ctx, records)
    except S3DashError as error:
        ctx.note("warning", "push", f"old commit records stay: {error.message}")


def lock(
    ctx: Context,
    nonce: str,
    can: Capabilities,
    *,
    key: str = "",
    wait_s: float | None = None,
    on_lost: Callable[[], None] | None = None,
) -> Lease:
    """The global lock of the datastore or the namespace, not yet taken; else the one at `key`."""
    settings = ctx.settings
    return Lease(
        ctx.store,
        key or ctx.keys.lock,
        nonce=nonce,
        identity=ctx.identity,
        capabilities=can,
        clock=ctx.clock,
        cancel=ctx.cancel,
        timing=replace(
            ctx.timing,
            wait_s=settings.lock_timeout_ms / 1000 if wait_s is None else wait_s,
            request_s=min(settings.request_timeout_ms / 1000, MAX_REQUEST_S),
        ),
        on_wait=lambda body: ctx.stage.enter("waiting for lock", f"held by {body.holder}"),
        on_lost=on_lost,
    )


def _version_to_delete(ctx: Context, seen: Observation, left: Leftovers, item: Item) -> str | None:
    """The ETag of the version that the user deleted; None: it is not there, or not that one."""
    unfinished = left.uploads.get(item.path)
    if unfinished is not None:
        return unfinished.etag
    row = seen.local.base.get(item.path)
    if row is None:  # an entry without an object
        return None
    if row.etag is not None:
        return row.etag
    return find_version(ctx, item.path, {row.sha256})[0]


def _journal_deletions(ctx: Context, work: Work, left: Leftovers) -> None:
    """An upload of ours that lies there uncommitted stays known, should the deletion be off."""
    rows = [
        JournalRow(
            commit_id=work.nonce,
            rel=item.path,
            action="delete",
            sha256=_base_sha256(item),
            size=item.size,
            etag=work.etags[item.path],
            over=item.change.remote.tag if item.change.remote else None,
            at=ctx.now(),
        )
        for item in work.removed
    ]
    if rows:
        ctx.state.journal_add(rows)
        ours = (left.uploads.get(row.rel) for row in rows)
        ctx.state.attempt((upload.rel, upload.sha256) for upload in ours if upload is not None)


def _delete_objects(
    ctx: Context,
    work: Work,
    done: commit.Committed,
    lease: Lease,
    can: Capabilities,
    left: Leftovers,
) -> set[str]:
    """Delete what the verified index lacks; the paths that this push has removed from it."""
    removed = [i for i in work.removed if i.path not in done.refused]
    targets = {i.path: Doomed(i.path, work.etags[i.path], _base_sha256(i)) for i in removed}
    gone = set(targets)
    index = ctx.reader.latest
    if index is not None:
        later = {rel: Doomed(rel, row.etag, row.sha256) for rel, row in left.deletes.items()}
        due_now = later.keys() - index.entries.keys() - work.unsure
        targets.update((rel, later[rel]) for rel in due_now)
    due = [doomed for doomed in targets.values() if doomed.etag is not None]
    work.stuck = {doomed.rel for doomed in due}
    work.stuck -= delete_all(ctx, due, lease=lease, can=can)
    ctx.state.journal_clear([r for r in targets if r not in gone and r not in work.stuck])
    return gone


def _base_sha256(item: Item) -> str:
    return item.change.base.sha256 if item.change.base else ""


def _settle(
    ctx: Context, result: Result, work: Work, done: commit.Committed, gone: set[str]
) -> None:
    """The commit holds: base moves, the journal is done, the result says so."""
    rows, older = [], []
    for sent in work.sent:
        rel, version = sent.item.path, sent.version
        if rel in done.refused:
            result.conflicts.append(conflict_of(sent.item.change))
            continue
        if rel in work.vanished:
            result.failed.append(Failed(rel, VANISHED))
            continue
        row = BaseRow(
            rel, version.sha256, version.size, version.sha256, version.etag, sent.stat, sent.read_ns
        )
        rows.append(row)
        remote = sent.item.change.remote
        if remote is not None and remote.sha256 not in (None, version.sha256):
            older.append((rel, remote.tag))
        if sent.copied:
            result.copied += 1
        else:
            result.pushed += 1
            result.bytes_up += version.size
    result.deleted_remote += len(gone)
    result.conflicts.extend(conflict_of(i.change) for i in work.removed if i.path in done.refused)
    result.commit_seq = done.commit_seq
    ctx.state.apply(save=rows, drop=gone, older=older)
    over = [s.item.path for s in work.sent] + [i.path for i in work.removed]
    ctx.state.journal_clear([rel for rel in over if rel not in work.stuck])
