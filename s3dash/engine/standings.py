"""Where this cache stands with every namespace of the datastore, in one look.

One delimiter listing finds the names, one listing of `.locks/` and a GET each the locks. Then,
side by side, for each namespace: its manifest and the head of its index (two requests; three with
a version 1 index or none), and two more for who made the last commit when that was an s3dash. One
that this cache was synced with is compared as `status` does it: a listing of `_index/`, a GET for
each document that moved since, a HEAD for each path that seems deleted there or set back.
"""

from collections.abc import Iterable
from functools import partial

from msgspec.structs import replace

from s3dash.clock import iso
from s3dash.core.index import Meta, decode_meta
from s3dash.core.keys import Keys
from s3dash.core.lock import LockInfo
from s3dash.core.outlook import NO_COMMIT, Held, IndexState, Registered, Standing
from s3dash.core.report import PathChange, RemoteInfo
from s3dash.core.tenants import MANIFEST_MOST, Manifest, decode_manifest
from s3dash.core.trouble import LastCommit
from s3dash.engine import intents, locks, operations
from s3dash.engine.cas import read
from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.engine.sibling import sibling
from s3dash.engine.view import View
from s3dash.errors import Cancelled, NotFound, S3DashError
from s3dash.objectstore.port import ObjectInfo, ObjectStore

READERS = 8
COMPARERS = 2
"""Indexes in memory at the same time, of any size."""


def heads(ctx: Context, names: Iterable[str]) -> list[Registered]:
    """What manifest and index say of these, less those that are no namespace at all; in order.

    The current one is always among them. An error of one is told at its row.
    """
    jobs = each(partial(_head, ctx), names, workers=READERS, cancel=ctx.cancel, name="s3dash-heads")
    found = [_told(name, outcome) for name, outcome in jobs]
    ctx.cancel.check()
    current = ctx.keys.namespace
    rows = (row for row in found if row.registered or row.index_version or row.problem
            or row.namespace == current)  # fmt: skip
    return sorted(rows, key=lambda row: row.namespace)


def all_of(ctx: Context, view: View, names: Iterable[str]) -> list[Standing]:
    """Every namespace, and without one of our own the datastore itself, where it has anything.

    Raises what the listing of the locks raises; what is wrong with one namespace is at its row.
    """
    with ctx.stage.during("comparing", "every namespace"):
        gates = locks.list_gates(ctx.store)
        rows: list[Standing] = [_standing(head, gates) for head in heads(ctx, names)]
        if ctx.keys.namespace is None:
            rows.insert(0, _solo(ctx, gates))
        jobs = each(
            partial(_compared, ctx, view),
            rows,
            workers=COMPARERS,
            cancel=ctx.cancel,
            name="s3dash-standings",
        )
        done = {row.namespace: _or_failed(row, outcome) for row, outcome in jobs}
        ctx.cancel.check()
    found = [done[row.namespace] for row in rows]
    return [row for row in found if row.namespace is not None or _is_used(row)]


# --- the head of a namespace --------------------------------------------------------------


def _told(name: str, outcome: Registered | S3DashError) -> Registered:
    if isinstance(outcome, S3DashError):
        return Registered(namespace=name, problem=outcome.message)
    return outcome


def _head(ctx: Context, name: str) -> Registered:
    raw = _beginning(ctx.store, Keys(name).manifest)
    manifest = decode_manifest(raw) if raw is not None else Manifest()
    row = Registered(namespace=name, registered=raw is not None)
    if manifest is None:
        row = replace(row, problem="its manifest cannot be read")
    else:
        row = replace(row, repo_id=manifest.repo_id, registered_at=manifest.registered_at)
    try:
        version, commit_seq, commit = _index_of(ctx, Keys(name))
    except S3DashError as error:
        return replace(row, problem=error.message)
    return replace(row, index_version=version, commit_seq=commit_seq, last_commit=commit)


def _index_of(ctx: Context, keys: Keys) -> tuple[int, int | None, LastCommit]:
    """Version, commitSeq and last commit of an index; version 0: there is none."""
    fetched = read(ctx.store, keys.meta)
    meta = decode_meta(fetched.body, name=keys.meta) if fetched is not None else None
    if fetched is not None and meta is not None and meta.version == 2:
        return 2, meta.commitSeq, LastCommit(_time(fetched.info), _who(ctx, keys, meta))
    try:
        monolith = ctx.store.head(keys.monolith)
    except NotFound:
        return 0, None, NO_COMMIT
    return 1, None, LastCommit(_time(monolith))


