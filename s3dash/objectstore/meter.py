"""Counting what a store asks of its endpoint, and knowing the endpoint's clock."""

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from s3dash.objectstore.port import Usage


class Meter:
    """Thread-safe. `usage` is live: readers may keep it and look at it again."""

    def __init__(self) -> None:
        self.usage = Usage()
        self._lock = threading.Lock()
        self._server_time: datetime | None = None
        self._answered = False
        self._mine = threading.local()

    def request(self) -> None:
        """One HTTP request leaves; a retry is a request too."""
        self._mine.sent = time.perf_counter()
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
            self.usage.latency_ms = round(took * 1000, 1)
            self._answered = self._answered or 200 <= status < 300
            self._server_time = date or self._server_time

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
