"""The trash: listed, filtered, put back where it was or elsewhere, dropped only after a yes."""

from typing import Any

import pytest

from s3dash.errors import DiskFull, UsageError
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.trash import TrashScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, idle, refusing
from tests.tui.fake_versions import item

LOST = "lost to the bucket's version"


def filled(**fields: Any) -> FakeEngine:
    engine = FakeEngine(idle(**fields))
    engine.bin.items = [
        item("1", "files/a"),
        item("2", "files/b", reason=LOST, expires=False),
        item("3", "logs/c", reason="deleted in the bucket"),
    ]
    return engine


async def opened(stage: Stage, engine: FakeEngine) -> None:
    await stage.press("Z")
    await stage.until(lambda: isinstance(stage.app.screen, TrashScreen))
    await stage.until(lambda: engine.asked("trash") and "Reading" not in stage.text())
    await stage.rest()


def rows(stage: Stage) -> list[str]:
    return stage.rows("#trash-list")


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_the_trash_is_listed_newest_first(size: tuple[int, int]) -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        shown = rows(stage)
        assert [next(p for p in ("files/a", "files/b", "logs/c") if p in r) for r in shown] == [
            "logs/c",
            "files/b",
            "files/a",
        ]
        assert "2.00 KiB" in shown[0]
        assert "deleted in the bucket" in stage.line("#trash-note")
        await stage.press("j")
        assert "stays until you drop it" in stage.line("#trash-note")
        await stage.press("escape")
        assert stage.at_home

    play(script, engine, size=size)


@pytest.mark.parametrize("view", ["1", "2", "6"])
def test_it_opens_from_every_view(view: str) -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await stage.press(view)
        await opened(stage, engine)

    play(script, engine)


def test_an_empty_trash_says_so_and_has_nothing_to_do() -> None:
    engine = FakeEngine()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        assert "The trash is empty." in "\n".join(stage.text().splitlines())
        for key in ("u", "x", "o"):
            await stage.press(key)
        assert not engine.asked("restore_trash")
        assert not engine.asked("drop_trash")
        assert isinstance(stage.app.screen, TrashScreen)

    play(script, engine)


def test_a_file_is_put_back_where_it_was() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("j", "u")
        await stage.until(lambda: "files/b is back" in stage.line("#trash-note"))
        assert engine.asked("restore_trash") == [("2", None)]
        await stage.until(lambda: len(rows(stage)) == 2)
        assert "files/b is back" in stage.event

    play(script, engine)


def test_where_another_file_is_another_name_is_asked_for() -> None:
    engine = filled()
    engine.bin.taken["logs/c"] = UsageError(
        "logs/c exists and is another file; it is not overwritten", hint="beside: --to PATH"
    )

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("u")
        await stage.until(lambda: "not overwritten" in stage.line("#trash-note"))
        assert "--to" not in stage.line("#trash-note")
        assert stage.app.focused is stage.app.screen.query_one("#trash-input")
        await stage.press("2", "enter")
        await stage.until(lambda: "logs/c2 is back; it was logs/c" in stage.line("#trash-note"))
        assert engine.asked("restore_trash") == [("3", None), ("3", "logs/c2")]

    play(script, engine)


def test_another_name_can_be_given_at_once_and_be_left() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("o")
        assert "another name" in stage.line("#trash-note")
        await stage.press("escape")
        assert isinstance(stage.app.screen, TrashScreen)
        assert "another name" not in stage.line("#trash-note")
        await stage.press("o", "x", "q", "enter")
        await stage.until(lambda: engine.asked("restore_trash"))
        assert engine.asked("restore_trash") == [("3", "logs/cxq")]

    play(script, engine)


def test_a_file_whose_place_is_not_known_asks_for_a_name() -> None:
    engine = filled()
    engine.bin.items = [item("9", "", reason="its record was lost", expires=False)]
    engine.bin.taken[""] = UsageError("9: where it was is not known", hint="--to PATH")

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        assert "(not known)" in rows(stage)[0]
        await stage.press("u")
        await stage.until(lambda: "not known" in stage.line("#trash-note"))
        await stage.press("enter")  # an empty name is none
        await stage.press("n", "e", "w", "enter")
        await stage.until(lambda: "new is back" in stage.line("#trash-note"))

    play(script, engine)


