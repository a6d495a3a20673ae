"""Trying again: how long to wait, for how long to hope, and who is told of it.

Every store has one `Patience`, and so has every request one way to wait: visible, bounded, with
jitter, over at once when the operation is cancelled. Nothing is tried again that could have been
applied under a condition: those calls are read back by the engine.
"""

import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import msgspec

from s3dash.clock import Clock, SystemClock
from s3dash.core.cancel import CancelToken
from s3dash.errors import S3DashError, Unreachable

RETRIES = 5
STRANGER_RETRIES = 2
FIRST_S = 0.5
FACTOR = 2.0
JITTER = 0.25
LONGEST_S = 60.0
"""What a `Retry-After` may ask for at most."""


class Wait(msgspec.Struct, frozen=True):
    """A request failed in passing; after `seconds` it is sent again: `retry` of `retries`."""

    seconds: float
    retry: int
    retries: int
    error: S3DashError

    @property
    def sentence(self) -> str:
        """For people: `503 SlowDown from the endpoint, waiting 4 s, retry 2 of 5`."""
        seconds = f"{self.seconds:.1f}".removesuffix(".0")
        return f"{self.error.brief}, waiting {seconds} s, retry {self.retry} of {self.retries}"


Told = Callable[[Wait], AbstractContextManager[threading.Event | None]]
"""Entered before a wait, left after it. May give an event that ends this one wait, in the place
of the operation's; what it raises when it is left is raised to who waits."""


class Patience:
    """Safe to use from any thread. `cancel` is the token of the operation that now runs.

    Once a request was given up, the others are given up at their first failure, until one
    succeeds or the next operation begins: an outage ends an operation once, not once per file.
    """

    def __init__(self, clock: Clock | None = None, *, retries: int = RETRIES) -> None:
        self.clock: Clock = clock or SystemClock()
        self.cancel = CancelToken()
        self.told: Told = lambda _: nullcontext()
        self._retries = retries
        self._answered = False
        self._tired = False

    def begin(self, cancel: CancelToken) -> None:
        """An operation begins that `cancel` stops: hope anew."""
        self.cancel = cancel
        self._tired = False

    def answered(self) -> None:
        """A request succeeded."""
        self._answered, self._tired = True, False

    def again(self, tried: int, error: S3DashError, *, after_s: float | None = None) -> bool:
        """Wait before a request that failed `tried` times is sent again; False: give it up.

        `after_s` is what the endpoint asked for, in seconds. Raises Cancelled when the operation
        is stopped while it waits.
        """
        if not error.retryable or self.cancel.cancelled:
            return False
        retries = self._retries_after(error)
        if tried > retries or self._tired:
            self._tired = True
            return False
        pause = max(pause_s(tried), min(after_s or 0.0, LONGEST_S))
        with self.told(Wait(pause, tried, retries, error)) as ended:
            self.clock.wait(ended or self.cancel.event, pause)
        self.cancel.check()
        return True

    def pause(self, tried: int) -> bool:
        """Wait for something else than the endpoint: nobody is told. True, unless cancelled."""
        self.clock.wait(self.cancel.event, pause_s(tried))
        return not self.cancel.cancelled

    def _retries_after(self, error: S3DashError) -> int:
        """An endpoint that never answered is rather mistyped than away."""
        stranger = isinstance(error, Unreachable) and not self._answered
        return min(self._retries, STRANGER_RETRIES) if stranger else self._retries


def pause_s(tried: int) -> float:
    """How long to wait after the given number of failures, in seconds, with jitter."""
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret in it
    return min(LONGEST_S, FIRST_S * FACTOR ** (tried - 1)) * spread
