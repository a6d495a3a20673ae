"""How many transfers run side by side: as many as the endpoint bears."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from s3dash.core.cancel import CancelToken
from s3dash.errors import Throttled

MOST = 128


class Gate:
    """Halves what may run at once when the endpoint asks to slow down, and grows back slowly.

    One burst of refusals counts once: a transfer that began before the last halving says
    nothing new.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._limit = float(most)
        self._running = 0
        self._halved = 0
        self._free = threading.Condition()

    @property
    def limit(self) -> int:
        """How many may run now."""
        return max(1, int(self._limit))

    @contextmanager
    def turn(self, cancel: CancelToken) -> Iterator[None]:
        """Waits for a turn. Raises Cancelled instead, when the operation is stopped."""
        with self._free:
            self._free.wait_for(lambda: cancel.cancelled or self._running < self.limit)
            cancel.check()
            self._running += 1
            began = self._halved
        try:
            yield
        except Throttled:
            self._slow_down(began)
            raise
        else:
            self._limit = min(float(self._most), self._limit + 1 / self._limit)
        finally:
            with self._free:
                self._running -= 1
                self._free.notify_all()

    def _slow_down(self, began: int) -> None:
        with self._free:
            if began == self._halved:
                self._limit = max(1.0, min(self._limit, self._running) / 2)
                self._halved += 1
