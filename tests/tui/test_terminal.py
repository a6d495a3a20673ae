"""The edges of the process, on a real pseudo-terminal."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
SHOWN = b"help"
RESTORED = b"\x1b[?1049l"


class Terminal:
    """A process behind a pseudo-terminal, and all that it wrote."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.tui.on_a_terminal", *arguments],
            cwd=ROOT,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.written = b""

    def read(self, seconds: float) -> bytes:
        """What is written within that time; empty when the terminal was closed."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        try:
            got = os.read(self.master, 1 << 16)
        except OSError:
            return b""
        self.written += got
        return got

    def until(self, text: bytes) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.written:
            assert time.monotonic() < deadline, self.written[-2000:]
            self.read(0.2)

    def quiet(self) -> None:
        """Wait until it has written nothing for a while."""
        deadline = time.monotonic() + PATIENCE_S
        while self.read(0.7):
            assert time.monotonic() < deadline

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def end(self) -> int:
        """Its exit code; everything that it still wrote is read."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            self.read(0.05)
        while self.read(0.05):
            assert time.monotonic() < deadline
        return self.process.returncode

    def hang_up(self) -> None:
        """The terminal goes away, as when a connection breaks; no signal comes with it."""
        if self.master >= 0:
            os.close(self.master)
        self.master = -1


@contextmanager
def opened(*arguments: str, **environment: str) -> Iterator[Terminal]:
    terminal = Terminal(*arguments, **environment)
    try:
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.wait()
        terminal.hang_up()


def test_an_idle_screen_writes_nothing_and_q_quits_it() -> None:
    with opened() as terminal:
        terminal.until(SHOWN)
        terminal.quiet()
        before = len(terminal.written)
        terminal.read(1.5)
        assert len(terminal.written) == before
        terminal.press(b"q")
        assert terminal.end() == 0
        assert RESTORED in terminal.written
        assert b"started 1 stopped 1" in terminal.written


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_terminal_and_stops_the_engines(number: signal.Signals) -> None:
    with opened() as terminal:
        terminal.until(SHOWN)
        terminal.process.send_signal(number)
        assert terminal.end() == 130
        after = terminal.written[terminal.written.rindex(RESTORED) :]
        assert f"stopped by {number.name}".encode() in after
        assert b"started 1 stopped 1" in after


def test_a_bug_ends_with_its_place_and_without_any_value() -> None:
    with opened("broken") as terminal:
        assert terminal.end() == 1
        assert b"unexpected RuntimeError" in terminal.written
        assert b"on_a_terminal.py" in terminal.written
        assert b"hunter2" not in terminal.written
        assert b"stopped 1" in terminal.written


@pytest.mark.parametrize(("value", "colours"), [("1", False), ("", True)])
def test_no_color_counts_when_it_is_not_empty(value: str, colours: bool) -> None:
    with opened(NO_COLOR=value) as terminal:
        terminal.until(SHOWN)
        terminal.quiet()
        found = re.search(rb"\x1b\[[0-9;]*\b[34]8;[25];", terminal.written)
        assert (found is not None) is colours


def test_a_terminal_that_goes_away_ends_the_process_and_its_engines(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    with opened(f"into={ended}") as terminal:
        terminal.until(SHOWN)
        terminal.hang_up()
        terminal.process.wait(PATIENCE_S)
    assert ended.read_text() == "started 1 stopped 1\n"
