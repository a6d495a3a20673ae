"""What the user wants of the transfers that wait or run: which of them, in what order, how many.

A transfer that runs is stopped by an error that it meets where its bytes go by: it lets go of its
connection, its thread and its place, and keeps what it takes to go on. So nothing that is paused
holds up another, and no server waits for it.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Protocol

import msgspec

from s3dash.clock import Clock
from s3dash.core.cancel import CancelToken
from s3dash.core.progress import Limits, Transfer, TransferDirection
from s3dash.core.settings import Datastore
from s3dash.engine.accounting import Accounting
from s3dash.engine.pacing import Pacer
from s3dash.engine.throttle import Throttle
from s3dash.errors import Throttled, TransferCancelled, TransferPaused
from s3dash.objectstore.gate import MOST
from s3dash.objectstore.patience import Told, Wait

HIGHEST = 9
Phase = Literal["waiting", "running", "paused", "over"]


class Queue(Protocol):
    """Where a job waits. Called with the lock of the traffic held."""

    def put(self, job: "Job") -> None:
        """It waits to be started, maybe again, maybe elsewhere in the order."""
        ...

    def stopped(self, job: "Job") -> None:
        """It was cancelled while it did not run."""
        ...


class Job(msgspec.Struct, eq=False):
    """A transfer of the running operation. `stop` ends a wait of it before its time.

    `place` grows each time it is queued: an older entry of the queue then counts no more. `runs`
    is how often it was started.
    """

    row: Transfer
    item: Any
    queue: Queue
    phase: Phase = "waiting"
    place: int = 0
    runs: int = 0
    announced: bool = False
    stop: threading.Event = msgspec.field(default_factory=threading.Event)


CURRENT: ContextVar[Job | None] = ContextVar("transfer", default=None)
"""The transfer that this thread works for."""


class Traffic:
    """Every method may be called from any thread; those that change something return how many
    transfers they changed. `None` for ids means all; a pause of all holds until all are resumed
    or the operation ends, also for what is queued later.
    """

    def __init__(
        self, accounting: Accounting, throttle: Throttle, clock: Clock, settings: Datastore
    ) -> None:
        self._accounting = accounting
        self._throttle = throttle
        self._clock = clock
        most = min(MOST, settings.max_concurrency)
        self._pacers: dict[TransferDirection, Pacer] = {
            "up": Pacer(settings.push_concurrency, most, clock),
            "down": Pacer(settings.pull_concurrency, most, clock),
        }
        self._changes = 0
        self._held = False
        self._jobs: dict[int, Job] = {}
        self.changed = threading.Condition()
        """Its lock is reentrant: a signal handler of the same thread may cancel."""

    # --- for the operation --------------------------------------------------------------

    def begin(self) -> None:
        """A new operation: what held the last one is over."""
        with self.changed:
            self._held = False
            self._start_over()

    @contextmanager
    def under_control(self, jobs: Collection[Job]) -> Iterator[None]:
        """The jobs can be paused and so on, for the length of a block."""
        with self.changed:
            self._jobs.update((job.row.id, job) for job in jobs)
            if self._held:
                for job in jobs:
                    self._pause(job)
        try:
            yield
        finally:
            with self.changed:
                for job in jobs:
                    job.phase, job.row.wish = "over", ""
                    self._jobs.pop(job.row.id, None)
                self._start_over()

    def check(self, row: Transfer, *, first: bool = False) -> None:
        """Raises TransferPaused or TransferCancelled when that was asked for.

        What has left or arrived in full is carried through, as it may have been applied already:
        so a file of no bytes stops at its beginning only (`first`).
        """
        if row.wish and (first or row.done < row.size):
            raise (TransferPaused if row.wish == "pause" else TransferCancelled)(row.path)

    def limit(self, direction: TransferDirection) -> int:
        """How many may run now; it changes while they do."""
        return self._pacers[direction].limit

    def went_well(self, row: Transfer, *, running: int, waiting: bool) -> None:
        """A transfer has come to its end beside `running` others. The lock is held."""
        pacer = self._pacers[row.direction]
        busy_all = waiting and running + 1 >= pacer.limit
        pacer.ended(row.size, busy_all=busy_all, free=not self._throttle.limit)

    @property
    def limits(self) -> Limits:
        """The numbers in force."""
        up, down = self._pacers["up"].limit, self._pacers["down"].limit
        return Limits(up, down, self._throttle.limit, self._changes)

    def telling(self, told: Told, cancel: Callable[[], CancelToken]) -> Told:
        """`told`, and the row of the transfer that waits says so. The wait ends with the wish to
        stop it, or when the operation is cancelled."""

        @contextmanager
        def tell(wait: Wait) -> Iterator[threading.Event | None]:
            job = CURRENT.get()
            if job is None:
                with told(wait) as event:
                    yield event
                return
            row = job.row
            if isinstance(wait.error, Throttled):
                with self.changed:
                    self._pacers[row.direction].slow_down(row.started)
            row.waits_for = f"{wait.error.brief.removesuffix(' from the endpoint')} ×{wait.retry}"
            row.retry_at = self._clock.monotonic() + wait.seconds
            try:
                with told(wait), cancel().calling(job.stop.set):
                    yield job.stop
            finally:
                row.waits_for, row.retry_at = "", 0.0
            self.check(row, first=True)

        return tell

    # --- for the user -------------------------------------------------------------------

    def pause(self, ids: Collection[int] | None) -> int:
        with self.changed:
            self._held = self._held or ids is None
            return self._told(self._pause(job) for job in self._those(ids))

    def resume(self, ids: Collection[int] | None) -> int:
        with self.changed:
            if ids is None:
                self._held = False
            return self._told(self._resume(job) for job in self._those(ids))

    def cancel(self, ids: Collection[int] | None) -> int:
        with self.changed:
            return self._told(self._cancel(job) for job in self._those(ids))

    def shift(self, ids: Collection[int], by: int) -> int:
        """Change the priority, within ±9."""
        with self.changed:
            return self._told(self._shift(job, by) for job in self._those(ids))

    def allow(self, *, up: int | None = None, down: int | None = None) -> Limits:
        """How many run side by side from now on, 1 to 128; more are started at once, and those
        that are too many come to their end. A number that was set here does not grow by itself."""
        with self.changed:
            wanted: dict[TransferDirection, int | None] = {"up": up, "down": down}
            for direction, number in wanted.items():
                if number is not None:
                    self._pacers[direction].fix(max(1, min(MOST, number)))
            self._told([True])
            return self.limits

    def throttle(self, bandwidth: int) -> Limits:
        """Bytes per second over all transfers, 0: no limit."""
        self._throttle.change(max(0, bandwidth))
        with self.changed:
            self._start_over()
            self._told([True])
            return self.limits

    # --- one job; the lock is held ------------------------------------------------------

    def _start_over(self) -> None:
        for pacer in self._pacers.values():
            pacer.begin()

    def _those(self, ids: Collection[int] | None) -> list[Job]:
        if ids is None:
            return list(self._jobs.values())
        return [self._jobs[id] for id in ids if id in self._jobs]

    def _told(self, each: Iterable[bool]) -> int:
        count = sum(each)
        if count:
            self._changes += 1
            self.changed.notify_all()
            self._throttle.wake()
        return count

    def _pause(self, job: Job) -> bool:
        if job.phase == "waiting":
            self._park(job)
        elif job.phase == "running" and not job.row.wish:
            job.row.wish = "pause"
            job.stop.set()
        else:
            return False
        return True

    def _resume(self, job: Job) -> bool:
        if job.phase == "paused":
            self._requeue(job)
        elif job.phase == "running" and job.row.wish == "pause":
            job.row.wish = ""
            job.stop.clear()
        else:
            return False
        return True

    def _cancel(self, job: Job) -> bool:
        if job.phase == "running" and job.row.wish != "cancel":
            job.row.wish = "cancel"
            job.stop.set()
        elif job.phase in ("waiting", "paused"):
            self._drop(job)
        else:
            return False
        return True

    def _shift(self, job: Job, by: int) -> bool:
        before = job.row.priority
        job.row.priority = max(-HIGHEST, min(HIGHEST, before + by))
        if job.row.priority == before or job.phase == "over":
            return False
        if job.phase == "waiting":
            job.queue.put(job)
        return True

    def _park(self, job: Job) -> None:
        job.phase = "paused"
        self._accounting.rest(job.row, "paused")

    def _requeue(self, job: Job) -> None:
        job.phase = "waiting"
        self._accounting.rest(job.row, "queued")
        job.queue.put(job)

    def _drop(self, job: Job) -> None:
        job.phase, job.row.wish = "over", ""
        self._accounting.finish(job.row, "cancelled")
        job.queue.stopped(job)

    def stopped(self, job: Job) -> None:
        """It has let go after a pause was asked for; meanwhile that may be asked for no more."""
        job.stop.clear()
        wish, job.row.wish = job.row.wish, ""
        if wish == "cancel":
            self._drop(job)
        elif wish == "pause":
            self._park(job)
        else:
            self._requeue(job)
