"""A real terminal, and what it shows."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

PATIENCE_S = 60.0


class Terminal:
    """A pseudo-terminal of 120 by 40 with `s3dash` in it. Close it after use."""

    def __init__(self, *arguments: str, cwd: Path, environ: Mapping[str, str]) -> None:
        self.main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.written = ""
        self._screen = pyte.Screen(120, 40)
        self._stream = pyte.ByteStream(self._screen)
        sealed = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "s3dash", *arguments],
            cwd=cwd,
            env={**sealed, "TERM": "xterm-256color", **environ},
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        )
        os.close(side)

    def wait_for(self, *words: str) -> None:
        """Read until the screen shows all words at once."""
        self.wait_until(lambda shown: all(word in shown for word in words))

    def wait_until(self, holds: Callable[[str], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not holds(self.shown):
            assert time.monotonic() < end, f"never seen in\n{self.shown}"
            assert self._read(), f"ended before it was seen:\n{self.shown}"

    @property
    def shown(self) -> str:
        return "\n".join(self._screen.display)

    def pause(self, seconds: float) -> None:
        """Read on for that long: for what is a matter of time, as the guard of a dialog is."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.main], [], [], left)[0] and not self._read():
                return

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, from 0."""
        return self._screen.cursor.x, self._screen.cursor.y

    def press(self, keys: str) -> None:
        os.write(self.main, keys.encode())

    def end(self) -> int:
        """The exit code; reads on meanwhile, because a full terminal would block it."""
        while self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.main)

    def _read(self) -> bool:
        """False once the other side has gone."""
        if not select.select([self.main], [], [], PATIENCE_S)[0]:
            return False
        try:
            data = os.read(self.main, 65536)
        except OSError:
            return False
        self._stream.feed(data)
        self.written += data.decode(errors="replace")
        return bool(data)
