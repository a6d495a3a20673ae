"""How many transfers of one direction run side by side: as many as make it faster, and no more.

It begins with the configured number. Where that many had work all the time, twice as many are
tried, and kept where that moved more by a fair part of what was added; else it goes back, and the
next try comes later each time. A machine that is busy computing tries none: more threads would
only cost. After «slow down» it is half as many at once; from there it comes back one by one, at
most to the number that it began with, and tries no more before the next operation.
"""

import time
from collections.abc import Callable

from s3dash.clock import Clock

UNIT = 64 << 10
"""Bytes that count as much as a file does: what a round trip may carry."""
SHORTEST_S = 0.05
"""A look that is shorter says little, whatever came to its end meanwhile."""
GAIN = 0.4
"""The part of what was added that has to be seen in what moves: else it was not worth it."""
NOISE = 0.08
"""What differs from one look to the next by itself."""
BUSY = 0.7
"""Seconds of processor time in a second: more threads would wait for each other."""
FIRST_REST, LONGEST_REST = 16, 256
"""Looks after a try in vain before there is another one."""
SAME_S = 2.0
"""Refusals within so many seconds are one burst."""


class Pacer:
    """Called with the lock of the traffic held. `start` is the configured number, `most` the bound
    of what is tried; from a single one at a time it never grows: that is an order.

    `spent` is the processor time of this process in seconds.
    """

    def __init__(
        self, start: int, most: int, clock: Clock, *, spent: Callable[[], float] = time.process_time
    ) -> None:
        self._clock = clock
        self._spent = spent
        self._start = start
        self._most = most if start > 1 else start
        self._by_hand = False
        self.begin()

    def begin(self) -> None:
        """Another operation: what was found out for the last one need not be so for this one."""
        self.limit = self._start
        self._refused = False
        self._refused_at = 0.0
        self._kept: tuple[int, float] | None = None
        self._rest, self._next_rest = 0, FIRST_REST
        self._skip = self.limit
        self._look()

    def fix(self, number: int) -> None:
        """The user says how many, for as long as this process lives."""
        self._start = number
        self._by_hand = True
        self.begin()

    def ended(self, size: int, *, busy_all: bool, free: bool) -> None:
        """A transfer of so many bytes came to its good end. `busy_all`: as many ran as may, and
        others wait; `free`: nothing else limits them."""
        if not busy_all:
            return self._look()
        if self._skip > 0:  # those that were started with the last change
            self._skip -= 1
            if not self._skip:
                self._look()
            return None
        self._files += 1
        self._units += 1 + size / UNIT
        passed = self._clock.monotonic() - self._since
        if self._files >= self.limit and passed >= SHORTEST_S:
            rate, load = self._units / passed, (self._spent() - self._spent_before) / passed
            self._looked(rate, quiet=load < BUSY, free=free)
        return None

    def slow_down(self, began: float) -> None:
        """The endpoint refused a request of a transfer whose attempt began at this moment."""
        now = self._clock.monotonic()
        news = began > self._refused_at or now - self._refused_at > SAME_S
        if self._refused and not news:
            return
        self._refused, self._refused_at = True, now
        self._change(max(1, self.limit // 2))

    # --- deciding -----------------------------------------------------------------------

    def _looked(self, rate: float, *, quiet: bool, free: bool) -> None:
        """So many units a second moved while `limit` ran."""
        if self._refused:
            return self._change(min(self._start, self.limit + 1))
        if self._by_hand or not free:
            return self._look()
        before, self._kept = self._kept, (self.limit, rate)
        if before is not None and before[0] < self.limit and not _worth(before, self._kept):
            self._kept = None
            self._rest, self._next_rest = self._next_rest, min(LONGEST_REST, 2 * self._next_rest)
            return self._change(before[0])
        if self._rest:
            self._rest -= 1
        elif quiet and self.limit < self._most:
            return self._change(min(self._most, 2 * self.limit))
        return self._look()

    def _change(self, number: int) -> None:
        self.limit = self._skip = number
        self._look()

    def _look(self) -> None:
        """Another look begins now."""
        self._files, self._units = 0, 0.0
        self._since, self._spent_before = self._clock.monotonic(), self._spent()


def _worth(before: tuple[int, float], now: tuple[int, float]) -> bool:
    """Whether what was added moved more: (how many ran, units a second), before and now."""
    added = now[0] / before[0] - 1
    return now[1] > before[1] * (1 + max(NOISE, GAIN * added))
