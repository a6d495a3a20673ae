"""When a burst of changes has gone quiet. Pure: the caller brings the time."""

import msgspec


class Debounce(msgspec.Struct):
    """Collects paths until `quiet_s` without a new one, or `longest_s` after the first.

    All times are monotonic seconds.
    """

    quiet_s: float = 0.3
    longest_s: float = 2.0
    _paths: set[str] = msgspec.field(default_factory=set)
    _first: float = 0.0
    _last: float = 0.0

    def add(self, path: str, now: float) -> None:
        if not self._paths:
            self._first = now
        self._paths.add(path)
        self._last = now

    def due_in(self, now: float) -> float | None:
        """Seconds until the burst is due (0 when it is), or None when there is none."""
        if not self._paths:
            return None
        due = min(self._last + self.quiet_s, self._first + self.longest_s)
        return max(0.0, due - now)

    def take(self, now: float) -> set[str]:
        """The collected paths when they are due, else nothing."""
        due = self.due_in(now)
        if due is None or due > 0:
            return set()
        taken, self._paths = self._paths, set()
        return taken
