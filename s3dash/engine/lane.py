"""The transfers of one direction, side by side: in an order and a number that may change."""

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from s3dash.core.cancel import CancelToken
from s3dash.core.progress import Transfer
from s3dash.core.text import count
from s3dash.engine.traffic import CURRENT, Job, Traffic
from s3dash.errors import S3DashError, TransferCancelled, TransferPaused
from s3dash.objectstore.gate import MOST
from s3dash.objectstore.threads import Threads

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 256
AHEAD_BYTES = 32 << 20
"""Jobs that are announced at a time, before they are started, unless they are so large together.
The next go when half of them are left."""
HANDED_OUT = 32
HANDED_OUT_S = 0.25
"""So many results, or for so long, are waited for before the operation's thread is woken, while
more are under way; an error wakes it at once."""

Ended = tuple[Job, R | BaseException]


class Course(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """How a lane goes. `limit` says how many run at once, and may say another number later.

    `announce` is told what is next before it starts, in the thread of the operation. `still` is
    told how many are paused when nothing else is left, and 0 when something moves again.
    """

    limit: Callable[[], int]
    cancel: CancelToken
    name: str
    announce: Callable[[Sequence[T]], None] = lambda _: None
    still: Callable[[int], None] = lambda _: None


class Lane(Generic[T, R]):
    """Runs `work(item, runs)` for each item, `runs` counting from 1, on threads of its own.

    Like `jobs.each`: an S3DashError of one is its result and stops no other; after a cancel
    nothing more is started, and what runs is waited for; any other exception is a bug and is
    raised. TransferCancelled is the result of what the user stopped, whether it ran or not. What
    raises TransferPaused is run again when it is resumed, from the beginning: `work` knows how to
    go on from what is there.
    """

    def __init__(
        self,
        traffic: Traffic,
        work: Callable[[T, int], R],
        items: Sequence[tuple[T, Transfer]],
        course: Course[T],
    ) -> None:
        self._traffic = traffic
        self._work = work
        self._course = course
        self._changed = traffic.changed
        self._waiting: list[tuple[int, int, int, Job]] = []
        self._ready: list[tuple[int, int, int, Job]] = []
        self._running = 0
        self._still = 0
        self._ended: list[Ended[R]] = []
        self._is_urgent = False
        self._since = 0.0
        self._jobs = [Job(row, item, self) for item, row in items]
        for job in self._jobs:
            self.put(job)

    # --- for the traffic ----------------------------------------------------------------

    def put(self, job: Job) -> None:
        job.place += 1
        entry = (-job.row.priority, job.row.id, job.place, job)
        heapq.heappush(self._ready if job.announced else self._waiting, entry)

    def stopped(self, job: Job) -> None:
        self._ended.append((job, TransferCancelled(job.row.path)))
        self._is_urgent = True

    # --- running ------------------------------------------------------------------------

    def run(self) -> Iterator[tuple[T, R | S3DashError]]:
        """The items and their results, as they end."""
        for some in self.some():
            yield from some

    def some(self) -> Iterator[list[tuple[T, R | S3DashError]]]:
        """As `run`, those together that ended at about the same time."""
        if not self._jobs:
            return
        owner = threading.get_ident()  # another thread may collect what was left half way
        pool = Threads(MOST, thread_name_prefix=self._course.name)
        try:
            with (
                self._traffic.under_control(self._jobs),
                self._course.cancel.calling(self._wake),
            ):
                while (ended := self._go_on(pool)) is not None:
                    yield from _told(ended)
        finally:
            pool.shutdown(wait=threading.get_ident() == owner, cancel_futures=True)
            self._stand(0)

    def _go_on(self, pool: Threads) -> list[Ended[R]] | None:
        """Start what may be, announce what is next, wait until some have ended; None: all have.

        A thread that has ended a job takes the next by itself: this one is not needed for that.
        """
        while True:
            with self._changed:
                job = self._next()
                fresh = None if job else self._unannounced()
                if not (job or fresh):
                    if self._is_worth_a_stop():
                        ended, self._ended, self._is_urgent = self._ended, [], False
                        return ended or None
                    paused = 0 if self._running else self._paused()
                    if self._still == paused:
                        self._changed.wait(HANDED_OUT_S)
                        continue
            if job:
                self._stand(0)
                pool.submit(self._run, job)
            elif fresh:
                self._course.announce([job.item for job in fresh])
            else:
                self._stand(paused)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _stand(self, paused: int) -> None:
        if self._still != paused:
            self._still = paused
            self._course.still(paused)

    # --- choosing; the lock is held -----------------------------------------------------

    def _is_open(self) -> bool:
        return not self._course.cancel.cancelled and self._running < self._course.limit()

    def _next(self) -> Job | None:
        """The first of the announced, unless one that waits outranks it; it counts as running."""
        if not self._is_open():
            return None
        best, other = _first(self._ready), _first(self._waiting)
        if best is None or (other is not None and -other.row.priority < -best.row.priority):
            return None
        heapq.heappop(self._ready)
        best.phase = "running"
        best.runs += 1
        self._running += 1
        return best

    def _unannounced(self) -> list[Job] | None:
        """The next to be announced; None when none is due."""
        if self._course.cancel.cancelled or not self._is_short():
            return None
        fresh: list[Job] = []
        size = 0
        while len(fresh) < AHEAD and size < AHEAD_BYTES:
            job = _first(self._waiting)
            if job is None:
                break
            heapq.heappop(self._waiting)
            job.announced = True
            self.put(job)
            fresh.append(job)
            size += job.row.size
        return fresh or None

    def _is_short(self) -> bool:
        """Few are left of the announced, or what waits outranks them."""
        best, other = _first(self._ready), _first(self._waiting)
        if best is None or len(self._ready) <= AHEAD // 2:
            return True
        return other is not None and -other.row.priority < -best.row.priority

    def _is_worth_a_stop(self) -> bool:
        if not self._running:
            return bool(self._ended) or self._is_over()
        if len(self._ended) >= HANDED_OUT or self._is_urgent:
            return True
        return bool(self._ended) and time.monotonic() - self._since >= HANDED_OUT_S

    def _paused(self) -> int:
        return sum(job.phase == "paused" for job in self._jobs)

    def _is_over(self) -> bool:
        if self._running:
            return False
        if self._course.cancel.cancelled:
            return True
        return all(job.phase == "over" for job in self._jobs)

    # --- one job, in a thread of the pool -----------------------------------------------

    def _run(self, first: Job) -> None:
        """A job, and then others as long as there are any for this thread."""
        job: Job | None = first
        while job is not None:
            ended, outcome = job, self._outcome(job)
            with self._changed:
                self._running -= 1
                try:
                    self._end(ended, outcome)
                    job = self._next()
                except BaseException as error:  # noqa: BLE001 - raised, or all would wait for it
                    self._ended.append((ended, error))
                    self._is_urgent, job = True, None
                if job is None or self._is_worth_a_stop() or self._has_more():
                    self._changed.notify_all()

    def _outcome(self, job: Job) -> R | BaseException:
        token = CURRENT.set(job)
        try:
            return self._work(job.item, job.runs)
        except BaseException as error:  # noqa: BLE001 - raised, or told, by the operation's thread
            return error
        finally:
            CURRENT.reset(token)

    def _has_more(self) -> bool:
        """The operation's thread has something to announce, or to start on another thread."""
        if not (self._ready or self._waiting):
            return False
        return self._is_open() or (bool(self._waiting) and self._is_short())

    def _end(self, job: Job, outcome: R | BaseException) -> None:
        if isinstance(outcome, TransferPaused):
            self._traffic.stopped(job)
        else:
            job.phase, job.row.wish = "over", ""
            self._since = self._since if self._ended else time.monotonic()
            self._ended.append((job, outcome))
            self._is_urgent |= isinstance(outcome, BaseException)
            if not isinstance(outcome, BaseException):
                waiting = bool(self._ready or self._waiting)
                self._traffic.went_well(job.row, running=self._running, waiting=waiting)


def _told(ended: Iterable[Ended[R]]) -> Iterator[list[tuple[Any, R | S3DashError]]]:
    told: list[tuple[Any, R | S3DashError]] = []
    for job, outcome in ended:
        if isinstance(outcome, BaseException) and not isinstance(outcome, S3DashError):
            yield told
            raise outcome
        told.append((job.item, outcome))
    yield told


def standstill(paused: int) -> str:
    """What the state says when nothing else is left; empty when something moves."""
    return f"all that is left is paused: {count(paused, 'transfer')}" if paused else ""


def _first(heap: list[tuple[int, int, int, Job]]) -> Job | None:
    """The first entry that still counts; what does not is dropped on the way."""
    while heap:
        _, _, place, job = heap[0]
        if job.phase == "waiting" and job.place == place:
            return job
        heapq.heappop(heap)
    return None
