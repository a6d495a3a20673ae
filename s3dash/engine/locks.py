"""Who holds which lock: listing, never taking.

A model's lock lies among its files, so that only a listing finds them all: one request for 1000
objects below `data/`. Asking for the lock of every model that the index knows would be a request
for each, cheaper only where models have more than 1000 files. What is looked at in every round is
therefore bounded: see `near`, and `Live`.
"""

from collections.abc import Iterable

from s3dash.core import paths
from s3dash.core.cancel import CancelToken
from s3dash.core.keys import Keys
from s3dash.core.lock import LockInfo, decode_lock, place
from s3dash.core.models import DATA, models_of
from s3dash.core.partitions import PEER_TOPS
from s3dash.engine.cas import read
from s3dash.engine.jobs import each
from s3dash.errors import S3DashError
from s3dash.objectstore.port import Fetched, ObjectStore

NEAR = 8
"""Models with unsynced changes whose locks are looked at in every round, a request each."""
LISTERS = 8


def list_all(store: ObjectStore) -> list[LockInfo]:
    """Every lock below the prefix, those of models in every namespace included.

    Lists all that lies below a `data/`, and nothing else: the namespaces are found by a
    delimiter listing. Raises what the store raises.
    """
    names = [n for n in store.list_dirs("") if paths.is_namespace(n) and n not in PEER_TOPS]
    found: list[str] = []
    roots = ["", *(f"{name}/" for name in names)]
    for _, keys in each(
        lambda root: model_keys(store, root),
        roots,
        workers=LISTERS,
        cancel=CancelToken(),
        name="s3dash-locks",
    ):
        if isinstance(keys, S3DashError):
            raise keys
        found += keys
    return [*list_gates(store), *read_again(store, sorted(found))]


def look_around(
    store: ObjectStore, keys: Keys, *, known: Iterable[LockInfo], rels: Iterable[str], lists: bool
) -> list[LockInfo]:
    """The gates and, with `lists`, the locks of all models of this datastore or namespace.

    Else those of models that are `known` already, and of a few models that `rels` belong to.
    Raises what the store raises.
    """
    before = {i.key for i in known if i.scope == "model" and not (lists and _is_of(keys, i))}
    own = model_keys(store, keys.root) if lists else near(keys.root, rels)
    return [*list_gates(store), *read_again(store, sorted({*before, *own}))]


def _is_of(keys: Keys, lock: LockInfo) -> bool:
    return lock.namespace == keys.namespace


def model_keys(store: ObjectStore, root: str) -> list[str]:
    """The keys of the models' locks below a root; lists its `data/`."""
    listed = (info.key for info in store.list(f"{root}{DATA}/"))
    return [key for key in listed if key.endswith("/.lock") and place(key) is not None]


def near(root: str, rels: Iterable[str]) -> list[str]:
    """The keys of the locks of a few models that these paths belong to, where such are."""
    return [root + model.lock for model in models_of(rels)[:NEAR]]


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
