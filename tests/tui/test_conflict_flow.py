"""Deciding conflicts in view 6: asked first, only what was shown, and told how many remain."""

import pytest

from s3dash.core.report import Blocked, Result
from s3dash.errors import CommitConflict
from s3dash.tui.screens.decide import DecideScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, conflict, idle

PATHS = ("files/a", "files/b", "files/c")


def clashing(**fields: object) -> FakeEngine:
    conflicts = tuple(conflict(path) for path in PATHS)
    return FakeEngine(
        idle(conflicts=conflicts, blocked=(Blocked("files/z", "a directory"),), **fields)  # type: ignore[arg-type] # passed through
    )


async def asked(stage: Stage, *keys: str) -> None:
    """Go to the view, press, and wait until the dialog takes an answer."""
    await stage.press("6", *keys)
    await stage.opened(DecideScreen)


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
@pytest.mark.parametrize(
    ("key", "take", "text"),
    [("l", "local", "LOCAL"), ("r", "remote", "REMOTE"), ("b", "both", "BOTH")],
)
def test_the_row_under_the_cursor_is_decided_after_a_yes(
    size: tuple[int, int], key: str, take: str, text: str
) -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await asked(stage, "j", key)
        shown = stage.line("#decide-text")
        assert text in shown
        assert "files/b" in shown
        assert "files/a" not in shown
        await stage.press("y")
        await stage.until(lambda: f"1 conflict settled: took {take}" in stage.event)
        assert engine.asked("resolve") == [("files/b", take, conflict("files/b"))]
        assert stage.app.look.running is None

    play(script, engine, size=size)


def test_marked_rows_are_decided_together_and_blocked_paths_are_left_out() -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await asked(stage, "a", "l")
        assert "decide 3 conflicts so" in stage.line("#decide-text")
        await stage.press("y")
        await stage.until(lambda: "3 conflicts settled" in stage.event)
        assert [path for path, *_ in engine.asked("resolve")] == list(PATHS)

    play(script, engine)


@pytest.mark.parametrize("keys", [("enter",), ("enter",) * 6, ("escape",), ("q",)])
def test_nothing_but_y_decides(keys: tuple[str, ...]) -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await asked(stage, "r")
        for key in keys:
            if not stage.at_home:
                stage.clock.advance(1.0)
                await stage.press(key)
        await stage.until(lambda: stage.at_home)
        assert not engine.asked("resolve")

    play(script, engine)


def test_a_y_that_was_held_down_comes_too_early() -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await stage.press("6", "l")
        await stage.until(lambda: isinstance(stage.app.screen, DecideScreen))
        for _ in range(5):
            await stage.press("y")
        assert not engine.asked("resolve")
        stage.clock.advance(0.5)
        await stage.press("y")
        await stage.until(lambda: engine.asked("resolve"))

    play(script, engine)


def test_one_that_changed_meanwhile_remains_and_is_told() -> None:
    engine = clashing()
    engine.error["resolve"] = CommitConflict("files/a has changed since you saw it")

    async def script(stage: Stage) -> None:
        await asked(stage, "l")
        await stage.press("y")
        await stage.until(lambda: "1 remain: files/a has changed" in stage.event)

    play(script, engine)


def test_one_that_could_not_be_carried_out_is_told_with_its_reason() -> None:
    engine = clashing()
    engine.result = Result(action="pull", blocked=[Blocked("files/a", "a write in flight")])

    async def script(stage: Stage) -> None:
        await asked(stage, "r")
        await stage.press("y")
        await stage.until(lambda: "0 conflicts settled" in stage.event)
        assert "files/a: a write in flight" in stage.event

    play(script, engine)


def test_a_blocked_path_is_nothing_to_decide() -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await stage.press("6", "G", "b")
        assert stage.at_home
        assert "no conflict to decide" in stage.event

    play(script, engine)


def test_a_cache_that_belongs_to_another_is_only_looked_at() -> None:
    engine = clashing(read_only="ann, pid 7")

    async def script(stage: Stage) -> None:
        await stage.press("6", "l")
        assert stage.at_home
        assert "read-only" in stage.event

    play(script, engine)
