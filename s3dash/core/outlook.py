"""The namespaces of a datastore in one look: who registered each, and where this cache stands."""

import msgspec

from s3dash.core.lock import LockInfo
from s3dash.core.report import Blocked, ConflictInfo, PathChange, RemoteInfo
from s3dash.core.trouble import LastCommit

NO_COMMIT = LastCommit()
NO_CHANGES = RemoteInfo([])


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest of a namespace says; `created`: this call wrote it."""

    namespace: str
    repo_id: str
    registered_at: str
    created: bool = False


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace as its manifest and the head of its index tell, without any entry.

    `index_version` 0: it has no index. `problem` is what cannot be read of it, or empty.
    """

    namespace: str
    registered: bool = False
    repo_id: str = ""
    registered_at: str = ""
    index_version: int = 0
    commit_seq: int | None = None
    last_commit: LastCommit = NO_COMMIT
    problem: str = ""


class IndexState(msgspec.Struct, frozen=True, kw_only=True):
    """`entries` None: they were not counted, as this cache holds nothing of it."""

    version: int = 0
    commit_seq: int | None = None
    entries: int | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the cache has of it: files and bytes, and what was not pushed yet."""

    files: int = 0
    bytes: int = 0
    dirty: tuple[PathChange, ...] = ()
    bulk_dirty: bool = False
    lazy: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One namespace, with the names of the status document.

    `here`: this cache was synced with it; else only what a few requests tell is known. Not
    `healthy`: `message` says what could not be read. `namespace` None is the datastore itself,
    without one.
    """

    namespace: str | None
    current: bool = False
    here: bool = False
    registered: bool = False
    repo_id: str = ""
    registered_at: str = ""
    healthy: bool = True
    index: IndexState = IndexState()
    last_commit: LastCommit = NO_COMMIT
    local: Held = Held()
    remote: RemoteInfo = NO_CHANGES
    conflicts: tuple[ConflictInfo, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    locks: tuple[LockInfo, ...] = ()
    message: str = ""
