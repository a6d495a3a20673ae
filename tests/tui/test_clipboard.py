"""The clipboard as a terminal gets it: the very bytes, and through a real tmux."""

import base64
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.test_terminal import COMMAND, SHOWN, opened

PATH = "data/@acme/server/0f/raw.json"
"""The first dirty path of the fake engine."""
CODED = base64.b64encode(PATH.encode())
PLAIN = b"\x1b]52;c;" + CODED + b"\x07"
ALONE = {"TMUX": "", "STY": "", "TERM_PROGRAM": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}


def test_y_writes_osc_52() -> None:
    with opened(**ALONE) as terminal:
        terminal.until(SHOWN)
        terminal.press(b"2y")
        terminal.until(PLAIN)
        terminal.until(b"by OSC 52")
        terminal.press(b"Y")
        uri = base64.b64encode(f"s3://team-data/swamp/infra/{PATH}".encode())
        terminal.until(b"\x1b]52;c;" + uri + b"\x07")
        terminal.press(b"q")
        assert terminal.end() == 0


def test_below_screen_it_comes_wrapped() -> None:
    with opened(**{**ALONE, "TERM": "screen", "STY": "1.pts-0.vm"}) as terminal:
        terminal.until(SHOWN)
        terminal.press(b"2y")
        terminal.until(b"\x1bP" + PLAIN + b"\x1b\\")
        assert terminal.written.count(PLAIN) == 1


def test_a_console_gets_none_and_shows_the_text() -> None:
    with opened(**{**ALONE, "TERM": "linux"}) as terminal:
        terminal.until(SHOWN)
        terminal.press(b"2y")
        terminal.until(b"shift+drag")
        assert b"\x1b]52" not in terminal.written
        terminal.press(b"\x1b")
        terminal.quiet()
        terminal.press(b"q")
        assert terminal.end() == 0


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "tmux"
    yield path
    subprocess.run(["tmux", "-S", str(path), "kill-server"], check=False, capture_output=True)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")
@pytest.mark.parametrize(
    "options",
    [
        "",
        "set -g set-clipboard on",
        "set -g set-clipboard off\nset -g allow-passthrough on",
    ],
    ids=["defaults", "clipboard", "passthrough"],
)
def test_through_tmux_it_reaches_the_terminal(tmp_path: Path, socket: Path, options: str) -> None:
    config = tmp_path / "tmux.conf"
    config.write_text(options + "\n")
    tmux = ["tmux", "-S", str(socket), "-f", str(config), "new-session", *COMMAND]
    with opened(command=tmux, **ALONE) as terminal:
        terminal.until(SHOWN)
        terminal.press(b"2y")
        terminal.until(CODED)
        terminal.until(b"by OSC 52 and tmux")
        assert any(
            start + CODED + end in terminal.written
            for start in (b"\x1b]52;c;", b"\x1b]52;;")
            for end in (b"\x07", b"\x1b\\")
        )
        buffer = subprocess.run(
            ["tmux", "-S", str(socket), "show-buffer"], check=True, capture_output=True
        )
        assert buffer.stdout.decode() == PATH
        terminal.press(b"q")
        assert terminal.end() == 0
