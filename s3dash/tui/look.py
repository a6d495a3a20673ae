"""What the screen knows at one moment: handed down to every widget, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from s3dash.core.lock import LockInfo
from s3dash.core.plan import Direction
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import HistoryRow, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One datastore. `seen_at` is the monotonic second when its locks were last looked at.

    `dirty_bytes` is the sum over the dirty rows; `up` and `down` are bytes per second, one value
    a second, the newest last.
    """

    settings: Datastore
    snapshot: Snapshot
    seen_at: float = 0.0
    dirty_bytes: int = 0
    up: tuple[float, ...] = ()
    down: tuple[float, ...] = ()
    log: Sequence[HistoryRow] = ()

    @property
    def name(self) -> str:
        return self.settings.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An operation that this screen started. `since` is a monotonic second."""

    direction: Direction
    site: str
    since: float
    stopping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`now` is the wall clock, `mono` the monotonic one that transfers are timed by."""

    sites: tuple[Site, ...]
    current: int
    now: datetime
    mono: float
    running: Running | None = None

    @property
    def site(self) -> Site:
        return self.sites[self.current]

    @property
    def snapshot(self) -> Snapshot:
        return self.sites[self.current].snapshot

    @property
    def settings(self) -> Datastore:
        return self.sites[self.current].settings

    def ttl_left(self, lock: LockInfo) -> float:
        """Seconds until the lock is stale, counted on from when it was read."""
        return lock.expires_in_s - (self.mono - self.site.seen_at)

    def lock_age(self, lock: LockInfo) -> float:
        """Seconds since the lock's last heartbeat."""
        return lock.age_s + (self.mono - self.site.seen_at)
