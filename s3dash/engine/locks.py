"""Who holds which lock: listing, never taking."""

from collections.abc import Iterable

from s3dash.core import paths
from s3dash.core.lock import LockInfo, decode_lock, place
from s3dash.engine.cas import read
from s3dash.objectstore.port import Fetched, ObjectStore


def list_all(store: ObjectStore) -> list[LockInfo]:
    """Every lock below the prefix, model locks included: lists the whole prefix."""
    keys = [info.key for info in store.list("") if place(info.key) is not None]
    return read_again(store, keys)


def list_gates(store: ObjectStore) -> list[LockInfo]:
    """The locks that can hold up a push: the global one and those of namespaces.

    A handful of requests, whatever the size of the bucket.
    """
    found = (info.key for info in store.list(paths.LOCKS_DIR + "/"))
    return read_again(store, [paths.GLOBAL_LOCK, *(k for k in found if place(k) is not None)])


def read_again(store: ObjectStore, keys: Iterable[str]) -> list[LockInfo]:
    """The locks with these keys, less those that are gone."""
    found = ((key, read(store, key)) for key in keys)
    return [describe(key, fetched) for key, fetched in found if fetched is not None]


def describe(key: str, fetched: Fetched) -> LockInfo:
    """A lock as users see it; its age runs from the last heartbeat, by the server's clock."""
    body, where = decode_lock(fetched.body), place(key)
    modified, server = fetched.info.last_modified, fetched.info.server_time
    age = max(0.0, (server - modified).total_seconds()) if modified and server else 0.0
    left = body.ttlMs / 1000 - age
    return LockInfo(
        key=key,
        scope=where.scope if where else "model",
        namespace=where.namespace if where else None,
        model=where.model if where else None,
        holder=body.holder,
        hostname=body.hostname,
        pid=body.pid,
        acquired_at=body.acquiredAt,
        age_s=round(age, 3),
        ttl_ms=body.ttlMs,
        expires_in_s=round(left, 3),
        stale=left < 0,
        nonce=body.nonce,
        client=body.client,
    )
