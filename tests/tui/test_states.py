"""What the screen says when things are not as they should be, and where foreign text shows."""

from dataclasses import replace

import pytest
from textual.color import Color

from s3dash.core.progress import Rate
from s3dash.core.report import Blocked
from s3dash.core.snapshot import HistoryRow, WatchState
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import (
    HOSTILE,
    FakeEngine,
    busy,
    conflict,
    dirty,
    idle,
    lock,
    moving,
    refusing,
    transfer,
)

BLACK = Color(0, 0, 0)
OBEYED = ("\x1b", "\u202e", "\u200b", "\udc80")


def hostile() -> FakeEngine:
    bad = replace(transfer(1, "failed", 5), path=HOSTILE, error=HOSTILE)
    made = FakeEngine(
        idle(
            dirty=(replace(dirty(HOSTILE), why=HOSTILE),),
            conflicts=(conflict(HOSTILE),),
            blocked=(Blocked(HOSTILE, HOSTILE),),
            locks=(lock(HOSTILE, hostname=HOSTILE),),
            progress=moving([bad], Rate()),
            message=HOSTILE,
            detail=HOSTILE,
        )
    )
    made.rows = [HistoryRow(HOSTILE, HOSTILE, "error", HOSTILE)]
    return made


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_no_view_passes_foreign_text_on_to_the_terminal(size: tuple[int, int]) -> None:
    engine = hostile()

    async def script(stage: Stage) -> None:
        engine.note(HOSTILE, operation=HOSTILE)
        await stage.settle()
        for key in "123469":
            await stage.press(key)
            shown = stage.text()
            assert not [char for char in OBEYED if char in shown], key
            await stage.press("enter")
            shown = stage.text()
            assert not [char for char in OBEYED if char in shown], key
            await stage.press("escape")

    play(script, engine, size=size)


def test_a_foreign_reason_breaks_neither_help_nor_palette() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("question_mark")
        assert "a[/x]\\x1b" in stage.line("#help-text")
        await stage.press("escape", "colon")
        await stage.press(*"push")
        await stage.until(lambda: "a[/x]\\x1b" in stage.text())

    play(script, FakeEngine(idle(read_only=HOSTILE)))


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_offline_is_a_banner_and_comes_and_goes(size: tuple[int, int]) -> None:
    engine = FakeEngine()

    async def script(stage: Stage) -> None:
        assert not stage.main.query_one("#banner").display
        engine.snap = replace(engine.snap, healthy=False, message="connection refused")
        await stage.settle()
        assert "○ OFFLINE  connection refused" in stage.text()
        engine.snap = replace(engine.snap, healthy=True, message="")
        await stage.settle()
        assert "OFFLINE" not in stage.text()

    play(script, engine, size=size)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"read_only": "pid 12 on vm"}, "READ-ONLY  this cache belongs to pid 12 on vm"),
        ({"watch": WatchState("polling", "raise max_user_watches")}, "POLLING  raise max_user"),
    ],
)
def test_banners(fields: dict[str, object], text: str) -> None:
    async def script(stage: Stage) -> None:
        assert text in stage.text()

    play(script, FakeEngine(replace(idle(), **fields)))  # type: ignore[arg-type] # a mixed table


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_an_empty_view_says_what_it_means(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        for key, text in (
            ("2", "Nothing dirty."),
            ("3", "Nothing moves."),
            ("4", "No locks."),
            ("6", "No conflicts."),
            ("9", "Nothing happened yet."),
        ):
            await stage.press(key)
            assert text in stage.text()

    play(script, size=size)


def test_an_engine_that_does_not_start_is_told() -> None:
    engine = FakeEngine()
    engine.error["start"] = refusing("the cache is not a directory")

    async def script(stage: Stage) -> None:
        await stage.until(lambda: "prod-minio: the cache is not a directory" in stage.event)

    play(script, engine)


def test_notes_of_other_datastores_carry_their_name() -> None:
    other = FakeEngine(idle("staging", None))

    async def script(stage: Stage) -> None:
        other.note("1 pulled", operation="pull")
        await stage.settle()
        assert "staging: pull: 1 pulled" in stage.event

    play(script, FakeEngine(), other)


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_without_colours_nothing_but_attributes_is_sent(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        for key in ("1", "2", "4", "question_mark"):
            await stage.press(key)
            for strip in stage.app.screen._compositor.render_strips(stage.app.size):
                filtered = strip.apply_filter(stage.app.get_line_filters()[0], BLACK)
                styles = [segment.style for segment in filtered if segment.style]
                assert all(style.color is None and style.bgcolor is None for style in styles)

    play(script, FakeEngine(busy()), size=size, no_color=True)


def test_without_colours_the_cursor_is_reversed() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        strip = stage.main.pane.list.render_line(0)
        assert any(segment.style and segment.style.reverse for segment in strip)
        other = stage.main.pane.list.render_line(1)
        assert not any(segment.style and segment.style.reverse for segment in other)

    play(script, FakeEngine(busy()), no_color=True)
