"""The state of an engine at one moment, cheap to take and safe to read from any thread.

The tuples are replaced as a whole when they change, so «is it the same object» tells a reader
whether to look again.
"""

from typing import Literal

import msgspec

from s3dash.core.endpoint import EndpointFacts
from s3dash.core.hydration import Hydrated
from s3dash.core.lock import LockInfo
from s3dash.core.progress import Progress
from s3dash.core.report import Blocked, ChangeKind, ConflictInfo, IndexInfo, PathChange
from s3dash.core.tenants import Survey
from s3dash.core.trouble import LastCommit, Trouble

State = Literal[
    "starting", "idle", "scanning", "comparing", "waiting for lock", "pulling", "pushing",
    "committing", "backing off", "offline", "failed", "stopped", "no cache",
]  # fmt: skip

BY_CHOICE = "readonly"
"""In `read_only`: nobody else owns the cache, the user wants to look only."""

NO_INDEX = IndexInfo(0, None, 0)
NO_FACTS = EndpointFacts()
NO_COMMIT = LastCommit()
NO_SURVEY = Survey()
NOTHING_HERE = Hydrated()


def why_read_only(read_only: str) -> str:
    """The reason as a clause; it names what was given, which may be foreign."""
    if read_only == BY_CHOICE:
        return "opened to look only (readonly)"
    return f"this cache belongs to {read_only}"


class DirtyRow(msgspec.Struct, frozen=True):
    """A path that differs from base. `since` is the ISO time when that was first seen."""

    path: str
    change: ChangeKind
    size: int
    since: str
    why: str


class AutoSync(msgspec.Struct, frozen=True):
    """`next_in_s` is None while off; `suspended` says why it holds something back, or is empty.

    After a change of the cache it waits for `quiet_s` seconds without another, at the longest
    `longest_s`. `running_s` is how long a sync of its own has been running, None when none does.
    `failures` counts the rounds that failed in a row, looks at the bucket included; `deletions`
    those that it holds back because nobody agreed to them.
    """

    enabled: bool = False
    interval_s: float = 0.0
    next_in_s: float | None = None
    suspended: str = ""
    quiet_s: float = 0.0
    longest_s: float = 0.0
    running_s: float | None = None
    failures: int = 0
    deletions: int = 0


class WatchState(msgspec.Struct, frozen=True):
    """How changes are noticed: `native` events, `polling`, or `off` with the reason."""

    mode: Literal["native", "polling", "off"] = "off"
    detail: str = ""


class HistoryRow(msgspec.Struct, frozen=True):
    """One finished operation, or one thing worth a line. `at` is an ISO time."""

    at: str
    operation: str
    level: Literal["info", "warning", "error"]
    text: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """`lock_held_s` is how long we hold the global lock, None when we do not. `locks_at` is the ISO
    time when the locks of all our models were last listed: later ones are in `locks` only where
    they were looked for. Empty: never.

    `read_only` names the process that owns the cache, or is BY_CHOICE, or empty; `attached` the
    one whose engine this is, which works for us, or is empty when it is our own. `files` and
    `entries` count the local files and the entries of the remote index. `checked_at` is the ISO
    time of the last answer of the endpoint, empty before the first, `offline_since` that of the
    first failure since then, empty while it answers; `trouble` says what failed. `next_look_s` is
    how long it is until the bucket is looked at again by itself, None when it is not.
    """

    datastore: str
    namespace: str | None
    state: State
    detail: str = ""
    healthy: bool = True
    latency_ms: float | None = None
    message: str = ""
    offline_since: str = ""
    trouble: Trouble | None = None
    next_look_s: float | None = None
    checked_at: str = ""
    read_only: str = ""
    attached: str = ""
    files: int = 0
    index: IndexInfo = NO_INDEX
    dirty: tuple[DirtyRow, ...] = ()
    behind: tuple[PathChange, ...] = ()
    conflicts: tuple[ConflictInfo, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    bulk_dirty: bool = False
    lazy: bool = False
    hydrated: Hydrated = NOTHING_HERE
    locks: tuple[LockInfo, ...] = ()
    locks_at: str = ""
    lock_held_s: float | None = None
    auto: AutoSync = AutoSync()
    watch: WatchState = WatchState()
    last_push: str = ""
    last_pull: str = ""
    last_commit: LastCommit = NO_COMMIT
    endpoint: EndpointFacts = NO_FACTS
    tenants: Survey = NO_SURVEY
    progress: Progress = msgspec.field(default_factory=Progress)
    events_dropped: int = 0
