"""The bandwidth limit: a shared allowance that every transfer draws from."""

import threading

from s3dash.clock import Clock
from s3dash.core.cancel import CancelToken

BURST_S = 0.25


class Throttle:
    """`limit` bytes per second over all transfers together; 0 is no limit."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._limit = limit
        self._free_at = 0.0

    def draw(self, count: int, cancel: CancelToken) -> None:
        """Wait until `count` bytes fit. Raises Cancelled when the operation is stopped."""
        if self._limit:
            self._clock.wait(cancel.event, self._due_in(count))
        cancel.check()

    def _due_in(self, count: int) -> float:
        """Seconds to wait; the time that `count` takes is booked at once."""
        with self._lock:
            now = self._clock.monotonic()
            self._free_at = max(self._free_at, now - BURST_S) + count / self._limit
            return max(0.0, self._free_at - now)
