"""Whether the service does its work: for `/healthz`, for the metrics and for systemd's watchdog."""

from s3dash.core.snapshot import Snapshot
from s3dash.core.text import duration

STALLED_S = 180.0
"""An idle engine whose next look is overdue for so long does not look any more."""


class Pulse:
    """Told now and then what the engine shows; times are monotonic seconds."""

    def __init__(self) -> None:
        self._overdue_since: float | None = None

    def felt(self, now: Snapshot, at: float) -> None:
        overdue = now.state in ("idle", "offline") and now.next_look_s == 0.0
        if not overdue:
            self._overdue_since = None
        elif self._overdue_since is None:
            self._overdue_since = at

    def stalled_s(self, at: float) -> float:
        """For how long its next look is overdue; 0 as long as that is nothing unusual."""
        overdue = 0.0 if self._overdue_since is None else at - self._overdue_since
        return overdue if overdue >= STALLED_S else 0.0


def complaints(now: Snapshot, *, stalled_s: float, limit: int) -> list[str]:
    """What is wrong, each as a sentence; empty when all is well. `limit` is of failed rounds."""
    found = []
    if stalled_s:
        found.append(f"nothing was looked at for {duration(stalled_s)}")
    if not now.healthy:
        found.append(now.message or "the endpoint does not answer")
    elif not now.checked_at:
        found.append("the bucket was not looked at yet")
    if now.auto.failures >= limit:
        found.append(f"{now.auto.failures} rounds in a row failed: {now.auto.suspended}")
    return found
