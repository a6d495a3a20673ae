"""The start on a real terminal: the first line comes before what takes long to load."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

CONFIG = """
[datastores.team]
bucket = "team-data"
endpoint = "http://127.0.0.1:9"
region = "us-east-1"
cache = "cache"
credentials = {access_key_id = "env:HOME", secret_access_key = "env:HOME"}
"""
HEADER = "team  ◌ starting"
FRAME = "┌"
SLOW = {"textual", "rich", "typer", "boto3", "botocore", "obstore", "sqlite3", "watchdog"}
BEHIND = {"boto3", "botocore", "obstore", "sqlite3", "watchdog", "typer"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "s3dash.toml").write_text(CONFIG)
    (tmp_path / "cache").mkdir()
    return tmp_path


@pytest.fixture
def opened(place: Path) -> Iterator[list[Terminal]]:
    terminals: list[Terminal] = []
    yield terminals
    for terminal in terminals:
        terminal.close()


def loaded(text: str) -> set[str]:
    """The top-level modules that Python told to have loaded."""
    found = re.findall(r"import time: +\d+ \| +\d+ \| +([\w.]+)", text)
    return {name.partition(".")[0] for name in found}


def test_the_header_comes_first_then_the_frame_and_the_engine_last(
    place: Path, opened: list[Terminal]
) -> None:
    terminal = Terminal(cwd=place, environ={"PYTHONPROFILEIMPORTTIME": "1"})
    opened.append(terminal)
    terminal.wait_until(lambda _: FRAME in terminal.written)
    before, _, after = terminal.written.partition(HEADER)
    screen = after.partition(FRAME)[0]
    assert "s3dash" in loaded(before)
    assert loaded(before) & SLOW == set()
    assert "textual" in loaded(screen)
    assert loaded(screen) & BEHIND == set()
    terminal.wait_until(lambda _: "sqlite3" in loaded(terminal.written))
    terminal.press("q")
    assert terminal.end() == 0


def test_what_is_wrong_with_the_configuration_is_told_before_any_screen(
    place: Path, opened: list[Terminal]
) -> None:
    (place / "s3dash.toml").write_text(CONFIG.replace("bucket", "bukket"))
    terminal = Terminal(cwd=place, environ={})
    opened.append(terminal)
    assert terminal.end() == 2
    assert "bukket" in terminal.written
    assert "\x1b[?1049h" not in terminal.written


def test_a_datastore_that_cannot_be_opened_says_why_on_the_screen(
    place: Path, opened: list[Terminal]
) -> None:
    (place / "state").write_text("a file where a directory should be")
    terminal = Terminal(cwd=place, environ={"XDG_STATE_HOME": str(place / "state")})
    opened.append(terminal)
    terminal.wait_for("failed", "state")
    terminal.press("q")
    assert terminal.end() == 0
