"""Threads for the engine's blocking calls. They are daemons: a call that hangs in the network
holds up neither the screen nor the end of the process."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

THREADS, MOST = 6, 48


class Pool:
    """A few threads that take calls from one queue.

    When all of them hang there will be others, up to MOST: an endpoint that does not answer must
    not keep a call for another one waiting, or a key that cancels.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = (
            queue.SimpleQueue()
        )
        self._lock = threading.Lock()
        self._open = 0
        self._threads: list[threading.Thread] = []
        for _ in range(threads):
            self._add()

    def _add(self) -> None:
        name = f"s3dash-screen-{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        future: Future[T] = Future()
        with self._lock:
            self._open += 1
            if len(self._threads) < min(self._open, MOST):
                self._add()
        self._calls.put((future, call))
        return future

    async def ask(self, call: Callable[[], T]) -> T:
        """The answer of a blocking call, without blocking the loop."""
        return await asyncio.wrap_future(self.submit(call))

    def close(self) -> None:
        """No more calls; running ones are left to themselves."""
        for _ in self._threads:
            self._calls.put(None)

    def _work(self) -> None:
        while (job := self._calls.get()) is not None:
            future, call = job
            if not future.set_running_or_notify_cancel():
                self._over()
                continue
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                self._over()
                future.set_exception(error)
            else:
                self._over()
                future.set_result(result)

    def _over(self) -> None:
        with self._lock:
            self._open -= 1
