"""Deciding conflicts in view 6: asked first, only what was shown, and told how many remain."""

from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.core.content import Writer
from s3dash.core.report import Blocked, Result
from s3dash.errors import CommitConflict
from s3dash.tui.screens.decide import DecideScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, conflict, idle

PATHS = ("files/a", "files/b", "files/c")


def clashing(**fields: Any) -> FakeEngine:
    conflicts = tuple(conflict(path) for path in PATHS)
    blocked = (Blocked("files/z", "a directory"),)
    return FakeEngine(idle(**{"conflicts": conflicts, "blocked": blocked, **fields}))


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
        assert "apply to all 3 marked" in stage.line("#decide-text")
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


# --- put off ----------------------------------------------------------------------------


def badge(stage: Stage) -> tuple[int, bool]:
    return stage.main.pane.view.badge(stage.app.look)


def order(stage: Stage) -> list[str]:
    return [row.path for row in stage.main.pane.view.rows(stage.app.look)]


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_one_that_is_put_off_goes_to_the_end_and_is_not_counted(size: tuple[int, int]) -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await stage.press("6")
        assert badge(stage) == (4, True)
        await stage.press("j", "s")
        assert order(stage) == ["files/a", "files/c", "files/z", "files/b"]
        assert badge(stage) == (3, True)
        assert "◌ put off" in stage.rows()[-1]
        assert "put off for this session" in stage.event
        row = stage.main.pane.model.current
        assert row is not None
        assert row.path == "files/b"  # the cursor stays with it
        assert not engine.asked("sync")
        await stage.press("s")
        assert order(stage) == [*PATHS, "files/z"]
        assert "taken up again" in stage.event

    play(script, engine, size=size)


def test_marked_ones_are_put_off_together() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("6", "a", "s")
        assert badge(stage) == (1, False)
        assert "no open conflicts" in stage.line("#conflicts-summary")
        assert "3 put off" in stage.line("#conflicts-summary")
        assert not stage.main.pane.model.marks
        await stage.press("g", "s")
        assert stage.at_home
        assert "no conflict to put off" in stage.event  # a blocked path stands first now

    play(script, clashing())


def test_what_is_put_off_is_left_out_of_a_decision_about_many_but_can_be_decided() -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await stage.press("6", "j", "s")
        await asked(stage, "a", "r")
        assert "apply to all 2 marked" in stage.line("#decide-text")
        await stage.press("escape", "backslash", "G")
        await asked(stage, "r")
        assert "files/b" in stage.line("#decide-text")
        await stage.press("y")
        await stage.until(lambda: engine.asked("resolve"))
        await stage.until(lambda: "1 conflict settled" in stage.event)
        engine.snap = replace(engine.snap, conflicts=(conflict("files/b"),))
        await stage.settle()
        assert badge(stage) == (2, True)  # it came back: a new conflict, not put off

    play(script, engine)


def test_each_datastore_has_its_own() -> None:
    one, two = clashing(), clashing(name="other")

    async def script(stage: Stage) -> None:
        await stage.press("6", "s")
        stage.app.use_site("other")
        assert badge(stage) == (4, True)

    play(script, one, two)


# --- undo -------------------------------------------------------------------------------


async def decided(stage: Stage, *keys: str) -> None:
    told = stage.event
    await asked(stage, *keys)
    await stage.press("y")
    await stage.until(lambda: stage.event != told and "settled" in stage.event)
    await stage.rest()


def test_the_last_decision_is_undone_after_a_yes() -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await decided(stage, "j", "l")
        assert "U undoes it" in stage.event
        await asked(stage, "U")
        said = stage.line("#decide-text")
        assert "take local" in said
        assert "files/b" in said
        assert "push" in said  # what it will do to the bucket
        await stage.press("y")
        await stage.until(lambda: "files/b: the local version is back" in stage.event)
        assert engine.decided.undone == ["files/b"]
        assert stage.app.look.running is None
        await stage.press("U")
        assert stage.at_home
        assert "nothing to undo" in stage.event

    play(script, engine)


def test_a_decision_about_many_is_undone_as_one_the_latest_first() -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await decided(stage, "g", "r")
        await decided(stage, "a", "b")
        await asked(stage, "U")
        assert "take these 2 decisions back" in stage.line("#decide-text")
        await stage.press("y")
        await stage.until(lambda: "2 decisions undone" in stage.event)
        assert engine.decided.undone == ["files/c", "files/b"]
        await asked(stage, "U")
        assert "files/a" in stage.line("#decide-text")

    play(script, engine)


def test_why_one_cannot_be_undone_is_told_and_it_can_be_tried_again() -> None:
    engine = clashing()
    engine.decided.error["files/b"] = CommitConflict(
        "files/b was edited since it was decided", hint="it is in the trash"
    )

    async def script(stage: Stage) -> None:
        await decided(stage, "a", "r")
        await asked(stage, "U")
        await stage.press("y")
        await stage.until(lambda: "2 decisions undone" in stage.event)
        assert "1 not undone: files/b was edited since" in stage.event
        assert "it is in the trash" in stage.event
        engine.decided.error.clear()
        await asked(stage, "U")
        assert "files/a" not in stage.line("#decide-text")
        await stage.press("y")
        await stage.until(lambda: "files/b: the local version is back" in stage.event)

    play(script, engine)


@pytest.mark.parametrize("keys", [("enter",) * 5, ("escape",), ("q",)])
def test_nothing_but_y_undoes(keys: tuple[str, ...]) -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await decided(stage, "r")
        await asked(stage, "U")
        for key in keys:
            if not stage.at_home:
                stage.clock.advance(1.0)
                await stage.press(key)
        await stage.until(lambda: stage.at_home)
        assert not engine.decided.undone

    play(script, engine)


def test_a_decision_of_another_datastore_is_not_undone_here() -> None:
    one, two = clashing(), clashing(name="other")

    async def script(stage: Stage) -> None:
        await decided(stage, "r")
        stage.app.use_site("other")
        await stage.press("U")
        assert stage.at_home
        assert "nothing to undo" in stage.event

    play(script, one, two)


def test_while_something_runs_nothing_is_undone() -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await decided(stage, "r")
        stage.app.operation.begin("push", "prod-minio")
        await stage.press("U")
        assert stage.at_home
        assert "running" in stage.event
        stage.app.operation.end()

    play(script, engine)


# --- who wrote it -----------------------------------------------------------------------


def test_the_writer_is_asked_for_once_and_shown() -> None:
    engine = clashing()
    engine.contents.known = {"files/a": Writer("ann@ci", "2026-03-14T13:40:00.000Z")}

    async def script(stage: Stage) -> None:
        assert not engine.contents.asked_writers
        await stage.press("6")
        await stage.until(lambda: "ann@ci, committed" in stage.line("#detail"))
        assert "this host, me@desk" in stage.line("#detail")
        await stage.press("j")
        assert "unknown" in stage.line("#detail")
        await stage.settle()
        assert engine.contents.asked_writers == [PATHS]

    play(script, engine)


def test_a_bucket_that_does_not_tell_leaves_it_unknown() -> None:
    engine = clashing()
    engine.contents.error = CommitConflict("no answer")

    async def script(stage: Stage) -> None:
        await stage.press("6")
        await stage.until(lambda: engine.contents.asked_writers)
        await stage.rest()
        assert "unknown" in stage.line("#detail")

    play(script, engine)