def _beginning(store: ObjectStore, key: str) -> bytes | None:
    try:
        return store.get_range(key, start=0, length=MANIFEST_MOST)
    except NotFound:
        return None


def _time(info: ObjectInfo) -> str:
    """By the server's clock; empty where it tells none."""
    return iso(info.last_modified) if info.last_modified is not None else ""


def _who(ctx: Context, keys: Keys, meta: Meta) -> str:
    """Who made the last commit; a plain client signs nothing, and old records are gone."""
    nonce = (meta.writer or "").rpartition(" ")[2]
    if not nonce:
        return ""
    record = intents.by_nonce(replace(ctx, keys=keys), nonce)
    return record.holder if record is not None else ""


# --- where the cache stands ---------------------------------------------------------------


def _of(gates: Iterable[LockInfo], namespace: str | None) -> tuple[LockInfo, ...]:
    return tuple(lock for lock in gates if lock.namespace == namespace)


def _standing(head: Registered, gates: Iterable[LockInfo]) -> Standing:
    return Standing(
        namespace=head.namespace,
        registered=head.registered,
        repo_id=head.repo_id,
        registered_at=head.registered_at,
        healthy=not head.problem,
        index=IndexState(version=head.index_version, commit_seq=head.commit_seq),
        last_commit=head.last_commit,
        locks=_of(gates, head.namespace),
        message=head.problem,
    )


def _solo(ctx: Context, gates: Iterable[LockInfo]) -> Standing:
    """The datastore itself, without a namespace."""
    row = Standing(namespace=None, current=True, locks=_of(gates, None))
    try:
        version, commit_seq, commit = _index_of(ctx, ctx.keys)
    except S3DashError as error:
        return replace(row, healthy=False, message=error.message)
    index = IndexState(version=version, commit_seq=commit_seq)
    return replace(row, index=index, last_commit=commit)


def _or_failed(row: Standing, outcome: Standing | S3DashError) -> Standing:
    if isinstance(outcome, S3DashError):
        return replace(row, healthy=False, message=outcome.message)
    return outcome


def _is_used(row: Standing) -> bool:
    """Whether a datastore with namespaces has anything beside them."""
    return bool(row.local.files or row.index.version or row.locks or not row.healthy)


def _compared(ctx: Context, view: View, row: Standing) -> Standing:
    """With what the cache holds, when it was ever synced with this namespace."""
    if row.namespace == ctx.keys.namespace:
        return _looked_at(replace(row, current=True, here=True), ctx, view)
    with sibling(ctx, row.namespace) as other:
        if not other.state.base_rows():
            return row
        return _looked_at(replace(row, here=True), other, View(other))


def _looked_at(row: Standing, ctx: Context, view: View) -> Standing:
    """Both sides; the cache alone when the index cannot be read, or there is none to compare."""
    try:
        if _has_something(ctx, row):
            view.take(operations.observe(ctx))
        else:
            operations.look_here(ctx, view)
    except Cancelled:
        raise
    except S3DashError as error:
        operations.look_here(ctx, view)
        row = replace(row, healthy=False, message=row.message or error.message)
    return replace(
        row,
        index=replace(row.index, entries=view.index.entries if row.healthy else None),
        local=_held(view),
        remote=RemoteInfo(list(view.behind)),
        conflicts=view.conflicts,
        blocked=view.blocked,
    )


def _has_something(ctx: Context, row: Standing) -> bool:
    """False where looking for an index would list the whole bucket, all namespaces included."""
    return row.namespace is not None or bool(row.index.version) or bool(ctx.state.base_rows())


def _held(view: View) -> Held:
    scanned = view.local.scan.files.values() if view.local is not None else ()
    return Held(
        files=view.files,
        bytes=sum(stat.size for stat in scanned),
        dirty=tuple(PathChange(r.path, r.change, r.size) for r in view.dirty),
        bulk_dirty=view.bulk_dirty,
        lazy=view.lazy,
    )
