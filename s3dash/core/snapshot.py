"""The state of an engine at one moment, cheap to take and safe to read from any thread.

The tuples are replaced as a whole when they change, so «is it the same object» tells a reader
whether to look again.
"""

from dataclasses import dataclass, field
from typing import Literal

from s3dash.core.lock import LockInfo
from s3dash.core.progress import Progress
from s3dash.core.report import Blocked, ChangeKind, ConflictInfo, IndexInfo, PathChange

State = Literal[
    "starting", "idle", "scanning", "comparing", "waiting for lock", "pulling", "pushing",
    "committing", "backing off", "offline", "failed", "stopped",
]  # fmt: skip

NO_INDEX = IndexInfo(0, None, 0)


@dataclass(frozen=True, slots=True)
class DirtyRow:
    """A path that differs from base. `since` is the ISO time when that was first seen."""

    path: str
    change: ChangeKind
    size: int
    since: str
    why: str


@dataclass(frozen=True, slots=True)
class AutoSync:
    """`next_in_s` is None while off or suspended; `suspended` says why, or is empty."""

    enabled: bool = False
    interval_s: float = 0.0
    next_in_s: float | None = None
    suspended: str = ""


@dataclass(frozen=True, slots=True)
class WatchState:
    """How changes are noticed: `native` events, `polling`, or `off` with the reason."""

    mode: Literal["native", "polling", "off"] = "off"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One finished operation, or one thing worth a line. `at` is an ISO time."""

    at: str
    operation: str
    level: Literal["info", "warning", "error"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`lock_held_s` is how long we hold the global lock, None when we do not.

    `read_only` names the process that owns the cache, or is empty. `files` and `entries` count
    the local files and the entries of the remote index. `checked_at` is the ISO time of the
    last answer of the endpoint, empty before the first, `offline_since` that of the first failure
    since then, empty while it answers.
    """

    datastore: str
    namespace: str | None
    state: State
    detail: str = ""
    healthy: bool = True
    latency_ms: float | None = None
    message: str = ""
    offline_since: str = ""
    checked_at: str = ""
    read_only: str = ""
    files: int = 0
    index: IndexInfo = NO_INDEX
    dirty: tuple[DirtyRow, ...] = ()
    behind: tuple[PathChange, ...] = ()
    conflicts: tuple[ConflictInfo, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    bulk_dirty: bool = False
    lazy: bool = False
    locks: tuple[LockInfo, ...] = ()
    lock_held_s: float | None = None
    auto: AutoSync = AutoSync()
    watch: WatchState = WatchState()
    last_push: str = ""
    last_pull: str = ""
    progress: Progress = field(default_factory=Progress)
    events_dropped: int = 0
