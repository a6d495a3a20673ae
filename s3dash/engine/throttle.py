"""The bandwidth limit: a shared allowance that every transfer draws from."""

import threading
from collections.abc import Callable

from s3dash.clock import Clock
from s3dash.core.cancel import CancelToken

BURST_S = 0.25
MOMENT_S = 1e-6
"""What is not worth a wait."""


def _nothing() -> None:
    """Nobody stops this one."""


class Throttle:
    """`limit` bytes per second over all transfers together; 0 is no limit.

    Who draws books a place in a row of bytes, and waits until the allowance has come that far.
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._limit = limit
        self._booked = 0.0
        self._allowed = 0.0
        self._as_of = clock.monotonic()
        self._waiting: set[threading.Event] = set()

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    def change(self, limit: int) -> None:
        """From now on; those who wait take it up at once."""
        with self._lock:
            self._advance()
            self._limit = limit
            if not limit:
                self._allowed = max(self._allowed, self._booked)  # a debt is not kept for later
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again whether they are to go on."""
        with self._lock:
            waiting = tuple(self._waiting)
        for event in waiting:
            event.set()

    def draw(
        self, count: int, cancel: CancelToken, *, check: Callable[[], None] = _nothing
    ) -> None:
        """Wait until `count` bytes fit. Raises Cancelled when the operation is stopped, and what
        `check` raises: it is called before, and again after a `wake`."""
        check()
        if self._limit:
            self._wait(self._book(count), cancel, check)
        cancel.check()

    def _wait(self, place: float, cancel: CancelToken, check: Callable[[], None]) -> None:
        woken = threading.Event()
        with self._lock:
            self._waiting.add(woken)
        try:
            check()  # a wake before we were known to wait found nobody
            with cancel.calling(woken.set):
                while not cancel.cancelled and (seconds := self._due_in(place)) > MOMENT_S:
                    if self._clock.wait(woken, seconds):
                        woken.clear()
                        check()
        finally:
            with self._lock:
                self._waiting.discard(woken)

    def _book(self, count: int) -> float:
        """The place of the last of these bytes; what nobody drew is lost beyond a burst."""
        with self._lock:
            self._advance()
            self._booked = max(self._booked, self._allowed - BURST_S * self._limit) + count
            return self._booked

    def _due_in(self, place: float) -> float:
        """Seconds until the allowance has come to a place, at the limit that holds now."""
        with self._lock:
            self._advance()
            return (place - self._allowed) / self._limit if self._limit else 0.0

    def _advance(self) -> None:
        now = self._clock.monotonic()
        self._allowed += (now - self._as_of) * self._limit
        self._as_of = now
