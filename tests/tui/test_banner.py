"""The banner's lines: broken at blanks, never wider than their room, nothing lost while it fits."""

import pytest

from s3dash.tui.cells import Cell, plain, width, wrapped
from s3dash.tui.widgets import banner
from tests.tui.fake_engine import HOSTILE, idle
from tests.tui.test_chrome import look

TEXT: Cell = ((" POLLING ", "badge"), (" no events (limit reached), looking every 10 s", "warn"))


@pytest.mark.parametrize("room", range(1, 70))
def test_no_line_is_wider_than_its_room(room: int) -> None:
    for line in wrapped(TEXT, room, 3):
        assert width(line) <= room


@pytest.mark.parametrize("room", [30, 40, 60, 80])
def test_with_lines_enough_no_word_is_lost(room: int) -> None:
    lines = wrapped(TEXT, room, 9)
    assert " ".join(" ".join(map(plain, lines)).split()) == " ".join(plain(TEXT).split())


def test_the_badge_keeps_its_ground_and_other_lines_begin_with_a_word() -> None:
    first, *others = wrapped(TEXT, 24, 9)
    assert first[0] == (" POLLING ", "badge")
    assert others
    assert all(not plain(line).startswith(" ") for line in others)


def test_at_most_so_many_lines_and_the_last_one_says_that_it_is_cut() -> None:
    lines = wrapped(TEXT, 20, 2)
    assert len(lines) == 2
    assert plain(lines[1]).endswith("…")


def test_all_is_well_says_nothing() -> None:
    assert banner.lines(look(idle()), "overview", 80) == []


def test_foreign_text_stays_harmless() -> None:
    shown = "".join(map(plain, banner.lines(look(idle(healthy=False, message=HOSTILE)), "", 40)))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
