"""When a view that is being looked at asks its engine by itself, so that it never asks twice."""

LEAST_S = 10.0
STALE_S = 60.0


class Asking:
    """Times are monotonic seconds."""

    def __init__(self) -> None:
        self._at: float | None = None

    def due(self, now: float, *, least_s: float = LEAST_S) -> bool:
        """True when nobody asked within `least_s` seconds; then that counts as asked now."""
        if self._at is not None and now - self._at < least_s:
            return False
        self._at = now
        return True

    def forget(self) -> None:
        """Another engine is to be asked: at once."""
        self._at = None
