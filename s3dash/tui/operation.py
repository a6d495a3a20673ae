"""The one operation that this screen may have running, from its start to its end."""

import asyncio

from s3dash.clock import Clock
from s3dash.core.cancel import CancelToken
from s3dash.core.plan import Direction, Plan
from s3dash.tui.look import Running


class Operation:
    """`idle` is set while nothing runs; `leaving` is the wish to quit when that is so.

    `plan` is what the user confirmed, while that is carried out; None: it is something else.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.leaving = False
        self.plan: Plan | None = None
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
        self.plan = None
        self.idle.set()
