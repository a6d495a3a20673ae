"""Counting what a store asks of its endpoint, and knowing the endpoint's clock."""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from s3dash.objectstore.port import RECENT, Usage

HALF_S = 0.5
"""A `Date` has no fractions: on average it lies half a second back."""


class Meter:
    """Thread-safe. `usage` is live: readers may keep it and look at it again.

    `wall` is this machine's clock, in seconds since the epoch.
    """

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        self.usage = Usage()
        self._wall = wall
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._lock = threading.Lock()
        self._server_time: datetime | None = None
        self._answered = False
        self._mine = threading.local()

    def request(self, *, timed: bool = True) -> None:
        """One HTTP request leaves; a retry is a request too.

        One that is not `timed` carries a large body: it says how wide the line is, not how long.
        """
        self._mine.sent = time.perf_counter()
        self._mine.timed = timed
        with self._lock:
            self.usage.requests += 1

    def up(self, count: int) -> None:
        """Bytes of an object's body were sent."""
        with self._lock:
            self.usage.bytes_up += count

    def down(self, count: int) -> None:
        """Bytes of an object's body arrived."""
        with self._lock:
            self.usage.bytes_down += count

    def answer(self, status: int, date: datetime | None) -> None:
        """The answer to this thread's request came; a success proves that the bucket is there."""
        took = time.perf_counter() - self._mine.sent
        with self._lock:
            if self._mine.timed:
                self._timed(round(took * 1000, 1))
            self._answered = self._answered or 200 <= status < 300
            self._server_time = date or self._server_time
            if date is not None and self._mine.timed:
                self.usage.skew_s = date.timestamp() + HALF_S - (self._wall() - took / 2)

    def _timed(self, took_ms: float) -> None:
        self.usage.latency_ms = took_ms
        self._recent.append(took_ms)
        self.usage.recent_ms = tuple(self._recent)
        self.usage.answers += 1

    @property
    def answered(self) -> bool:
        """Whether the bucket has answered with a success before."""
        return self._answered

    @property
    def server_time(self) -> datetime | None:
        return self._server_time


def http_date(text: str | None) -> datetime | None:
    """The moment in a `Date` header, aware; None when there is none that can be read."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
