"""Looking at a place before it is configured: is there an endpoint, a bucket, a datastore?

Everything here reads, but `locks`: that writes small objects below a random key and deletes them.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice

import msgspec

from s3dash.core import paths
from s3dash.core.keys import Keys
from s3dash.core.settings import CredentialSource, Datastore
from s3dash.core.text import count
from s3dash.engine.remote import IndexReader
from s3dash.engine.status import is_registered
from s3dash.errors import AccessDenied
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore

SOME = 50
"""Directories that are looked into; a bucket may have any number."""

OnFinding = Callable[["Finding"], None]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: whether it is as it should be, and what was seen."""

    name: str
    ok: bool
    detail: str


class Found(msgspec.Struct, frozen=True):
    """What there is at one prefix. `version` 0: no index; `entries` are those of the index.

    `dirs` are the names one level below, `namespaces` those of them that are registered.
    `objects`: whether there is anything at all.
    """

    version: int
    entries: int
    dirs: tuple[str, ...]
    namespaces: tuple[str, ...]
    objects: bool

    @property
    def sentence(self) -> str:
        if self.version:
            return f"a datastore, index v{self.version} with {_entries(self.entries)}"
        if self.namespaces:
            return f"a datastore with {count(len(self.namespaces), 'namespace')}"
        if self.objects:
            return "objects, but no index: they will show as files to pull"
        return "empty: the first push begins a datastore here"


def knock(settings: Datastore) -> Finding:
    """Whether an S3 endpoint answers at this address. Raises what stands in the way."""
    from s3dash.objectstore import s3_account  # late: the SDKs take a while to import

    took = s3_account.knock(settings)
    return Finding("endpoint", True, f"{settings.address} answers in {took:.0f} ms")


def profiles() -> list[str]:
    """The names of boto3's profiles on this machine. Raises ConfigError."""
    from s3dash.objectstore import s3_account

    return s3_account.profiles()


def who(
    settings: Datastore, credentials: CredentialSource
) -> tuple[Finding, tuple[str, ...] | None]:
    """Who we are there, and the buckets; None when they may not be listed.

    Raises ConfigError without credentials, AccessDenied when they are not known there.
    """
    from s3dash.objectstore import s3_account

    with closing(s3_account.Account(settings, credentials)) as account:
        identity = account.identity()
        names = account.buckets()
    found = identity.source if credentials is None else ""
    source = f" from {found}" if found else ""
    return Finding("credentials", True, f"{identity.key}{source}"), (
        None if names is None else tuple(names)
    )


def place(settings: Datastore, credentials: CredentialSource) -> Found:
    """What is in the bucket at the prefix and namespace of the settings. Raises StoreError."""
    with _store(settings, credentials) as store:
        dirs = store.list_dirs("")
        namespaces = _namespaces(store, dirs)
        keys = Keys(settings.namespace)
        if not _has_index(store, keys):
            some = next(iter(store.list(keys.root)), None) is not None
            return Found(0, 0, dirs, namespaces, some)
        index = IndexReader(store, keys).load()
        return Found(index.version, len(index.entries), dirs, namespaces, True)


def places(settings: Datastore, credentials: CredentialSource) -> tuple[str, ...]:
    """The prefixes one level below the settings' own where a datastore is, sorted."""
    with _store(settings, credentials) as store:
        return tuple(
            name for name in store.list_dirs("")[:SOME] if _is_datastore(store, f"{name}/")
        )


def locks(settings: Datastore, credentials: CredentialSource) -> Finding:
    """Whether a lock there can be trusted, in about 40 requests. Raises what stands in the way.

    Credentials that may not write are told: such a datastore can be read all the same.
    """
    from s3dash.objectstore.probe import quick_probe

    with _store(settings, credentials) as store:
        try:
            can = quick_probe(store, nonce=uuid.uuid4().hex)
        except AccessDenied as error:
            return Finding("locks", False, f"not to be proved, so this can only read: {error}")
    if can.safe:
        return Finding("locks", True, "conditional writes hold: locks can be trusted")
    return Finding(
        "locks",
        False,
        "conditional writes do not hold, so a push is refused; `s3dash doctor` says more",
    )


def _store(settings: Datastore, credentials: CredentialSource) -> "closing[ObjectStore]":
    """Nobody waits long for a first look: no retries."""
    return closing(open_store(settings, credentials, patience=Patience(retries=0)))


def _has_index(store: ObjectStore, keys: Keys) -> bool:
    beginnings = (keys.index_dir, keys.monolith)
    return any(next(iter(store.list(start)), None) is not None for start in beginnings)


def _is_datastore(store: ObjectStore, root: str) -> bool:
    marks = (f"{root}{paths.INDEX_DIR}/", f"{root}{paths.INDEX_FILE}")
    if any(next(iter(store.list(mark)), None) is not None for mark in marks):
        return True
    return any(_registered_below(store, root))


def _registered_below(store: ObjectStore, root: str) -> Iterator[bool]:
    """A root without an index of its own may hold namespaces, which have theirs."""
    for name in islice(store.list_dirs(root), SOME):
        if paths.is_namespace(name) and is_registered(store, root + name):
            yield True


def _namespaces(store: ObjectStore, dirs: tuple[str, ...]) -> tuple[str, ...]:
    names = [name for name in dirs[:SOME] if paths.is_namespace(name)]
    return tuple(name for name in names if is_registered(store, name))


def _entries(number: int) -> str:
    return count(number, "entry", "entries")
