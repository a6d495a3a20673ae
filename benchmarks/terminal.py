"""A program on a pseudo-terminal, and when each of its bytes came. Times are seconds."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import pyte

COLUMNS, LINES = 120, 40
PATIENCE_S = 120.0
CURSOR = "▌".encode()
"""Stands in the gutter of the row under the cursor, and is sent only when a whole line is."""


class Chunk(NamedTuple):
    """Bytes as one read gave them. `at` is seconds since the program was started."""

    at: float
    data: bytes


class Program:
    """Started when made; killed, if it still runs, when the context is left."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self._main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        sealed = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        colours = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.chunks: list[Chunk] = []
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0
        self._start = time.perf_counter()
        self._process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env={**sealed, **colours, **(environ or {})},
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        )
        os.close(side)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._main)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    @property
    def written(self) -> int:
        """Bytes so far."""
        return sum(len(chunk.data) for chunk in self.chunks)

    # --- reading ------------------------------------------------------------------------

    def read(self, seconds: float) -> Chunk | None:
        """The next bytes that come within that time; None when none do, or it has ended."""
        if not select.select([self._main], [], [], max(0.0, seconds))[0]:
            return None
        try:
            data = os.read(self._main, 1 << 16)
        except OSError:
            return None
        self.chunks.append(Chunk(self.now, data))
        return self.chunks[-1]

    def listen(self, seconds: float) -> int:
        """Read for that long; how many bytes came."""
        before, end = self.written, self.now + seconds
        while self.now < end:
            self.read(end - self.now)
        return self.written - before

    def quiet(self, seconds: float = 1.0) -> None:
        """Wait until nothing has come for a while."""
        end = self.now + PATIENCE_S
        while self.read(seconds):
            self._check(end, "silence")

    def shows(self, holds: Callable[[str], bool], what: str) -> float:
        """When the screen first showed that; reads on until it does.

        The time is that of the chunk which brought it, whatever looking at it costs us.
        """
        end = self.now + PATIENCE_S
        while True:
            while self._fed < len(self.chunks):
                chunk = self.chunks[self._fed]
                self._stream.feed(chunk.data)
                self._fed += 1
                if holds(self.shown):
                    return chunk.at
            self._check(end, what)
            self.read(0.2)

    def seen(self, holds: Callable[[str], bool]) -> bool:
        """Whether the screen shows that now, by what was read so far."""
        for chunk in self.chunks[self._fed :]:
            self._stream.feed(chunk.data)
        self._fed = len(self.chunks)
        return holds(self.shown)

    @property
    def shown(self) -> str:
        """The screen as far as it was looked at by `shows` and `seen`."""
        return "\n".join(self._screen.display)

    def _check(self, end: float, what: str) -> None:
        if self.now > end or self._process.poll() is not None:
            self._screen.reset()
            self._stream.feed(b"".join(chunk.data for chunk in self.chunks))
            raise RuntimeError(f"never seen: {what}, in\n{self.shown}")

    # --- keys ---------------------------------------------------------------------------

    def press(self, keys: str) -> None:
        os.write(self._main, keys.encode())

    def react(self, key: str, sign: bytes = CURSOR) -> float:
        """Seconds from the key to the first output that holds the sign."""
        while self.read(0.0):
            pass
        before = self.now
        self.press(key)
        end = before + PATIENCE_S
        while True:
            chunk = self.read(1.0)
            if chunk is not None and sign in chunk.data:
                return chunk.at - before
            self._check(end, f"a reaction to {key}")

    def ended(self, within_s: float = PATIENCE_S) -> float:
        """Wait for its end; seconds since the call. Reads meanwhile: a full terminal blocks."""
        before = self.now
        while self._process.poll() is None:
            if self.now - before > within_s:
                raise RuntimeError("it does not end")
            self.read(0.005)
        return self.now - before

    @property
    def code(self) -> int | None:
        return self._process.poll()
