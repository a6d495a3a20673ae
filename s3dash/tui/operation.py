"""The one operation that this screen may have running, from its start to its end."""

import asyncio
from collections.abc import Callable

from s3dash.clock import Clock
from s3dash.core.cancel import CancelToken
from s3dash.core.plan import Direction
from s3dash.tui.look import Running


class Operation:
    """`idle` is set while nothing runs. `on_left` is called when the user waits for the end."""

    def __init__(self, clock: Clock, *, on_left: Callable[[], None]) -> None:
        self._clock = clock
        self._on_left = on_left
        self._leaving = False
        self.running: Running | None = None
        self.token = CancelToken()
        self.idle = asyncio.Event()
        self.idle.set()

    def begin(self, direction: Direction, site: str) -> CancelToken:
        """It runs now; its token is the answer."""
        self.running = Running(direction=direction, site=site, since=self._clock.monotonic())
        self.token = CancelToken()
        self.idle.clear()
        return self.token

    def end(self) -> None:
        self.running = None
        self.idle.set()
        if self._leaving:
            self._on_left()

    def leave_at_end(self) -> None:
        """Quit as soon as it has ended; at once when nothing runs."""
        self._leaving = True
        if self.running is None:
            self._on_left()
