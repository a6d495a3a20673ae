"""What the command line and the screen may ask of an engine."""

from collections.abc import Collection
from typing import Protocol, TypedDict, Unpack

from s3dash.core.cancel import CancelToken
from s3dash.core.events import Event
from s3dash.core.lock import LockInfo
from s3dash.core.plan import Direction, Plan
from s3dash.core.report import ConflictInfo, Result, Status, TrashItem
from s3dash.core.settings import ConflictPolicy, Datastore, Take
from s3dash.core.snapshot import HistoryRow, Snapshot


class How(TypedDict, total=False):
    """How a push, pull or sync goes; what is left out is as configured.

    More than `max_delete` deletions are refused; without it the guard's own bounds hold. With
    `dry_run` nothing moves, and the result carries the plan.
    """

    policy: ConflictPolicy | None
    max_delete: int | None
    dry_run: bool
    cancel: CancelToken | None


class Subscription(Protocol):
    """A bounded queue of events; what did not fit was dropped and counted."""

    @property
    def dropped(self) -> int: ...

    def drain(self) -> list[Event]:
        """All events since the last call, oldest first; never blocks."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Wait for an event; True when there is one."""
        ...

    def close(self) -> None: ...


class EngineApi(Protocol):
    """Every call blocks and may be made from any thread; none touches a widget.

    Raises only classes of `s3dash.errors`.
    """

    @property
    def settings(self) -> Datastore: ...

    def start(self) -> None:
        """Begin to watch the cache and to poll the bucket, in threads of the engine's own."""
        ...

    def stop(self) -> None:
        """Cancel what runs, release the lock, end all threads; within a second, idempotent."""
        ...

    def status(self) -> Status:
        """A fresh look at both sides. An endpoint that does not answer is told in the status."""
        ...

    def refresh(self) -> None:
        """Look again soon, in the background (locks, index and cache)."""
        ...

    def plan(
        self,
        direction: Direction,
        *,
        selection: Collection[str] = (),
        policy: ConflictPolicy | None = None,
    ) -> Plan:
        """What the operation would do now. Writes nothing anywhere but the hash cache."""
        ...

    def run(
        self, plan: Plan, *, cancel: CancelToken | None = None, max_delete: int | None = None
    ) -> Result:
        """Carry out a plan. What changed since it was made is not touched but reported."""
        ...

    def push(self, selection: Collection[str] = (), **how: Unpack[How]) -> Result: ...

    def pull(self, selection: Collection[str] = (), **how: Unpack[How]) -> Result: ...

    def sync(self, selection: Collection[str] = (), **how: Unpack[How]) -> Result: ...

    def conflicts(self) -> list[ConflictInfo]:
        """A fresh look at the paths that both sides changed."""
        ...

    def resolve(
        self,
        path: str,
        *,
        take: Take,
        shown: ConflictInfo | None = None,
        cancel: CancelToken | None = None,
    ) -> Result:
        """Settle one conflict; the version that is not taken stays readable.

        `shown` are the versions that the user saw, None: whatever is there now. Raises
        UsageError when the path is not in conflict, CommitConflict when it changed since.
        With conflicts or blocked paths in the result it remains.
        """
        ...

    def trash(self) -> list[TrashItem]:
        """The local files, and lost versions of the bucket, that can be restored; oldest first."""
        ...

    def restore_trash(self, id: str, *, to: str | None = None) -> str:
        """Put a file of the trash back where it was, or at `to`; the path where it is now.

        Raises UsageError when another file is there, LocalError for an unknown id.
        """
        ...

    def drop_trash(self, id: str) -> TrashItem:
        """Destroy a file of the trash, whatever it is. Raises LocalError for an unknown id."""
        ...

    def locks(self) -> list[LockInfo]:
        """All locks below the prefix, whoever holds them. Takes none."""
        ...

    def release_lock(self, key: str, nonce: str) -> None:
        """Force a lock open, only while it still carries `nonce`; else LockHeld."""
        ...

    def namespaces(self) -> list[str]:
        """The namespaces that are registered below the prefix, sorted."""
        ...

    def set_auto(self, enabled: bool) -> None: ...

    def history(self, limit: int = 1000) -> list[HistoryRow]:
        """The latest entries, newest last."""
        ...

    def snapshot(self) -> Snapshot:
        """The state now, from memory; takes microseconds."""
        ...

    def subscribe(self, *, capacity: int = 1024) -> Subscription: ...
