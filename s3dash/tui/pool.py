"""Threads for the engine's blocking calls. They are daemons: a call that hangs in the network
holds up neither the screen nor the end of the process."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

THREADS = 6


class Pool:
    """A few threads that take calls from one queue."""

    def __init__(self, threads: int = THREADS) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = (
            queue.SimpleQueue()
        )
        self._threads = [
            threading.Thread(target=self._work, name=f"s3dash-screen-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        future: Future[T] = Future()
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
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                future.set_exception(error)
