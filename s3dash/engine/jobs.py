"""Running many small blocking jobs side by side, with cancel and bounded retries."""

import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

from s3dash.clock import Clock
from s3dash.core.cancel import CancelToken
from s3dash.errors import S3DashError, StoreError
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.threads import Threads

T = TypeVar("T")
R = TypeVar("R")

ATTEMPTS = 4


def each(
    work: Callable[[T], R],
    jobs: Iterable[T],
    *,
    workers: int,
    cancel: CancelToken,
    name: str = "s3dash",
) -> Generator[tuple[T, R | S3DashError], None, None]:
    """Do `work` for every job on up to `workers` threads; yields as they end, in any order.

    An S3DashError of one job is its result and stops no other. After a cancel no further job is
    started, and the ones that run are waited for. Any other exception is a bug and is raised.
    """
    owner = threading.get_ident()
    source = iter(jobs)
    first = list(islice(source, workers * 2))
    if not first:
        return
    pool = Threads(max_workers=min(workers, len(first)), thread_name_prefix=name)
    running: dict[Future[R], T] = {}
    ended: SimpleQueue[Future[R]] = SimpleQueue()  # asking all that run, for each, takes longer

    def start(job: T) -> None:
        future = pool.submit(work, job)
        running[future] = job
        future.add_done_callback(ended.put)

    try:
        for job in first:
            start(job)
        while running:
            future = ended.get()
            job = running.pop(future)
            if not cancel.cancelled:
                for extra in islice(source, 1):
                    start(extra)
            outcome: R | S3DashError = _outcome(future)
            yield job, outcome
    finally:
        # left half way it may be closed by whichever thread collects it, and none can join itself
        pool.shutdown(wait=threading.get_ident() == owner, cancel_futures=True)


def _outcome(future: "Future[R]") -> R | S3DashError:
    try:
        return future.result()
    except S3DashError as error:
        return error


def retrying(
    call: Callable[[int], R],
    *,
    patience: Patience,
    attempts: int = ATTEMPTS,
    once_more: tuple[type[S3DashError], ...] = (),
    never: tuple[type[S3DashError], ...] = (),
) -> R:
    """Call `call(attempt)` until it succeeds or fails for good.

    Only errors that are retryable are tried again. With those of the bucket `patience` decides
    how often; with others, what moves here or there, it is `attempts`. Those of `once_more` are
    tried a second time, and no third, those of `never` not again.
    """
    attempt = 0
    while True:
        attempt += 1
        patience.cancel.check()
        try:
            return call(attempt)
        except S3DashError as error:
            again = error.retryable or (attempt == 1 and isinstance(error, once_more))
            if not again or isinstance(error, never):
                raise
            if isinstance(error, StoreError) and error.retryable:
                again = patience.again(attempt, error)
            else:
                again = attempt < attempts and patience.pause(attempt)
            if not again:
                raise


class Ticker:
    """A thread that calls `tick` every `seconds`, or at once when poked."""

    def __init__(self, tick: Callable[[], None], *, clock: Clock, name: str) -> None:
        self._tick = tick
        self._clock = clock
        self._woken = threading.Event()
        self._now = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.seconds = 1.0

    def start(self) -> None:
        self._thread.start()

    def poke(self) -> None:
        self._now = True
        self._woken.set()

    def after(self, seconds: float) -> None:
        """The next call comes so many seconds from now, however long it was to take."""
        self.seconds = seconds
        self._woken.set()

    def stop(self, timeout_s: float = 1.0) -> None:
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            woken = self._clock.wait(self._woken, self.seconds)
            self._woken.clear()
            due = not woken
            if self._now:  # a poke right after this look is for the next round
                self._now, due = False, True
            if due and not self._stopping.is_set():
                self._tick()
