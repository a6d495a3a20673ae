"""What the screen knows at one moment: handed down to every widget, never changed."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from s3dash.core.lock import LockInfo
from s3dash.core.plan import Direction
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import HistoryRow, Snapshot


class Site(msgspec.Struct, frozen=True, kw_only=True):
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


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that runs here. `since` is a monotonic second; `auto`: nobody asked for it."""

    direction: Direction
    site: str
    since: float
    auto: bool = False

    @property
    def name(self) -> str:
        """`a push`, `an auto-sync`."""
        return "an auto-sync" if self.auto else f"a {self.direction}"


def auto_running(sites: Sequence[Site], current: int, mono: float) -> Running | None:
    """What auto-sync runs now: that of the current datastore, else of any."""
    for site in (sites[current], *sites):
        seconds = site.snapshot.auto.running_s
        if seconds is not None:
            return Running(direction="sync", site=site.name, since=mono - seconds, auto=True)
    return None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """`now` is the wall clock, `mono` the monotonic one that transfers are timed by.

    `plain` asks for words where a sign alone would do.
    """

    sites: tuple[Site, ...]
    current: int
    now: datetime
    mono: float
    running: Running | None = None
    plain: bool = False

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
