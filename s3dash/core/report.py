"""What operations report: the JSON shapes that scripts rely on. All sizes are bytes."""

from typing import Any, Literal

import msgspec

from s3dash.core.hydration import Hydrated
from s3dash.core.lock import LockInfo

ChangeKind = Literal["added", "modified", "deleted"]


class PathChange(msgspec.Struct, frozen=True):
    path: str
    change: ChangeKind
    size: int


class Blocked(msgspec.Struct, frozen=True):
    path: str
    reason: str


class Failed(msgspec.Struct, frozen=True):
    path: str
    error: str


class Version(msgspec.Struct, frozen=True, omit_defaults=True):
    """One side of a conflict; `sha256` is None when it was not needed to tell.

    `tag` tells versions in the bucket apart whose writer gave no SHA-256. `time` is the ISO time
    when the file was written, empty where it is not known; it tells no versions apart.
    """

    size: int
    sha256: str | None
    tag: str | None = None
    time: str = ""


class ConflictInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """The versions of a path that both sides changed; None means that a side has it not.

    `base` is what both last had, for the screen; left out of documents when it is None.
    """

    path: str
    local: Version | None
    remote: Version | None
    base: Version | None = None


def same_versions(one: ConflictInfo, other: ConflictInfo) -> bool:
    """Whether both tell of the same versions of the same path, whatever the times."""
    return _versions(one) == _versions(other)


def _versions(conflict: ConflictInfo) -> tuple[object, ...]:
    sides = (conflict.local, conflict.remote, conflict.base)
    return conflict.path, *((v.size, v.sha256, v.tag) if v else None for v in sides)


class TrashItem(msgspec.Struct, frozen=True):
    """A file in the trash. `at` is the ISO time; `expires`: age or size may drop it.

    `path` and `sha256` are empty when its record was lost.
    """

    id: str
    path: str
    sha256: str
    size: int
    at: str
    reason: str
    expires: bool


class IndexInfo(msgspec.Struct, frozen=True):
    """`version` 0: there is no index yet. `commit_seq` is None on version 1."""

    version: int
    commit_seq: int | None
    entries: int


class LocalInfo(msgspec.Struct, frozen=True):
    """`lazy`: what is not here may have been left in the bucket, see `hydrated`."""

    files: int
    dirty: list[PathChange]
    bulk_dirty: bool
    lazy: bool
    hydrated: Hydrated = Hydrated()


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the cache and belongs to no namespace that this engine works in.

    `kind` is `solo` for what the layout without namespaces left, else `namespace`; sizes are
    bytes. No operation touches it.
    """

    name: str
    kind: Literal["solo", "namespace"]
    files: int
    size: int


class RemoteInfo(msgspec.Struct, frozen=True):
    changed: list[PathChange]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """`registered`: the namespace has a manifest; None: there is no namespace, or nobody knows.

    `leftovers` are left alone by every operation.
    """

    datastore: str
    bucket: str
    prefix: str
    namespace: str | None
    endpoint: str
    healthy: bool
    latency_ms: float | None
    index: IndexInfo
    local: LocalInfo
    remote: RemoteInfo
    conflicts: list[ConflictInfo]
    blocked: list[Blocked]
    locks: list[LockInfo]
    message: str
    registered: bool | None = None
    leftovers: list[Leftover] = []


class PlanRow(msgspec.Struct, frozen=True):
    path: str
    action: str
    reason: str
    size: int


class Result(msgspec.Struct, kw_only=True):
    """What a push, pull or sync did. `cancelled` are the paths whose transfer the user stopped
    while the operation went on: they are as they were, and no deletion followed. `unknown` is what
    was asked for and names nothing."""

    action: str
    pushed: int = 0
    pulled: int = 0
    deleted_remote: int = 0
    deleted_local: int = 0
    copied: int = 0
    unchanged: int = 0
    conflicts: list[ConflictInfo] = []
    blocked: list[Blocked] = []
    failed: list[Failed] = []
    cancelled: list[str] = []
    unknown: list[str] = []
    bytes_up: int = 0
    bytes_down: int = 0
    requests: int = 0
    seconds: float = 0.0
    commit_seq: int | None = None
    plan: list[PlanRow] | None = None

    @property
    def exit_code(self) -> int:
        """0 fine, 5 partly done (something failed or was cancelled), 3 conflicts remain."""
        if self.failed or self.cancelled:
            return 5
        return 3 if self.conflicts else 0

    def document(self) -> dict[str, Any]:
        """The JSON shape; `plan` only after a dry run, `cancelled` and `unknown` only with some."""
        out: dict[str, Any] = msgspec.to_builtins(self)
        if self.plan is None:
            del out["plan"]
        for name in ("cancelled", "unknown"):
            if not out[name]:
                del out[name]
        return out
