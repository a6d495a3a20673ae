"""A terminal that may go away while the screen is on it."""

import select
import sys
from contextlib import suppress
from typing import Any, TextIO

from textual.drivers.linux_driver import LinuxDriver

GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Sturdy:
    """A stream that swallows what can no longer be written.

    Textual's writer ends at the first error, and then the whole screen waits for it for ever.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):  # nobody is left to be told
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):  # as above
            self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()


class SturdyDriver(LinuxDriver):
    """Textual's driver on a sturdy stream."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = Sturdy(self._file)


def is_lost() -> bool:
    """True when the terminal that the process reads from has hung up."""
    stream = sys.__stdin__
    if stream is None:
        return True
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return any(event & GONE for _, event in poll.poll(0))
