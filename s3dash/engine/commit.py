"""The commit of a version 2 index: shards, then meta, then a look whether it holds.

Source: reliability section 3. Kept here: I1 (an entry that has to be written again has its object
looked at again: who undid the one may have replaced the other), I3 (shards and meta change only by
compare-and-swap on the exact bytes that were merged), I4 (a listed shard always exists; none is
ever deleted), I5 (commitSeq is what was just read plus one). Each step can be replayed.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import msgspec

from s3dash.core.cancel import CancelToken
from s3dash.core.index import EMPTY_SHARD, Document, Entry, encode_meta
from s3dash.core.partitions import partition
from s3dash.engine.cas import Cas
from s3dash.engine.context import Context
from s3dash.engine.docs import Doc
from s3dash.engine.jobs import each
from s3dash.engine.lease import Lease
from s3dash.engine.pin import replaced
from s3dash.engine.remote import RemoteIndex
from s3dash.errors import CommitConflict, PreconditionFailed, S3DashError

ROUNDS = 8


Shard = tuple[str, bytes]
"""Its key and its bytes."""


class Edit(msgspec.Struct, frozen=True):
    """One entry to write (or, with `entry` None, to remove).

    `over` is the tag of the entry that it replaces, None where there should be none; `etag` the
    object's version, where it was uploaded for this commit.
    """

    rel: str
    entry: Entry | None
    over: str | None
    etag: str | None = None

    @property
    def tag(self) -> str | None:
        return self.entry.tag if self.entry else None


class Committed(msgspec.Struct):
    """`refused`: paths whose entry somebody else changed meanwhile; all others are in."""

    commit_seq: int | None = None
    refused: set[str] = msgspec.field(default_factory=set)


def commit(
    ctx: Context, edits: Iterable[Edit], *, index: RemoteIndex, lease: Lease, writer: str
) -> Committed:
    """Apply `edits` to the index under the lease, until a look says that they hold.

    `index` was loaded after the lock was acquired. Raises LockLost, CommitConflict, and what
    the store raises; each leaves an index that every client can read.
    """
    todo = list(edits)
    done = Committed()
    meta_written = False
    for again in range(ROUNDS):
        pending = pending_of(ctx, todo, index, done, again=again > 0)
        if meta_written and not pending and not index.dropped:
            return done
        wrote, seq = _write_shards(ctx, pending, index, lease, done), None
        if wrote is not None:
            seq = _write_meta(ctx, index, wrote, lease, writer)
            meta_written = seq is not None
            done.commit_seq = seq if seq is not None else done.commit_seq
        index = _as_it_is(ctx, wrote if seq is not None else None)
    raise CommitConflict(
        "the index kept changing while we committed; what was uploaded will be committed later",
        hint="another client is writing without the lock; try again",
    )


def _as_it_is(ctx: Context, wrote: set[str] | None) -> RemoteIndex:
    """The index after a round, `wrote` the shards that were looked at for it; None: it failed.

    Nobody wrote over a commit whose shards and meta still have our versions: of a large index
    these alone are asked for.
    """
    held = None if wrote is None else ctx.reader.still([ctx.keys.shard(name) for name in wrote])
    return held or ctx.reader.load()


def pending_of(
    ctx: Context, todo: list[Edit], index: RemoteIndex, done: Committed, *, again: bool
) -> list[Edit]:
    """The edits that the index does not say yet.

    With `again`, those whose object was replaced meanwhile are refused (I1).
    """
    pending = [e for e in todo if e.rel not in done.refused and not holds(index, e)]
    if not again:
        return pending
    done.refused |= replaced(ctx, {e.rel: e.etag for e in pending if e.entry and e.etag})
    return [e for e in pending if e.rel not in done.refused]


def holds(index: RemoteIndex, edit: Edit) -> bool:
    """True when the index says already what the edit wants; what was only listed says nothing."""
    if index.rebuilt:
        return False
    entry = index.entries.get(edit.rel)
    return (entry.tag if entry else None) == edit.tag


def _write_shards(
    ctx: Context, pending: list[Edit], index: RemoteIndex, lease: Lease, done: Committed
) -> set[str] | None:
    """The names of the shards that hold our edits now; None when one of them moved."""
    cas = Cas(ctx.store, ctx.patience, lease.guard)
    by_key: dict[str, list[Edit]] = {}
    for edit in pending:
        for key in _places(ctx, edit):
            by_key.setdefault(key, []).append(edit)
    for name in index.missing:
        by_key.setdefault(ctx.keys.shard(name), [])

    def write(shard: Shard) -> Doc | None:
        """None: it has moved."""
        key, body = shard
        doc = index.docs.get(key)
        try:
            return Doc(cas.put(key, body, version=doc.etag if doc else None), body)
        except PreconditionFailed:
            return None

    complete = True
    merged = ((k, _merged(index.docs.get(k), k, by_key[k], done)) for k in sorted(by_key))
    changed = ((key, body) for key, body in merged if body is not None)
    workers = min(ctx.settings.push_concurrency, len(by_key))
    for (key, _), doc in _side_by_side(write, changed, workers=workers):
        if doc is None:
            complete = False
        else:
            ctx.reader.know(key, doc)
    return {ctx.keys.partition_of(key) or "" for key in by_key} if complete else None


def _side_by_side(
    write: Callable[[Shard], Doc | None], shards: Iterable[Shard], *, workers: int
) -> Iterator[tuple[Shard, Doc | None]]:
    """Each by its own compare-and-swap; none waits for another, as meta comes after them all.

    There is no cancel: from the first on the commit is carried through. Raises the first failure,
    when nothing is being written any more.
    """
    if workers <= 1:
        yield from ((shard, write(shard)) for shard in shards)
        return
    work = each(write, shards, workers=workers, cancel=CancelToken(), name="s3dash-commit")
    with closing(work):
        for shard, doc in work:
            if isinstance(doc, S3DashError):
                raise doc
            yield shard, doc


def _places(ctx: Context, edit: Edit) -> set[str]:
    """The shard that should hold the path, and for a removal every one that does."""
    home = {ctx.keys.shard(partition(edit.rel))}
    return home if edit.entry is not None else home | set(ctx.reader.holders(edit.rel))


def _merged(doc: Doc | None, key: str, edits: list[Edit], done: Committed) -> bytes | None:
    """The shard with our edits merged in, three-way per path; None when nothing changes."""
    if doc is None and not any(e.entry for e in edits):
        return EMPTY_SHARD if not edits else None
    shard = Document.decode(doc.body, name=key) if doc else Document.empty()
    changed = [apply(shard, edit, done) for edit in edits]
    return shard.encode() if any(changed) else None


def apply(shard: Document, edit: Edit, done: Committed) -> bool:
    """Current is base: apply. Current is ours: skip. Else it is somebody else's: refuse."""
    current = shard.get(edit.rel)
    tag = current.tag if current else None
    if tag == edit.tag:
        return False
    if tag != edit.over and tag is not None:
        done.refused.add(edit.rel)
        return False
    if edit.entry is None:
        return shard.remove(edit.rel)
    shard.put(edit.rel, edit.entry)
    return True


def _write_meta(
    ctx: Context, index: RemoteIndex, wrote: set[str], lease: Lease, writer: str
) -> int | None:
    """The new commitSeq; None when meta moved. Partitions only ever grow."""
    old = index.docs.get(ctx.keys.meta)
    said = set(index.meta.partitions) if index.meta else set()
    seq = (index.meta.commitSeq if index.meta else 0) + 1
    body = encode_meta(
        old.body if old else None,
        {
            "version": 2,
            "partitions": sorted(said | index.listed | wrote),
            "commitSeq": seq,
            "writer": writer,
        },
    )
    try:
        etag = Cas(ctx.store, ctx.patience, lease.guard).put(
            ctx.keys.meta, body, version=old.etag if old else None
        )
    except PreconditionFailed:
        return None
    ctx.reader.know(ctx.keys.meta, Doc(etag, body))
    return seq
