"""What is on the terminal before the screen is: the same words, and gone when there is none."""

import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest
from msgspec.structs import replace

from s3dash.tui import first_frame
from s3dash.tui.cells import plain
from s3dash.tui.look import Look, Site
from s3dash.tui.widgets.chrome import header
from tests.tui.fake_engine import NOW, idle, settings


def real_header(name: str, namespace: str | None, room: int) -> str:
    """What the screen itself shows of a datastore that is being opened."""
    snapshot = replace(
        idle(name, namespace), state="starting", checked_at="", latency_ms=None, locks=()
    )
    site = Site(settings=settings(name, namespace), snapshot=snapshot)
    return plain(header(Look(sites=(site,), current=0, now=NOW, mono=0.0), room))


@pytest.mark.parametrize("room", [120, 80])
@pytest.mark.parametrize("namespace", ["infra", None])
def test_it_begins_as_the_header_does(namespace: str | None, room: int) -> None:
    line = first_frame.first_line("prod-minio", namespace, room)
    assert line.startswith(" s3dash  prod-minio  ◌ starting")
    assert real_header("prod-minio", namespace, room).startswith(line)


def test_in_a_narrow_terminal_the_datastore_goes_last() -> None:
    assert first_frame.first_line("prod-minio", "infra", 30) == " prod-minio  ◌ starting"
    assert len(first_frame.first_line("prod-minio" * 9, "infra", 30)) == 30


def test_no_name_gives_the_terminal_an_order() -> None:
    assert "\x1b" not in first_frame.first_line("a\x1b[2J", "b\x9b", 80)


@contextmanager
def terminal() -> Iterator[tuple[int, TextIO]]:
    main, side = pty.openpty()
    with os.fdopen(side, "w") as stream:
        yield main, stream
    os.close(main)


def test_it_is_painted_and_left_for_the_screen_to_paint_over() -> None:
    with terminal() as (main, stream):
        with first_frame.painted("prod-minio", None, stream=stream):
            shown = os.read(main, 4096).decode()
        stream.write("next")
        stream.flush()
        assert os.read(main, 4096) == b"next"
    assert shown.startswith(first_frame.ENTER)
    assert "prod-minio" in shown


def test_it_is_taken_back_when_the_screen_cannot_be_loaded() -> None:
    def fail() -> None:
        with first_frame.painted("prod-minio", None, stream=stream):
            raise ImportError("no screen")

    with terminal() as (main, stream):
        with pytest.raises(ImportError):
            fail()
        written = ""
        while not written.endswith(first_frame.LEAVE):
            written += os.read(main, 4096).decode()


def test_nothing_is_written_where_there_is_no_terminal() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream, first_frame.painted("x", None, stream=stream):
        pass
    assert os.read(read, 4096) == b""
    os.close(read)


def test_the_header_says_once_that_it_is_starting() -> None:
    assert real_header("prod-minio", "infra", 120).count("starting") == 1
