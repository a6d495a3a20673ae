"""Open uploads in view 7: whose they are, what is protected, and aborting the marked ones."""

import pytest
from msgspec.structs import replace

from s3dash.core.endpoint import (
    EndpointFacts,
)
from s3dash.core.snapshot import BY_CHOICE
from s3dash.errors import AccessDenied
from s3dash.tui.screens.uploads import UploadsScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.endpoints import FOREIGN, FRESH, IN_USE, OURS, dialog, known, opened, upload, view
from tests.tui.fake_engine import HOSTILE


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), TINY])
def test_only_what_was_marked_is_aborted_after_a_yes(size: tuple[int, int]) -> None:
    engine = opened(OURS, FOREIGN)

    async def script(stage: Stage) -> None:
        await dialog(stage)
        await stage.press("y")  # nothing is marked
        assert not stage.at_home
        await stage.press("j", "space", "y")
        await stage.until(lambda: "1 upload aborted" in stage.event)
        assert engine.asked("endpoint.abort") == [(("id-4",),)]
        await stage.until(lambda: len(engine.asked("endpoint.look")) == 2)

    play(script, engine, size=size)


def test_the_list_says_whose_they_are_and_what_they_hold() -> None:
    async def script(stage: Stage) -> None:
        await dialog(stage)
        await stage.until(lambda: len(stage.rows("#uploads-list")) == 4)
        rows = stage.rows("#uploads-list")
        assert "● ours" in rows[0]
        assert "▶ in use" in rows[1]
        assert "⚠ fresh" in rows[2]
        assert "○ foreign" in rows[3]
        assert all("10.0 MiB" in row for row in rows)
        assert "4 uploads, 40.0 MiB" in stage.line("#uploads-totals")

    play(script, opened(OURS, IN_USE, FRESH, FOREIGN))


def test_what_is_in_use_cannot_be_marked_and_what_is_fresh_is_warned_about() -> None:
    engine = opened(OURS, IN_USE, FRESH, FOREIGN)

    async def script(stage: Stage) -> None:
        await dialog(stage)
        await stage.press("a")
        assert "aborts 2 uploads" in stage.line("#uploads-note")
        await stage.press("j", "space")
        assert "in use" in stage.line("#uploads-note")
        await stage.press("j", "space")
        assert "aborts 3 uploads" in stage.line("#uploads-note")
        assert "1 heard of within 15 min" in stage.line("#uploads-note")
        await stage.press("backslash")
        assert "marks" in stage.line("#uploads-note")
        await stage.press("a", "y")
        await stage.until(lambda: engine.asked("endpoint.abort"))
        assert engine.asked("endpoint.abort") == [(("id-1", "id-4"),)]

    play(script, engine)


def test_enter_and_a_yes_that_comes_too_early_abort_nothing() -> None:
    engine = opened(OURS, FOREIGN)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("M")
        await stage.until(lambda: isinstance(stage.app.screen, UploadsScreen))
        await stage.until(lambda: "Asking" not in stage.text())
        await stage.press("a", "y", "y", "y")  # the clock stands: the guard holds
        assert not stage.at_home
        stage.clock.advance(1.0)
        assert stage.app.screen.query_one("#cancel").has_focus
        await stage.press("enter")
        assert stage.at_home
        assert not engine.asked("endpoint.abort")

    play(script, engine)


def test_another_datastore_of_ours_protects_what_it_sends() -> None:
    """Two caches on one prefix: what the one asks about, the other may be sending."""
    engine = opened(FOREIGN, upload(5))
    other = known(EndpointFacts(), "second")
    other.endpoint.ours = {"id-4": True, "id-5": False}

    async def script(stage: Stage) -> None:
        await dialog(stage)
        assert "▶ in use" in stage.rows("#uploads-list")[0]
        await stage.press("a", "y")
        await stage.until(lambda: "1 upload aborted" in stage.event)
        assert other.asked("endpoint.abort") == [(("id-5",),)]
        assert not engine.asked("endpoint.abort")

    play(script, engine, other)


def test_an_s3dash_that_only_looks_lists_them_and_aborts_none() -> None:
    engine = opened(FOREIGN)
    engine.snap = replace(engine.snap, read_only=BY_CHOICE)

    async def script(stage: Stage) -> None:
        await dialog(stage)
        await stage.press("space", "a", "y")
        assert not stage.at_home
        assert "nothing can be aborted" in stage.line("#uploads-note")
        assert not engine.asked("endpoint.abort")

    play(script, engine)


def test_what_cannot_be_listed_says_why() -> None:
    engine = known(EndpointFacts())
    engine.error["endpoint.uploads"] = AccessDenied(
        "access denied: list the uploads of team-data", hint="ask for it"
    )

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("M")
        await stage.until(lambda: "access denied: list the uploads" in stage.text())
        assert "ask for it" in stage.text()

    play(script, engine)


def test_hostile_keys_are_made_safe() -> None:
    async def script(stage: Stage) -> None:
        await dialog(stage)
        assert "\x1b" not in stage.text()
        assert "a[/x]\\x1b[31m" in stage.text()

    play(script, opened(replace(FOREIGN, key=HOSTILE)))
