"""What changes all the time and means nothing is held still, so that an idle screen is silent."""

from collections import deque
from statistics import median_low

from msgspec.structs import replace

from s3dash.core.snapshot import Snapshot

LEAST_MS, SHARE = 20.0, 0.5
"""What a latency has to change by to be news: it is never twice the same. The view of endpoints
has it exact."""
LOOKS = 5
"""Latencies of which the middle one counts: a single slow answer is no news either."""
GLANCE_S = 1.0
"""A look at cache and bucket that is over sooner is not worth a word."""
GLANCES = frozenset({"scanning", "comparing"})


class Steady:
    """Called with every snapshot of one engine; the snapshot as it is to be shown."""

    def __init__(self) -> None:
        self._latency: float | None = None
        self._latencies: deque[float] = deque(maxlen=LOOKS)
        self._idle_until: float | None = None

    def __call__(self, snapshot: Snapshot, mono: float) -> Snapshot:
        """`mono` is the monotonic second when it was taken."""
        latency, glance = self._settled(snapshot.latency_ms), self._is_glance(snapshot, mono)
        if glance or (snapshot.state == "idle" and snapshot.detail):
            # What an idle engine tells is a word of its last look: now of this part, now of that.
            return replace(snapshot, latency_ms=latency, state="idle", detail="")
        if latency != snapshot.latency_ms:
            return replace(snapshot, latency_ms=latency)
        return snapshot

    def _settled(self, new: float | None) -> float | None:
        if new is None:
            self._latencies.clear()
            self._latency = None
            return None
        if not self._latencies or new != self._latencies[-1]:
            self._latencies.append(new)
        middle, old = median_low(self._latencies), self._latency
        if old is None or abs(middle - old) > max(LEAST_MS, old * SHARE):
            self._latency = middle
        return self._latency

    def _is_glance(self, snapshot: Snapshot, mono: float) -> bool:
        """True while an engine that was idle has been looking for a moment only."""
        if snapshot.state in GLANCES:
            return self._idle_until is not None and mono < self._idle_until + GLANCE_S
        self._idle_until = mono if snapshot.state == "idle" else None
        return False
