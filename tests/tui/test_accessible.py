"""For screen readers, and for terminals that have no glyphs or few colours."""

from typing import Any

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.color import Color
from textual.geometry import Offset

from s3dash.core.screen import ScreenSettings
from s3dash.tui import accessible, wishes
from s3dash.tui.accessible import Announcer, reading_point
from s3dash.tui.screens.plan import PlanScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, busy, dirty, idle

LISTENING = ScreenSettings(accessible=True)
SIZES = [WIDE, NARROW, (60, 20), TINY]


def rows(count: int) -> FakeEngine:
    return FakeEngine(idle(dirty=tuple(dirty(f"p/{n:04d}") for n in range(count))))


def cursor_line(stage: Stage) -> str:
    """The line of the terminal that a screen reader reads."""
    point = reading_point(stage.app.screen)
    assert point is not None
    return stage.text().splitlines()[point.y]


# --- what is written ------------------------------------------------------------------------


@pytest.mark.parametrize("table", [accessible.SPOKEN, accessible.LETTERS_ONLY])
def test_a_character_is_put_for_one_of_the_same_width(table: accessible.Translated) -> None:
    for sign in accessible.FRAMES + accessible.SIGNS + "↑↓…":
        (put,) = table.apply([Segment(sign)], Color(0, 0, 0))
        assert cell_len(sign) == cell_len(put.text) == 1
        assert put.text.isascii() or sign in "↑↓"


@pytest.mark.parametrize("size", SIZES)
def test_no_frames_no_graphs_and_no_signs_reach_the_terminal(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        for view in "123456789":
            await stage.press(view)
            text = stage.text()
            assert set(text) & set(accessible.FRAMES + accessible.SIGNS) - set(" ") == set()
        await stage.press("P")
        await stage.opened(PlanScreen)
        assert set(stage.text()) & set(accessible.FRAMES + accessible.SIGNS) - set(" ") == set()

    play(script, FakeEngine(busy()), size=size, wanted=LISTENING)


@pytest.mark.parametrize("how", [{"wanted": LISTENING}, {"plain": True}])
def test_help_names_the_keys(how: dict[str, Any]) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "question_mark")
        text = " ".join(stage.text().split())
        for words in ("enter details", "j, down down", "ctrl+d half", "space mark", "?, f1 help"):
            assert words in text or words.replace("j, down", "down, j") in text, words

    play(script, FakeEngine(busy()), size=(120, 60), **how)


def test_states_and_rates_are_words() -> None:
    async def script(stage: Stage) -> None:
        text = stage.text()
        assert "online" in text
        assert "up 0" in text
        assert "down 0" in text

    play(script, FakeEngine(busy()), wanted=LISTENING)


def test_a_terminal_without_glyphs_gets_letters_and_a_reverse_cursor() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        text = stage.text()
        assert text.isascii()
        assert "+ added" in text
        strip = stage.main.pane.list.render_line(0)
        assert all(segment.style.reverse for segment in strip if segment.style)

    play(script, FakeEngine(busy()), plain=True)


@pytest.mark.parametrize(
    ("environ", "plain"),
    [
        ({"TERM": "linux"}, True),
        ({"TERM": "dumb"}, True),
        ({}, True),
        ({"TERM": "xterm-16color"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "tmux-256color"}, False),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, False),
    ],
)
def test_which_terminals_are_plain(environ: dict[str, str], plain: bool) -> None:
    assert wishes.is_plain(environ) is plain


@pytest.mark.parametrize(
    ("environ", "colorless"),
    [
        ({"NO_COLOR": "1"}, True),
        ({"NO_COLOR": "", "TERM": "xterm"}, False),
        ({"TERM": "dumb"}, True),
        ({"TERM": "linux"}, False),
        ({}, False),
    ],
)
def test_which_terminals_get_no_colours(environ: dict[str, str], colorless: bool) -> None:
    assert wishes.is_colorless(environ) is colorless


# --- where the cursor is --------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_the_real_cursor_stands_on_the_row(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        for keys, row in (((), 0), (("j",), 1), (("G",), 99), (("pageup",), None), (("g",), 0)):
            await stage.press(*keys)
            at = stage.main.pane.model.cursor
            assert row in (None, at)
            assert f"p/{at:04d}" in cursor_line(stage)

    play(script, rows(100), size=size, wanted=LISTENING)


def test_the_real_cursor_goes_into_dialogs() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("P")
        screen = await stage.opened(PlanScreen)
        assert reading_point(screen) == screen.focused.content_region.offset
        await stage.press("escape", "slash")
        assert reading_point(stage.app.screen) is None  # a text field has its own

    play(script, FakeEngine(busy()), wanted=LISTENING)


def test_the_screen_is_not_animated() -> None:
    async def script(stage: Stage) -> None:
        assert stage.app.animation_level == "none"

    play(script, wanted=LISTENING)


# --- what is announced ----------------------------------------------------------------------


def test_a_view_and_a_change_of_state_are_announced() -> None:
    engine = rows(3)

    async def script(stage: Stage) -> None:
        await stage.press("2")
        assert stage.event.endswith("Dirty: 3 rows")
        engine.snap = idle(state="pushing")
        await stage.settle()
        assert stage.event.endswith("prod-minio: pushing")
        engine.snap = idle(healthy=False)
        await stage.settle()
        assert stage.event.endswith("prod-minio: offline")

    play(script, engine, wanted=LISTENING)


def test_who_looks_is_told_nothing_of_it() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        assert "rows" not in stage.event

    play(script, rows(3))


def test_nothing_is_announced_twice() -> None:
    async def script(stage: Stage) -> None:
        look, announcer = stage.app.look, Announcer()
        assert announcer.news(look, "Dirty", 1) == ""
        assert announcer.news(look, "Log", 1) == "Log: 1 row"
        assert announcer.news(look, "Log", 2) == ""

    play(script)


# --- the mouse ------------------------------------------------------------------------------


def test_the_wheel_scrolls_and_a_double_click_opens() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        rows = stage.main.pane.list
        await stage.pilot.click("#dirty-list", offset=Offset(5, 3), times=2)
        await stage.until(lambda: not stage.at_home)
        assert "p/0003" in stage.line("#detail-text")
        await stage.press("escape")
        at = rows.content_region.offset
        rows.post_message(
            events.MouseScrollDown(rows, 5, 3, 0, 1, 0, False, False, False, at.x + 5, at.y + 3)
        )
        await stage.until(lambda: rows.scroll_offset.y > 0)

    play(script, rows(100))
