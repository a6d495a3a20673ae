"""The edges of the process, on a real pseudo-terminal."""

import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.tui.on_a_terminal import STARTED

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
UNSET = "(unset)"
SHOWN = STARTED.encode()
"""Stands in the last line once the screen is there and its engine was started."""
RESTORED = b"\x1b[?1049l"


COMMAND = [sys.executable, "-m", "tests.tui.on_a_terminal"]
SET_BY_DEFAULT = {b"25", b"7"}
"""Private modes that are on in a fresh terminal: the cursor, wrapping lines. All others are off."""


def _take_terminal() -> None:
    """In the child: standard input becomes its controlling terminal, as a login makes it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A process behind a pseudo-terminal, and all that it wrote."""

    def __init__(
        self,
        *arguments: str,
        size: tuple[int, int] = (100, 30),
        command: Sequence[str] = COMMAND,
        **environment: str,
    ) -> None:
        self.master, slave = pty.openpty()
        self.resize(*size)
        env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
        given = {"TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env={name: value for name, value in {**env, **given}.items() if value != UNSET},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        self.written = b""

    def resize(self, columns: int, rows: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

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

    def until(self, text: bytes, *, since: int = 0) -> None:
        """Read until it was written; `since` is where in `written` to look from."""
        deadline = time.monotonic() + PATIENCE_S
        while self.written.find(text, since) < 0:
            assert time.monotonic() < deadline, self.written[-2000:]
            self.read(0.2)

    def quiet(self, seconds: float = 0.7) -> None:
        """Wait until it has written nothing for a while."""
        deadline = time.monotonic() + PATIENCE_S
        while self.read(seconds):
            assert time.monotonic() < deadline

    def quiet_enough(self) -> None:
        """Let it work off what came in a burst, while it goes on writing."""
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            self.read(0.1)

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


def assert_restored(terminal: Terminal) -> None:
    """Every mode is as in a fresh terminal, and what is typed is a line again and echoes."""
    assert_modes_off(terminal)
    flags = termios.tcgetattr(terminal.master)[3]
    for flag in (termios.ECHO, termios.ICANON, termios.ISIG, termios.IEXTEN):
        assert flags & flag


def assert_modes_off(terminal: Terminal) -> None:
    modes = dict(re.findall(rb"\x1b\[\?(\d+)([hl])", terminal.written))
    assert len(modes) > 5
    wrong = {m for m, state in modes.items() if (state == b"h") is not (m in SET_BY_DEFAULT)}
    assert wrong == set()
    assert terminal.written.count(b"\x1b[<u") >= len(re.findall(rb"\x1b\[>\d+u", terminal.written))


@contextmanager
def opened(*arguments: str, **options: Any) -> Iterator[Terminal]:
    terminal = Terminal(*arguments, **options)
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
        assert_restored(terminal)
        assert b"started 1 stopped 1" in terminal.written


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_terminal_and_stops_the_engines(number: signal.Signals) -> None:
    with opened() as terminal:
        terminal.until(SHOWN)
        terminal.process.send_signal(number)
        assert terminal.end() == 130
        assert_restored(terminal)
        after = terminal.written[terminal.written.rindex(RESTORED) :]
        assert f"stopped by {number.name}".encode() in after
        assert b"started 1 stopped 1" in after


@pytest.mark.parametrize("where", ["snapshot", "own-look", "paint", "thread"])
def test_a_bug_ends_with_its_place_and_without_any_value(where: str) -> None:
    with opened(f"broken={where}") as terminal:
        assert terminal.end() == 1
        kind = b"BareError" if where == "own-look" else b"RuntimeError"
        assert b"unexpected " + kind in terminal.written
        assert b"after KeyError" in terminal.written
        assert b"on_a_terminal.py" in terminal.written
        assert b"can be reported" in terminal.written
        assert b"hunter2" not in terminal.written
        assert b"Traceback" not in terminal.written
        assert b"stopped 1" in terminal.written
        assert_restored(terminal)


def test_a_bug_in_what_a_key_starts_ends_so_too() -> None:
    with opened("broken=flow") as terminal:
        terminal.until(SHOWN)
        terminal.press(b"q")
        assert terminal.end() == 1
        assert b"unexpected RuntimeError" in terminal.written
        assert b"hunter2" not in terminal.written
        assert b"stopped 1" in terminal.written
        assert_restored(terminal)


def test_a_bug_in_what_is_thrown_away_is_not_shown() -> None:
    with opened("broken=garbage") as terminal:
        terminal.until(SHOWN)
        terminal.quiet()
        terminal.press(b"q")
        assert terminal.end() == 0
        assert b"hunter2" not in terminal.written
        assert b"ignored" not in terminal.written


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


def test_a_stop_from_outside_is_no_end(tmp_path: Path) -> None:
    """SIGSTOP gives no time to give the terminal back; its modes at the start still come back."""
    with opened() as terminal:
        terminal.until(SHOWN)
        terminal.quiet()
        terminal.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        since = len(terminal.written)
        terminal.process.send_signal(signal.SIGCONT)
        terminal.until(b"prod-minio", since=since)
        terminal.press(b"2")
        terminal.until(b"raw.json", since=since)
        terminal.press(b"q")
        assert terminal.end() == 0
        assert_restored(terminal)


@pytest.mark.parametrize("size", [(100, 30), (90, 28)])
def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_paints_it_anew(
    size: tuple[int, int], tmp_path: Path
) -> None:
    (tmp_path / "inputrc").write_text("set enable-bracketed-paste off\n")
    shell, inputrc = ["bash", "--norc", "--noprofile", "-i"], str(tmp_path / "inputrc")
    with opened(command=shell, PS1="shell> ", INPUTRC=inputrc) as terminal:
        terminal.until(b"shell> ")
        terminal.press(" ".join(COMMAND).encode() + b"\r")
        terminal.until(SHOWN)
        terminal.quiet()
        since = len(terminal.written)
        terminal.press(b"\x1a")
        terminal.until(b"stands still", since=since)
        terminal.until(b"shell> ", since=since)
        assert_modes_off(terminal)
        terminal.resize(*size)
        since = len(terminal.written)
        terminal.press(b"fg\r")
        terminal.until(b"prod-minio", since=since)
        terminal.until(SHOWN, since=since)
        terminal.quiet()
        terminal.press(b"q")
        terminal.until(b"stopped 1", since=since)
        terminal.press(b"echo ended with $?\r")
        terminal.until(b"ended with 0", since=since)
        assert_modes_off(terminal)


@pytest.mark.parametrize("term", [UNSET, "no-such-terminal", "dumb"])
def test_any_terminal_type_will_do(term: str) -> None:
    with opened(TERM=term, COLORTERM=UNSET) as terminal:
        terminal.until(SHOWN)
        terminal.press(b"q")
        assert terminal.end() == 0


def test_a_terminal_of_one_cell_quits_with_q() -> None:
    with opened(size=(1, 1)) as terminal:
        terminal.until(b"\x1b[?1049h")
        terminal.quiet()
        terminal.press(b"q")
        assert terminal.end() == 0
        assert_restored(terminal)


def test_hostile_names_reach_no_terminal_raw() -> None:
    """In every view and its details, by the bytes: what the name would do is not done."""
    with opened("hostile") as terminal:
        terminal.until(b"egpj.exe"[1:])
        for view in b"123456789":
            for key in (bytes([view]), b"\r", b"\x1b"):
                terminal.press(key)
                terminal.quiet(0.15)
        for key in (b"?", b"\x1b", b"P", b"\x1b"):
            terminal.press(key)
            terminal.quiet(0.3)
        terminal.press(b"q")
        terminal.quiet()
        terminal.press(b"s")
        assert terminal.end() == 0
        text = terminal.written.decode()
        assert re.findall("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\x80-\x9f]", text) == []
        assert b"\\x1b[31m\\u202egpj.exe" in terminal.written
        assert b"\x1b[31m" not in terminal.written
        assert_restored(terminal)


def test_the_size_is_the_last_one_when_a_signal_comes_during_another() -> None:
    with opened("slow-size") as terminal:
        terminal.until(SHOWN)
        terminal.resize(60, 20)
        terminal.read(0.1)
        terminal.resize(90, 24)
        terminal.quiet(1.5)
        since = len(terminal.written)
        terminal.press(b"2")
        terminal.until(b"\x1b[24;", since=since)


def test_a_storm_of_resizes_while_files_move_breaks_nothing() -> None:
    dice = random.Random(1)
    with opened("pushing") as terminal:
        terminal.until(SHOWN)
        terminal.press(b"3")
        for _ in range(200):
            terminal.resize(dice.randint(1, 200), dice.randint(1, 60))
            terminal.read(0.01)
        terminal.resize(100, 30)
        terminal.quiet_enough()
        since = len(terminal.written)
        terminal.press(b"1")
        terminal.until(b"online", since=since)
        terminal.press(b"q")
        terminal.until(b"stop it cleanly", since=since)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 130
        assert_restored(terminal)
