"""What moves: the transfers of the running and the last operation, and how fast they go."""

import threading
from collections import deque

from s3dash.clock import Clock
from s3dash.core.progress import Counts, Progress, Rate, Transfer, TransferDirection, TransferState
from s3dash.objectstore.port import Usage

RATE_WINDOW_S = 3.0


class Accounting:
    """Written by workers, polled by readers. Rows stay live after they were handed out."""

    def __init__(self, clock: Clock, usage: Usage) -> None:
        self._clock = clock
        self._usage = usage
        self._lock = threading.Lock()
        self._transfers: dict[int, Transfer] = {}
        self._failed: dict[str, int] = {}
        self._next_id = 1
        self._samples: deque[tuple[float, int, int]] = deque()
        self._bytes = {"up": 0, "down": 0}

    def begin(self) -> None:
        """A new operation: the rows of the last one go, except those that failed."""
        with self._lock:
            self._transfers = {i: self._transfers[i] for i in self._failed.values()}

    def queue(self, direction: TransferDirection, path: str, size: int) -> Transfer:
        """A new row; it takes the place of an older failed one of the same path."""
        with self._lock:
            old = self._failed.pop(path, None)
            if old is not None:
                del self._transfers[old]
            transfer = Transfer(self._next_id, direction, path, size)
            self._next_id += 1
            self._transfers[transfer.id] = transfer
            return transfer

    def start(self, transfer: Transfer) -> None:
        transfer.started = self._clock.monotonic()
        transfer.done = 0
        transfer.state = "active"

    def moved(self, transfer: Transfer, count: int) -> None:
        """The parts of one file report from several threads."""
        with self._lock:
            transfer.done += count
            self._bytes[transfer.direction] += count

    def kept(self, transfer: Transfer, count: int) -> None:
        """Bytes that an interrupted transfer had moved already."""
        with self._lock:
            transfer.done += count

    def finish(self, transfer: Transfer, state: TransferState, error: str = "") -> None:
        transfer.error = error
        transfer.ended = self._clock.monotonic()
        transfer.state = state
        if state == "failed":
            with self._lock:
                self._failed[transfer.path] = transfer.id

    def progress(self) -> Progress:
        """A copy of the list with live rows, and the totals at this moment."""
        with self._lock:
            rows = list(self._transfers.values())
            up, down = self._bytes["up"], self._bytes["down"]
        return Progress(
            transfers=rows,
            counts=_count(rows),
            rate=self._rate(up, down),
            bytes_up=up,
            bytes_down=down,
            requests=self._usage.requests,
        )

    def _rate(self, up: int, down: int) -> Rate:
        now = self._clock.monotonic()
        with self._lock:
            samples = self._samples
            samples.append((now, up, down))
            while len(samples) > 2 and now - samples[0][0] > RATE_WINDOW_S:
                samples.popleft()
            then, up_then, down_then = samples[0]
        seconds = now - then
        if seconds <= 0:
            return Rate()
        return Rate((up - up_then) / seconds, (down - down_then) / seconds)


def _count(rows: list[Transfer]) -> Counts:
    by_state = dict.fromkeys(("queued", "active", "paused", "failed", "done", "cancelled"), 0)
    total = done = 0
    for row in rows:
        by_state[row.state] += 1
        total += row.size
        done += row.done
    return Counts(
        queued=by_state["queued"] + by_state["paused"],
        active=by_state["active"],
        failed=by_state["failed"],
        done=by_state["done"],
        cancelled=by_state["cancelled"],
        bytes_total=total,
        bytes_done=done,
    )
