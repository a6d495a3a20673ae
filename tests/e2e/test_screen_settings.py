"""The screen's settings in a real terminal: mouse, cursor, poor terminals, a file that changes."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

STORE = """
[datastores.{name}]
bucket = "bucket"
endpoint = "http://127.0.0.1:9"
region = "us-east-1"
cache = "{name}"
credentials = {{access_key_id = "env:HOME", secret_access_key = "env:HOME"}}
"""
MOUSE_ON, CURSOR_ON = "\x1b[?1000h", "\x1b[?25h"
Open = Callable[..., Terminal]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    def write(*names: str, more: str = "") -> None:
        text = "".join(STORE.format(name=name) for name in names)
        (tmp_path / "s3dash.toml").write_text(text + more)
        for name in names:
            (tmp_path / name).mkdir(exist_ok=True)

    return write


@pytest.fixture
def start(tmp_path: Path, write: Callable[..., None]) -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(*arguments: str, **environ: str) -> Terminal:
        if not (tmp_path / "s3dash.toml").exists():
            write("harbour")
        home = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        opened.append(Terminal(*arguments, cwd=tmp_path, environ={**home, **environ}))
        opened[-1].wait_for("harbour", "OFFLINE")
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def quit_by_q(terminal: Terminal) -> None:
    terminal.press("q")
    assert terminal.end() == 0


def test_the_mouse_is_taken_unless_the_user_wants_it_for_the_terminal(
    start: Open, write: Callable[..., None]
) -> None:
    usual, none = start(), start("--no-mouse")
    assert MOUSE_ON in usual.written
    assert MOUSE_ON not in none.written
    write("harbour", more="[screen]\nmouse = false\n")
    assert MOUSE_ON not in start().written
    usual.press("\x12")
    usual.wait_for("read again")
    assert usual.written.rindex("\x1b[?1000l") > usual.written.rindex(MOUSE_ON)
    quit_by_q(usual)


def test_an_accessible_screen_shows_the_cursor_on_the_row(start: Open) -> None:
    terminal = start("--accessible")
    assert CURSOR_ON in terminal.written
    terminal.wait_until(lambda shown: "harbour" in shown.splitlines()[terminal.cursor[1]])
    terminal.press("9")
    terminal.wait_for("Log:")
    assert not set("─│┌┐└┘├┤┬┴●○▌▁█") & set(terminal.shown)
    quit_by_q(terminal)
    assert CURSOR_ON not in start().written


@pytest.mark.parametrize("term", ["linux", "dumb", "xterm-16color"])
def test_a_poor_terminal_gets_letters(start: Open, term: str) -> None:
    terminal = start(TERM=term, COLORTERM="")
    terminal.press("2")
    terminal.wait_for("Nothing dirty")
    assert terminal.shown.isascii()
    colors = re.findall(r"\x1b\[[0-9;]*[34]8;[25];", terminal.written)
    assert colors == []
    quit_by_q(terminal)


def test_a_file_that_changes_is_taken_up_by_ctrl_r(start: Open, write: Callable[..., None]) -> None:
    terminal = start()
    write("harbour", "quay", more='[screen]\ntheme = "s3dash-day"\n[screen.keys]\npush = "f5"\n')
    terminal.press("\x12")
    terminal.wait_for("read again", "quay", "f5 push")
    write("quay", more='[screen]\nmouse = 3\n[screen.keys]\npush = "p"\n')
    terminal.press("\x12")
    terminal.wait_for("s3dash.toml: [screen]: mouse: must be a valid boolean", "esc closes")
    terminal.press("\x1b")
    terminal.wait_until(lambda shown: "esc closes" not in shown)
    assert "harbour" in terminal.shown
    assert "f5 push" in terminal.shown
    write("quay")
    terminal.press("\x12")
    terminal.wait_until(lambda shown: "gone: harbour" in shown and "P push" in shown)
    quit_by_q(terminal)


def test_readonly_is_told_and_refuses(start: Open) -> None:
    terminal = start("--readonly")
    terminal.wait_for(" RO ")
    terminal.press("P")
    terminal.wait_for("push: read-only: opened to look only (readonly)")
    quit_by_q(terminal)
