"""A terminal that may go away while the screen is on it."""

import os
import select
import signal
import sys
from contextlib import suppress
from typing import Any, TextIO

from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Size

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


STANDS = "s3dash stands still, and so do its transfers and locks; `fg` goes on\r\n"


class SturdyDriver(LinuxDriver):
    """Textual's driver on a sturdy stream, that also survives being stopped by somebody else.

    It writes to standard output, which is the terminal that was asked for: Textual's own choice,
    standard error, may be a file. And the last size is the one that stays.
    """

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = Sturdy(sys.__stdout__ or self._file)

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's own
        # In place of Textual's handler, which reads the size and tells it: interrupted by the next
        # one it tells the older size last, and the screen stays as small as that.
        self._loop.add_signal_handler(signal.SIGWINCH, self._tell_size)

    def _tell_size(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(Resize(size, size))

    def _sigtstp_application(self, *_: object) -> None:
        """ctrl+z or SIGTSTP: give the terminal back, say so, and stop."""
        self.suspend_application_mode()
        self._must_signal_resume = True
        self._file.write(STANDS)
        self._file.flush()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        """Take the terminal again. After a bare SIGSTOP it was never given back: do that first,
        or its modes as they are now would count as those to restore at the end."""
        if not self._must_signal_resume:
            self.suspend_application_mode()
            self._must_signal_resume = True
        self.resume_application_mode()


def is_lost() -> bool:
    """True when the terminal that the process reads from has hung up."""
    stream = sys.__stdin__
    if stream is None:
        return True
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return any(event & GONE for _, event in poll.poll(0))
