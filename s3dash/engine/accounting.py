"""What moves: the transfers of the running and the last operation, and how fast they go."""

import threading
from collections import deque
from collections.abc import Collection
from typing import get_args

from s3dash.clock import Clock
from s3dash.core.progress import (
    UNLIMITED,
    Counts,
    Limits,
    Progress,
    Rate,
    Transfer,
    TransferDirection,
    TransferState,
)
from s3dash.objectstore.port import Usage

RATE_WINDOW_S = 3.0
STATES = get_args(TransferState)


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
        self._moved: dict[int, deque[tuple[float, int]]] = {}
        self._bytes = {"up": 0, "down": 0}
        self._states = dict.fromkeys(STATES, 0)
        self._total = self._done = 0
        self._arrived = (0, 0)

    @property
    def arrived(self) -> tuple[int, int]:
        """Files and bytes that came to a place where nothing was, since both sides were looked
        at last."""
        return self._arrived

    def arrive(self, size: int) -> None:
        with self._lock:
            files, bytes_ = self._arrived
            self._arrived = files + 1, bytes_ + size

    def looked(self) -> None:
        """Both sides were looked at: what arrived is counted there."""
        with self._lock:
            self._arrived = (0, 0)

    def begin(self) -> None:
        """A new operation: the rows of the last one go, except those that failed."""
        with self._lock:
            kept = [self._transfers[i] for i in self._failed.values()]
            self._transfers = {}
            self._states = dict.fromkeys(STATES, 0)
            self._total = self._done = 0
            for transfer in kept:
                self._add(transfer)

    def queue(self, direction: TransferDirection, path: str, size: int) -> Transfer:
        """A new row; it takes the place of an older failed one of the same path."""
        with self._lock:
            old = self._failed.pop(path, None)
            if old is not None:
                self._drop(old)
            transfer = Transfer(self._next_id, direction, path, size)
            self._next_id += 1
            self._add(transfer)
            return transfer

    def forget(self, paths: Collection[str]) -> None:
        """Failures of these paths that there is nothing left to do about."""
        with self._lock:
            for path in paths:
                id = self._failed.pop(path, None)
                if id is not None:
                    self._drop(id)

    def failed(self, ids: Collection[int]) -> list[Transfer]:
        """Those of the rows that failed and were not taken up since."""
        with self._lock:
            return [self._transfers[i] for i in self._failed.values() if i in ids]

    def start(self, transfer: Transfer) -> None:
        """An attempt begins, from the first byte."""
        transfer.started = self._clock.monotonic()
        with self._lock:
            self._count(transfer, -transfer.done)
            transfer.rate = 0.0
            self._moved[transfer.id] = deque([(transfer.started, 0)])
            self._enter(transfer, "active")

    def resize(self, transfer: Transfer, size: int) -> None:
        """It is seen to be of another size, in bytes, than was planned."""
        with self._lock:
            if transfer.id in self._transfers:
                self._total += size - transfer.size
            transfer.size = size

    def moved(self, transfer: Transfer, count: int) -> None:
        """The parts of one file report from several threads."""
        with self._lock:
            self._count(transfer, count)
            self._bytes[transfer.direction] += count

    def kept(self, transfer: Transfer, count: int) -> None:
        """Bytes that an interrupted transfer had moved already; they count in no rate."""
        with self._lock:
            self._count(transfer, count)
            self._moved[transfer.id] = deque([(self._clock.monotonic(), transfer.done)])

    def rest(self, transfer: Transfer, state: TransferState) -> None:
        """It stands still for a while: paused, or queued again."""
        transfer.rate = 0.0
        with self._lock:
            self._enter(transfer, state)
            self._moved.pop(transfer.id, None)

    def finish(self, transfer: Transfer, state: TransferState, error: str = "") -> None:
        transfer.error = error
        transfer.ended = self._clock.monotonic()
        transfer.rate = 0.0
        with self._lock:
            self._enter(transfer, state)
            self._moved.pop(transfer.id, None)
            if state == "failed":
                self._failed[transfer.path] = transfer.id
            elif self._failed.get(transfer.path) == transfer.id:
                del self._failed[transfer.path]  # it was worth another try

    # --- the totals; the lock is held ---------------------------------------------------

    def _add(self, transfer: Transfer) -> None:
        self._transfers[transfer.id] = transfer
        self._states[transfer.state] += 1
        self._total += transfer.size
        self._done += transfer.done

    def _drop(self, id: int) -> None:
        transfer = self._transfers.pop(id, None)
        if transfer is not None:
            self._states[transfer.state] -= 1
            self._total -= transfer.size
            self._done -= transfer.done

    def _enter(self, transfer: Transfer, state: TransferState) -> None:
        if transfer.id in self._transfers:
            self._states[transfer.state] -= 1
            self._states[state] += 1
        transfer.state = state

    def _count(self, transfer: Transfer, count: int) -> None:
        if transfer.id in self._transfers:
            self._done += count
        transfer.done += count

    def progress(self, limits: Limits = UNLIMITED) -> Progress:
        """A copy of the list with live rows, and the totals at this moment."""
        with self._lock:
            rows = list(self._transfers.values())
            self._measure()
            up, down = self._bytes["up"], self._bytes["down"]
            counts = Counts(**self._states, bytes_total=self._total, bytes_done=self._done)
        return Progress(
            transfers=rows,
            counts=counts,
            rate=self._rate(up, down),
            bytes_up=up,
            bytes_down=down,
            requests=self._usage.requests,
            limits=limits,
        )

    def _measure(self) -> None:
        """How fast each row went lately. The lock is held."""
        now = self._clock.monotonic()
        for id, samples in self._moved.items():
            row = self._transfers.get(id)
            if row is None:
                continue
            samples.append((now, row.done))
            while len(samples) > 2 and now - samples[0][0] > RATE_WINDOW_S:
                samples.popleft()
            then, done = samples[0]
            row.rate = (row.done - done) / (now - then) if now > then else row.rate

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
