"""One engine as the screen follows it: its snapshots, its log, its throughput. No widget."""

from collections import deque
from collections.abc import Sequence
from operator import attrgetter

from s3dash.core.events import Event, Noted, TransferChanged
from s3dash.core.snapshot import DirtyRow, HistoryRow, Snapshot
from s3dash.engine.api import EngineApi
from s3dash.tui.format import age
from s3dash.tui.look import Site
from s3dash.tui.steady import Steady
from s3dash.tui.views.base import Memo

LOG_ROWS = 10_000
SAMPLES = 400
SAMPLE_S = 1.0


def essence(snapshot: Snapshot) -> tuple[object, ...]:
    """What tells two snapshots apart on the screen.

    Long tuples count by identity, as the engine replaces them when they change; times count in
    whole seconds.
    """
    s, auto, progress = snapshot, snapshot.auto, snapshot.progress
    longs = (s.dirty, s.behind, s.conflicts, s.blocked, s.locks, s.endpoint, s.tenants)
    return (
        *(id(rows) for rows in longs),
        (
            s.datastore,
            s.namespace,
            s.state,
            s.detail,
            s.healthy,
            s.message,
            s.read_only,
            s.attached,
        ),
        (s.trouble, s.last_commit),
        None if s.healthy or s.next_look_s is None else int(s.next_look_s),
        (s.files, s.index, s.bulk_dirty, s.lazy, s.hydrated, s.watch, s.last_push, s.last_pull),
        None if s.latency_ms is None else round(s.latency_ms),
        bool(s.checked_at),
        s.locks_at[:16],
        None if s.lock_held_s is None else int(s.lock_held_s),
        (auto.enabled, auto.interval_s, auto.suspended, auto.running_s is None),
        _next_round(snapshot),
        (len(progress.transfers), progress.counts, progress.rate, progress.limits),
    )


def log_row(event: Event) -> HistoryRow | None:
    """The line that an event makes in the log, or None."""
    if isinstance(event, Noted):
        return HistoryRow(event.at, event.operation, event.level, event.text)
    if isinstance(event, TransferChanged) and event.state == "failed":
        return HistoryRow(event.at, "transfer", "error", f"{event.path}: {event.error}")
    return None


def _next_round(snapshot: Snapshot) -> object:
    """As coarse as it is shown: by the second only while something waits for it."""
    left = snapshot.auto.next_in_s
    if left is None:
        return None
    waiting = not snapshot.healthy or snapshot.progress.counts.failed
    return int(left) if waiting else age(left)


def _total(rows: Sequence[DirtyRow]) -> int:
    return sum(map(attrgetter("size"), rows))


class Feed:
    """Polled by the bridge; `site` is what the widgets get to see."""

    def __init__(self, engine: EngineApi, *, mono: float) -> None:
        self.engine = engine
        self._events = engine.subscribe()
        self._log: deque[HistoryRow] = deque(maxlen=LOG_ROWS)
        self._up: deque[float] = deque(maxlen=SAMPLES)
        self._down: deque[float] = deque(maxlen=SAMPLES)
        self._sampled = mono
        self._steady = Steady()
        self._dirty_bytes = Memo[Sequence[DirtyRow], int](_total)
        self._seen_at = mono
        self._essence: tuple[object, ...] = ()
        self.site = self._describe(self._steady(engine.snapshot(), mono), ())

    def _describe(self, snapshot: Snapshot, log: Sequence[HistoryRow]) -> Site:
        self._essence = essence(snapshot)
        return Site(
            settings=self.engine.settings,
            snapshot=snapshot,
            seen_at=self._seen_at,
            dirty_bytes=self._dirty_bytes(snapshot.dirty),
            up=tuple(self._up),
            down=tuple(self._down),
            log=log,
        )

    def poll(self, mono: float) -> tuple[bool, list[HistoryRow]]:
        """Whether anything that is seen changed, and the new lines of the log."""
        snapshot = self._steady(self.engine.snapshot(), mono)
        fresh = [row for event in self._events.drain() if (row := log_row(event))]
        if snapshot.locks is not self.site.snapshot.locks:
            self._seen_at = mono
        sampled = self._sample(snapshot, mono)
        changed = essence(snapshot) != self._essence or sampled or bool(fresh)
        if changed:
            self._log.extend(fresh)
            log = tuple(self._log) if fresh else self.site.log
            self.site = self._describe(snapshot, log)
        return changed, fresh

    def _sample(self, snapshot: Snapshot, mono: float) -> bool:
        """Once a second; False while the graph is flat and stays flat."""
        if mono - self._sampled < SAMPLE_S:
            return False
        self._sampled = mono
        rate = snapshot.progress.rate
        for values, value in ((self._up, rate.up), (self._down, rate.down)):
            values.append(value if value >= 1 else 0.0)
        return any(self._up) or any(self._down)

    def take_history(self, rows: Sequence[HistoryRow]) -> None:
        """What happened before this screen was opened; lines that are there are not doubled."""
        known = set(self._log)
        merged = [*(row for row in rows if row not in known), *self._log]
        self._log = deque(merged, maxlen=LOG_ROWS)
        self.site = self._describe(self.site.snapshot, tuple(self._log))

    def note(self, row: HistoryRow) -> None:
        """A line that no engine noted."""
        self._log.append(row)
        self.site = self._describe(self.site.snapshot, tuple(self._log))

    def close(self) -> None:
        self._events.close()
