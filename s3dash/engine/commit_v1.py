"""The commit of a version 1 index: the monolith rules, shards and meta are written beside it.

The same care as in version 2: compare-and-swap on the exact bytes that were merged (I3), and a
look afterwards whether it holds, at the object too when it did not (I1). The copies are written
again by recovery. Source: shared-datastore protocol, «Index», v1.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from msgspec.structs import replace

from s3dash.clock import iso
from s3dash.core.index import Document, encode_meta
from s3dash.core.partitions import peer_partition
from s3dash.engine.cas import Cas, read
from s3dash.engine.commit import ROUNDS, Committed, Edit, apply, pending_of
from s3dash.engine.context import Context
from s3dash.engine.docs import Doc
from s3dash.engine.lease import Lease
from s3dash.engine.remote import RemoteIndex
from s3dash.errors import CommitConflict, PreconditionFailed

Change = Callable[[bytes | None], bytes | None]
"""From the old bytes of a document (None: absent) to the new ones (None: leave it)."""


def commit(ctx: Context, edits: Iterable[Edit], *, index: RemoteIndex, lease: Lease) -> Committed:
    """Apply `edits` to the monolith under the lease, then to its copies in the shards.

    Raises LockLost, CommitConflict, and what the store raises.
    """
    todo, done = list(edits), Committed()
    for again in range(ROUNDS):
        pending = pending_of(ctx, todo, index, done, again=again > 0)
        if not pending:
            _copy_to_shards(ctx, [e for e in todo if e.rel not in done.refused], lease)
            return done
        _write_monolith(ctx, pending, index, lease, done)
        index = ctx.reader.load()
    raise CommitConflict("the index kept changing while we committed", hint="try again")


def stand_in(
    ctx: Context, edits: Sequence[Edit], *, index: RemoteIndex, lease: Lease
) -> RemoteIndex:
    """A monolith with all of a lost index, in one write, while the shards are made anew.

    Of shards, those that are there already would be taken for the whole by whoever looks. Returns
    the index on which version 2 is to be committed; what somebody else made meanwhile as it is.
    """
    _write_monolith(ctx, list(edits), index, lease, Committed())
    _until_swapped(ctx, ctx.keys.meta, lease, partial(_meta, ctx, set()))
    found = ctx.reader.load()
    if found.version != 1 or pending_of(ctx, list(edits), found, Committed(), again=False):
        return found
    return replace(found, version=0, rebuilt=True)


def _write_monolith(
    ctx: Context, pending: list[Edit], index: RemoteIndex, lease: Lease, done: Committed
) -> None:
    key = ctx.keys.monolith
    old = index.docs.get(key)
    document = Document.decode(old.body, name=key) if old else Document.empty()
    changed = [apply(document, edit, done) for edit in pending]
    if not any(changed):
        return
    document.set("lastPulled", iso(ctx.clock.now()))
    body = document.encode()
    try:
        etag = Cas(ctx.store, ctx.patience, lease.guard).put(
            key, body, version=old.etag if old else None
        )
    except PreconditionFailed:
        return  # the next round merges into what is there now
    ctx.reader.know(key, Doc(etag, body))


def _copy_to_shards(ctx: Context, edits: list[Edit], lease: Lease) -> None:
    """The dual write of the peers: only shards whose name they would derive themselves.

    Shards without a meta are taken for the whole index: so there is one before the first of them.
    """
    by_name: dict[str, list[Edit]] = {}
    for edit in edits:
        name = peer_partition(edit.rel)
        if name is not None:
            by_name.setdefault(name, []).append(edit)
    index = ctx.reader.latest
    if index is None or index.meta is None:
        _until_swapped(ctx, ctx.keys.meta, lease, partial(_meta, ctx, set()))
    for name in sorted(by_name):
        _until_swapped(ctx, ctx.keys.shard(name), lease, partial(_shard, by_name[name]))
    _until_swapped(ctx, ctx.keys.meta, lease, partial(_meta, ctx, set(by_name)))


def _shard(edits: list[Edit], old: bytes | None) -> bytes | None:
    """The monolith has decided: its entries are taken over as they are."""
    document = Document.decode(old, name="shard") if old else Document.empty()
    for edit in edits:
        if edit.entry is None:
            document.remove(edit.rel)
        else:
            document.put(edit.rel, edit.entry)
    return document.encode()


def _meta(ctx: Context, names: set[str], old: bytes | None) -> bytes | None:
    index = ctx.reader.latest
    said = index.meta.partitions if index and index.meta else ()
    partitions = [*said, *sorted(names - set(said))]
    if old is not None and len(partitions) == len(said):
        return None
    return encode_meta(old, {"version": 1, "partitions": partitions})


def _until_swapped(ctx: Context, key: str, lease: Lease, change: Change) -> None:
    cas = Cas(ctx.store, ctx.patience, lease.guard)
    for _ in range(ROUNDS):
        found = read(ctx.store, key)
        body = change(found.body if found else None)
        if body is None or (found and body == found.body):
            return
        try:
            cas.put(key, body, version=found.info.etag if found else None)
        except PreconditionFailed:
            continue
        return
    raise CommitConflict(f"{key} kept changing while we committed", hint="try again")