def test_dropping_wants_a_yes_and_says_that_it_is_the_last_copy() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("j", "x")
        await stage.opened(DecideScreen)
        said = stage.line("#decide-text")
        assert "files/b" in said
        assert "last copy" in said
        assert not engine.asked("drop_trash")
        await stage.press("y")
        await stage.until(lambda: engine.asked("drop_trash"))
        await stage.until(lambda: "gone for good" in stage.line("#trash-note"))
        assert engine.asked("drop_trash") == [("2",)]
        await stage.until(lambda: len(rows(stage)) == 2)

    play(script, engine)


@pytest.mark.parametrize("keys", [("enter",) * 6, ("escape",), ("q",), ("x", "enter")])
def test_nothing_but_y_drops(keys: tuple[str, ...]) -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("x")
        await stage.opened(DecideScreen)
        for key in keys:
            stage.clock.advance(1.0)
            await stage.press(key)
        await stage.until(lambda: isinstance(stage.app.screen, TrashScreen))
        await stage.until(lambda: "nothing was dropped" in stage.line("#trash-note"))
        assert not engine.asked("drop_trash")

    play(script, engine)


def test_a_y_that_was_held_down_comes_too_early() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("x")
        await stage.until(lambda: isinstance(stage.app.screen, DecideScreen))
        await stage.press(*"yyyy")
        assert not engine.asked("drop_trash")

    play(script, engine)


@pytest.mark.parametrize("key", ["u", "x"])
def test_a_cache_of_another_is_only_looked_at(key: str) -> None:
    engine = filled(read_only="ann, pid 7")

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press(key)
        await stage.until(lambda: "read-only" in stage.line("#trash-note"))
        assert not engine.asked("restore_trash")
        assert not engine.asked("drop_trash")
        assert isinstance(stage.app.screen, TrashScreen)

    play(script, engine)


def test_what_goes_wrong_is_told_with_its_reason() -> None:
    engine = filled()
    engine.error["restore_trash"] = DiskFull("the disk is full", hint="free some space")

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("u")
        await stage.until(lambda: "✖ the disk is full  free some" in stage.line("#trash-note"))
        assert len(rows(stage)) == 3

    play(script, engine)


def test_a_trash_that_cannot_be_read_is_told() -> None:
    engine = filled()
    engine.error["trash"] = refusing("permission denied")

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.until(lambda: "permission denied" in stage.line("#trash-note"))
        assert "It could not be read." in stage.text()

    play(script, engine)


def test_a_filter_shows_some_and_escape_goes_one_level() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("slash", *"files", "enter")
        assert len(rows(stage)) == 2
        assert "2 files of 3" in stage.line("#trash-note")
        await stage.press("u")
        await stage.until(lambda: "files/b is back" in stage.line("#trash-note"))
        await stage.press("escape")
        assert isinstance(stage.app.screen, TrashScreen)
        assert len(rows(stage)) == 2
        await stage.press("escape")
        assert stage.at_home

    play(script, engine)


def test_hostile_names_break_nothing() -> None:
    engine = filled()
    engine.bin.items = [item("1", HOSTILE, reason=HOSTILE, sha256=HOSTILE, at=HOSTILE)]

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("x")
        await stage.opened(DecideScreen)
        assert "[/x]" in stage.line("#decide-text")
        assert not {"\x1b", "\u202e", "\u200b"} & set(stage.text())
        await stage.press("escape")
        assert not {"\x1b", "\u202e", "\u200b"} & set(stage.text())

    play(script, engine)


def test_x_means_the_row_under_the_cursor_though_another_one_is_being_named() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("o")
        stage.app.screen.query_one("#trash-list").focus()
        await stage.press("j", "x")
        await stage.opened(DecideScreen)
        assert "files/b" in stage.line("#decide-text")

    play(script, engine)
