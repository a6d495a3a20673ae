"""Moving a datastore, and repairing a namespace, from view 5: the plan first, then a yes."""

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from s3dash.core.moves import Kept
from s3dash.core.snapshot import BY_CHOICE
from s3dash.errors import LockHeld, UsageError
from s3dash.tui.screens.moving import MovingScreen
from s3dash.tui.screens.register import RegisterScreen
from tests.fake_moves import FOREIGN
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine
from tests.tui.tenants import INFRA, WEB, Opener, surveyed, view

SIZES = [WIDE, NARROW, (60, 20), TINY]


def solo() -> FakeEngine:
    """An engine that works in no namespace, and knows of one."""
    return surveyed(WEB, namespace=None)


async def shown(stage: Stage, what: str = "") -> None:
    """The plan, or `what`, is in the dialog, and no key that comes is too early any more."""
    await stage.opened(MovingScreen)
    await stage.until(lambda: what in stage.text() if what else "y  " in stage.line("#moving-note"))
    stage.clock.advance(1.0)


async def named(stage: Stage) -> None:
    """Name and repository are given; the plan is on the screen."""
    await view(stage)
    await stage.press("M")
    dialog = await stage.opened(RegisterScreen)
    dialog.query_one("#register-name", Input).value = "web"
    dialog.query_one("#register-owner", Input).value = "repo-1"
    dialog.query_one("#register-owner", Input).focus()
    await stage.rest()
    await stage.press("enter")
    await shown(stage)


@pytest.mark.parametrize("size", SIZES)
def test_the_plan_is_shown_and_a_yes_moves_it(size: tuple[int, int]) -> None:
    engine, opener = solo(), Opener()

    async def script(stage: Stage) -> None:
        await named(stage)
        assert not engine.asked("migration.run")
        await stage.press("y")
        await stage.until(lambda: "configure namespace = " in stage.event)
        assert engine.asked("migration.run") == [("web", False, "repo-1")]
        assert opener.opened[0].settings.namespace == "web"

    play(script, engine, size=size, open_namespace=opener)


def test_the_rows_say_what_becomes_of_each() -> None:
    async def script(stage: Stage) -> None:
        await named(stage)
        assert "2 objects, 2.01 KiB copied on the server" in stage.line("#moving-totals")
        assert "copy" in stage.rows("#moving-list")[0]
        assert "data/t/id/1/raw" in stage.rows("#moving-list")[0]
        assert "y  moves it all" in stage.line("#moving-note")

    play(script, solo())


def test_cancel_has_the_focus_and_enter_moves_nothing() -> None:
    engine = surveyed(INFRA)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("O")
        await shown(stage)
        assert stage.app.focused is not None
        assert stage.app.focused.id == "cancel"
        await stage.press("enter")
        await stage.until(lambda: stage.at_home)
        assert not engine.asked("migration.run")

    play(script, engine)


def test_a_yes_that_comes_too_early_moves_nothing() -> None:
    engine = surveyed(INFRA)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("O")
        await stage.until(lambda: isinstance(stage.app.screen, MovingScreen))
        await stage.until(lambda: "y  " in stage.line("#moving-note"))
        await stage.press("y")
        assert not engine.asked("migration.run")
        assert not stage.at_home

    play(script, engine)


def test_out_of_the_namespace_again() -> None:
    engine, opener = surveyed(INFRA, WEB), Opener()

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("O")
        await shown(stage)
        await stage.press("y")
        await stage.until(lambda: "configure no namespace" in stage.event)
        assert engine.asked("migration.run") == [("infra", True, "")]
        assert opener.opened[0].settings.namespace is None

    play(script, engine, open_namespace=opener)


def test_what_stays_behind_is_a_warning() -> None:
    engine = surveyed(INFRA)
    engine.migration.kept = (Kept(path="files/odd", reason="it changed"),)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("O")
        await shown(stage)
        assert "it changed" in stage.rows("#moving-list")[3]
        await stage.press("y")
        await stage.until(lambda: "1 stay behind, first files/odd" in stage.event)

    play(script, engine, open_namespace=Opener())


@pytest.mark.parametrize(
    "error",
    [UsageError("3 local changes of this cache", hint="push or pull first"), LockHeld("ann")],
)
def test_why_it_cannot_be_stands_in_the_dialog(error: Exception) -> None:
    engine = surveyed(INFRA)
    engine.migration.error = error

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("O")
        await shown(stage, str(error))
        await stage.press("y")
        assert not engine.asked("migration.run")

    play(script, engine)


def test_a_move_that_failed_stays_where_it_was() -> None:
    engine = surveyed(INFRA)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("O")
        await shown(stage)
        engine.migration.error = LockHeld("held by ann", hint="wait for her")
        await stage.press("y")
        await stage.until(lambda: "not moved: held by ann  wait for her" in stage.event)
        assert not engine.asked("stop")

    play(script, engine, open_namespace=Opener())


def test_each_is_refused_where_it_makes_no_sense() -> None:
    async def bound(stage: Stage) -> None:
        await view(stage)
        await stage.press("M")
        assert "you work in namespace infra already" in stage.event

    async def free(stage: Stage) -> None:
        await view(stage)
        await stage.press("O")
        assert "you work in no namespace" in stage.event

    play(bound, surveyed(INFRA))
    play(free, solo())


@pytest.mark.parametrize("key", ["O", "F"])
def test_readonly_refuses_both(key: str) -> None:
    engine = surveyed(INFRA)
    engine.snap = replace(engine.snap, read_only=BY_CHOICE)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press(key)
        assert "read-only" in stage.event
        assert stage.at_home

    play(script, engine)


# --- foreign objects ----------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_foreign_objects_are_shown_and_put_right_after_a_yes(size: tuple[int, int]) -> None:
    engine = surveyed(INFRA, WEB)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("j", "F")
        await shown(stage)
        assert engine.asked("foreign.look") == [("web",)]
        assert not engine.asked("foreign.repair")
        await stage.press("y")
        await stage.until(lambda: "2 foreign objects put right, 1 kept" in stage.event)
        assert engine.asked("foreign.repair") == [("web",)]

    play(script, engine, size=size)


def test_nothing_foreign_is_good_news() -> None:
    engine = surveyed(INFRA)
    engine.foreign.rows = ()

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("F")
        await shown(stage, "No foreign objects.")
        await stage.press("y")
        assert not engine.asked("foreign.repair")

    play(script, engine)


def test_hostile_names_harm_nothing() -> None:
    engine = surveyed(INFRA)
    engine.foreign.rows = (replace(FOREIGN[0], path=HOSTILE, home=HOSTILE, reason=HOSTILE),)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("F")
        await shown(stage)
        assert "\\x1b" in stage.rows("#moving-list")[0]

    play(script, engine)
