"""Stopping an operation from another thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from s3dash.errors import Cancelled


class CancelToken:
    """Set once, seen by everybody who works for the operation.

    `event` is what an interruptible wait waits for.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self._calls: list[Callable[[], None]] = []  # without a lock: a signal handler may cancel

    def cancel(self) -> None:
        self.event.set()
        for call in tuple(self._calls):
            call()

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """`call` is made by the thread that cancels, for the length of a block; at once if that
        was done before. It has to be quick, and may come twice."""
        self._calls.append(call)
        try:
            if self.cancelled:
                call()
            yield
        finally:
            self._calls.remove(call)

    @property
    def cancelled(self) -> bool:
        return self.event.is_set()

    def check(self) -> None:
        """Raises Cancelled once `cancel` was called."""
        if self.event.is_set():
            raise Cancelled("cancelled")


@contextmanager
def following(other: CancelToken | None) -> Iterator[CancelToken]:
    """A token of one's own for the length of a block: cancelled with `other`, and by itself."""
    token = CancelToken()
    with other.calling(token.cancel) if other is not None else nullcontext():
        yield token
