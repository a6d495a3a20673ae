"""SIGINT, SIGTERM and SIGHUP: a polite stop first, an immediate one at the second signal."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from s3dash.errors import Cancelled

SERVICE_STOP = "SIGTERM"
"""The signal by which a service is stopped in order: that is no failure."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While entered, the first signal calls who asked for it, else raises Cancelled.

    Outside the main thread, where Python knows no signals, entering does nothing.
    """

    def __init__(self) -> None:
        self.received = ""
        self.insisted = False
        """A further signal came before the first one had led to an end."""
        self._polite: Callable[[], None] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    @contextmanager
    def leading_to(self, polite: Callable[[], None]) -> Iterator[None]:
        """The first signal calls `polite` in the main thread and goes on; inside another such
        block both are called."""
        outer = self._polite

        def both() -> None:
            if outer is not None:
                outer()
            polite()

        self._polite = both
        try:
            yield
        finally:
            self._polite = outer

    def error(self) -> Cancelled:
        """What a command that was stopped ends with."""
        name = self.received or "a signal"
        return Cancelled(
            f"stopped by {name}",
            hint="what was finished stays; the same command goes on from there",
        )

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.insisted = bool(self.received)
        self.received = signal.Signals(number).name
        if self._polite is None or self.insisted:
            raise self.error()
        self._polite()
