"""The control records: listed, read, written from a file, deleted only after a yes."""

from pathlib import Path
from typing import Any

import pytest

from s3dash.errors import Unreachable
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.screens.records import RecordsScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, idle


def filled(**fields: Any) -> FakeEngine:
    engine = FakeEngine(idle(**fields))
    engine.control.bodies = {"jobs/one": b'{"n": 1}\nmore', "raw": b"\xff\x00", "s3dash/own": b"x"}
    return engine


async def opened(stage: Stage) -> None:
    await stage.press("L")
    await stage.until(lambda: isinstance(stage.app.screen, RecordsScreen))
    await stage.until(lambda: "Asking the bucket" not in stage.text())
    await stage.rest()


def rows(stage: Stage) -> list[str]:
    return stage.rows("#records-list")


def said(stage: Stage) -> str:
    """What the dialog with a record in full says; empty while there is none."""
    shown = isinstance(stage.app.screen, DetailScreen)
    return stage.line("#detail-text") if shown and stage.app.screen.query("#detail-text") else ""


def note(stage: Stage) -> str:
    return stage.line("#records-note")


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_records_are_listed_and_read(size: tuple[int, int]) -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.until(lambda: len(rows(stage)) == 2)
        assert ["jobs/one" in rows(stage)[0], "raw" in rows(stage)[1]] == [True, True]
        assert "2 records" in note(stage)
        await stage.press("enter")
        await stage.until(lambda: '{"n": 1}' in said(stage))
        await stage.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, RecordsScreen))
        await stage.press("j", "enter")
        await stage.until(lambda: "ff 00" in said(stage))
        await stage.press("escape", "escape")
        await stage.until(lambda: stage.at_home)

    play(script, engine, size=size)


def test_what_is_s3dashs_own_is_shown_when_asked() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("a")
        await stage.until(lambda: len(rows(stage)) == 3)
        await stage.until(lambda: "with s3dash's own" in note(stage))
        await stage.press("a")
        await stage.until(lambda: len(rows(stage)) == 2)

    play(script, engine)


def test_a_new_record_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"mine")
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("n")
        assert "The key of the new record" in note(stage)
        await stage.press("k", "enter")
        assert "The file with the bytes of k" in note(stage)
        stage.app.screen.query_one("#records-input").value = str(tmp_path / "f")  # type: ignore[attr-defined]
        await stage.press("enter")
        await stage.until(lambda: "k created, 4 B" in note(stage))
        await stage.until(lambda: len(rows(stage)) == 3)
        assert engine.control.bodies["k"] == b"mine"
        assert "k created" in stage.event

    play(script, engine)


def test_a_new_record_replaces_none(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"mine")
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("n", "r", "a", "w", "enter")
        stage.app.screen.query_one("#records-input").value = str(tmp_path / "f")  # type: ignore[attr-defined]
        await stage.press("enter")
        await stage.until(lambda: "is there already" in note(stage))
        assert engine.control.bodies["raw"] == b"\xff\x00"

    play(script, engine)


def test_a_record_is_replaced_as_it_was_seen(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"mine")
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("u")
        stage.app.screen.query_one("#records-input").value = str(tmp_path / "f")  # type: ignore[attr-defined]
        engine.control.bodies["jobs/one"] = b"somebody's"
        await stage.press("enter")
        await stage.until(lambda: "✖" in note(stage))
        assert engine.control.bodies["jobs/one"] == b"somebody's"
        await stage.until(lambda: "10 B" in rows(stage)[0])
        await stage.press("u")
        stage.app.screen.query_one("#records-input").value = str(tmp_path / "f")  # type: ignore[attr-defined]
        await stage.press("enter")
        await stage.until(lambda: "jobs/one replaced" in note(stage))
        assert engine.control.bodies["jobs/one"] == b"mine"

    play(script, engine)


def test_a_question_can_be_left_and_a_missing_file_is_told() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("n", "escape")
        assert "The key" not in note(stage)
        assert isinstance(stage.app.screen, RecordsScreen)
        await stage.press("u", "n", "o", "n", "e", "enter")
        await stage.until(lambda: "none cannot be read" in note(stage))

    play(script, engine)


def test_deleting_wants_a_yes() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        for keys in (("enter",) * 6, ("escape",)):
            await stage.press("x")
            await stage.opened(DecideScreen)
            assert "jobs/one" in stage.line("#decide-text")
            await stage.press(*keys[:1])
            await stage.until(lambda: isinstance(stage.app.screen, RecordsScreen))
            assert "jobs/one" in engine.control.bodies
        await stage.press("x")
        await stage.opened(DecideScreen)
        await stage.press("y")
        await stage.until(lambda: "jobs/one is deleted" in note(stage))
        assert "jobs/one" not in engine.control.bodies
        assert len(rows(stage)) == 1

    play(script, engine)


def test_nothing_is_written_where_one_may_only_look() -> None:
    engine = filled(read_only="readonly")

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("x")
        await stage.until(lambda: "not now: read-only" in note(stage))
        assert "jobs/one" in engine.control.bodies

    play(script, engine)


def test_an_endpoint_that_is_away_is_told() -> None:
    engine = filled()
    engine.control.error = Unreachable("connection refused")

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.until(lambda: "connection refused" in note(stage))
        assert "They could not be read." in stage.text()
        await stage.press("x", "u", "enter", "escape")

    play(script, engine)


def test_the_filter_and_a_hostile_key() -> None:
    engine = filled()
    engine.control.bodies = {HOSTILE.removesuffix("\udc80"): b"\x1b[31m", "other": b"x"}

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.until(lambda: len(rows(stage)) == 2)
        await stage.press("slash", *"gpj", "enter")
        await stage.until(lambda: len(rows(stage)) == 1)
        await stage.press("enter")
        await stage.until(lambda: "\\x1b[31m" in said(stage))
        assert "\x1b" not in stage.text()
        await stage.press("escape", "escape")
        await stage.until(lambda: len(rows(stage)) == 2)

    play(script, engine)
