"""A clock that a test moves: nobody sleeps."""

import threading
from datetime import UTC, datetime, timedelta

from s3dash.clock import SystemClock

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class TestClock:
    """For the thread that made it, waiting moves the time on; others wait for their event."""

    __test__ = False

    def __init__(self) -> None:
        self._owner = threading.get_ident()
        self._passed = 0.0
        self._wall_ahead = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._passed + self._wall_ahead)

    def monotonic(self) -> float:
        return self._passed

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if threading.get_ident() != self._owner:
            return event.wait()
        if not event.is_set():
            self.advance(seconds)
        return event.is_set()

    def advance(self, seconds: float) -> None:
        self._passed += seconds

    def suspend(self, seconds: float) -> None:
        """The machine slept: the wall clock went on, the monotonic one did not."""
        self._wall_ahead += seconds


class QuickClock:
    """Real clocks, but nobody waits: a wait only moves the time on. A lease beats as it does."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._ahead = 0.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self._system.now() + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        return self._system.monotonic() + self._ahead

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if threading.current_thread().name == "s3dash-lease":
            return event.wait(seconds)
        if not event.is_set():
            self._ahead += seconds
            self.waits.append(seconds)
        return event.is_set()
