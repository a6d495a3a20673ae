"""What the command line and the screen may ask of an engine."""

from collections.abc import Collection
from typing import Protocol

from s3dash.core.cancel import CancelToken
from s3dash.core.events import Event
from s3dash.core.lock import LockInfo
from s3dash.core.plan import Direction, Plan
from s3dash.core.report import Result, Status
from s3dash.core.settings import ConflictPolicy, Datastore
from s3dash.core.snapshot import HistoryRow, Snapshot


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

    def push(
        self,
        selection: Collection[str] = (),
        *,
        policy: ConflictPolicy | None = None,
        max_delete: int | None = None,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Result: ...

    def pull(
        self,
        selection: Collection[str] = (),
        *,
        policy: ConflictPolicy | None = None,
        max_delete: int | None = None,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Result: ...

    def sync(
        self,
        selection: Collection[str] = (),
        *,
        policy: ConflictPolicy | None = None,
        max_delete: int | None = None,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Result: ...

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
