"""Hydrate on the screen: the key, the dialog with its completion, the plan, and the share shown."""

from typing import Any

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from s3dash.core.diff import Verdict
from s3dash.core.hydration import Hydrated
from s3dash.core.plan import Plan
from s3dash.core.report import Result
from s3dash.core.tenants import Survey, Tenant
from s3dash.errors import LocalError
from s3dash.tui.cells import plain
from s3dash.tui.screens.hydrate import HydrateScreen
from s3dash.tui.screens.plan import PlanScreen
from s3dash.tui.views.namespaces import NamespacesView
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, change, idle

RAWS = ("data/@acme/server/1/raw", "data/@acme/server/2/raw", "data/plain/3/raw")


def lazy(**fields: Any) -> FakeEngine:
    made = FakeEngine(idle(lazy=True, hydrated=Hydrated(4, 7, 1024, 4096), **fields))
    made.hydration.skipped = [change(rel, Verdict.REMOTE_ADDED, 1024) for rel in RAWS]
    made.result = Result(action="hydrate", pulled=2, bytes_down=2048, seconds=1.0)
    return made


async def asked(stage: Stage) -> HydrateScreen:
    await stage.press("H")
    screen = await stage.opened(HydrateScreen)
    await stage.until(lambda: "to bring" in stage.line("#hydrate-text"))
    assert isinstance(screen, HydrateScreen)
    return screen


async def typed(stage: Stage, text: str) -> None:
    await stage.press(*("slash" if c == "/" else "at" if c == "@" else c for c in text))


def suggestion(stage: Stage) -> str:
    return stage.app.screen.query_one("#hydrate", Input)._suggestion


def ran(made: FakeEngine) -> list[str]:
    [(plan, _)] = made.asked("run")
    assert isinstance(plan, Plan)
    return [item.path for item in plan.items]


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_enter_on_an_empty_line_brings_everything(size: tuple[int, int]) -> None:
    made = lazy()

    async def script(stage: Stage) -> None:
        await asked(stage)
        assert "everything: 3 files, 3.00 KiB to bring" in stage.line("#hydrate-text")
        await stage.press("enter")
        await stage.opened(PlanScreen)
        await stage.until(lambda: made.asked("plan"))
        assert made.asked("plan") == [("pull", (), "only")]
        await stage.until(lambda: "download" in stage.line("#plan-totals"))
        stage.clock.advance(1.0)
        assert str(stage.app.screen.query_one(".dialog").border_title).startswith("hydrate · ")
        await stage.press("enter")
        await stage.until(lambda: made.asked("run"))
        assert ran(made) == list(RAWS)
        await stage.until(lambda: "hydrate done: 2 down" in stage.event)

    play(script, made, size=size)


def test_a_path_is_completed_and_only_that_is_brought() -> None:
    made = lazy()

    async def script(stage: Stage) -> None:
        await asked(stage)
        await typed(stage, "data/p")
        await stage.until(lambda: "not a whole path yet" in stage.line("#hydrate-text"))
        assert "data/plain/" in stage.line("#hydrate-text")
        await stage.press("enter")
        assert isinstance(stage.app.screen, HydrateScreen), "it names nothing yet"
        await stage.until(lambda: suggestion(stage))
        await stage.press("right")
        await stage.until(lambda: "1 file, 1.00 KiB to bring" in stage.line("#hydrate-text"))
        await stage.press("enter")
        await stage.opened(PlanScreen)
        await stage.until(lambda: made.asked("plan"))
        assert made.asked("plan") == [("pull", ("data/plain",), "only")]

    play(script, made)


def test_a_path_that_was_not_left_out_is_said_and_goes_nowhere() -> None:
    made = lazy()

    async def script(stage: Stage) -> None:
        await asked(stage)
        await typed(stage, "logs")
        await stage.until(lambda: "nothing that was left" in stage.line("#hydrate-text"))
        await stage.press("enter")
        assert isinstance(stage.app.screen, HydrateScreen)
        await stage.press("escape")
        assert stage.at_home
        assert made.asked("plan") == []

    play(script, made)


def test_a_cache_that_has_all_says_so_instead() -> None:
    made = FakeEngine()

    async def script(stage: Stage) -> None:
        await stage.press("H")
        assert "hydrate: this cache leaves nothing in the bucket" in stage.event
        assert stage.at_home

    play(script, made)


def test_it_is_refused_while_somebody_else_owns_the_cache() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("H")
        assert "hydrate: read-only" in stage.event

    play(script, lazy(read_only="s3dash 4711"))


def test_an_engine_that_cannot_say_ends_nothing() -> None:
    made = lazy()

    def broken(start: str, *, most: int = 20) -> Any:
        raise LocalError("the state is gone")

    made.hydration.below = broken  # type: ignore[method-assign] # what the fake does this once

    async def script(stage: Stage) -> None:
        await stage.press("H")
        await stage.opened(HydrateScreen)
        await stage.until(lambda: "hydrate: the state is gone" in stage.event)
        await stage.press("enter", "escape")
        assert stage.at_home

    play(script, made)


def test_names_of_others_cannot_disturb_the_dialog() -> None:
    made = lazy()
    made.hydration.skipped = [change(f"data/{HOSTILE}/raw", Verdict.REMOTE_ADDED)]

    async def script(stage: Stage) -> None:
        await asked(stage)
        stage.app.screen.query_one("#hydrate", Input).value = "data/a[/"
        await stage.until(lambda: "1 file" in stage.line("#hydrate-text"))
        shown = stage.line("#hydrate-text")
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert not suggestion(stage)

    play(script, made)


def test_the_overview_shows_how_much_is_here_live() -> None:
    made = lazy()

    async def script(stage: Stage) -> None:
        await stage.until(lambda: "25%" in stage.text().replace(" ", ""))
        assert "3 files are left in the bucket: H" in stage.text()
        made.snap = replace(made.snap, hydrated=Hydrated(7, 7, 4096, 4096))
        await stage.settle()
        await stage.until(lambda: "100%" in stage.text().replace(" ", ""))
        assert "left in the bucket" not in stage.text()

    play(script, made)


def test_the_own_namespace_shows_it_live_too() -> None:
    row = Tenant(slug="infra", mine=True, read=True, registered=True, size=4096, held=0)
    made = lazy(tenants=Survey(state="asked", rows=(row, Tenant(slug="web", size=10, held=5))))

    async def script(stage: Stage) -> None:
        (here,) = (c for c in NamespacesView.columns if c.title == "HERE")
        look = stage.app.look
        told = [plain(here.cell(r, look)) for r in look.snapshot.tenants.rows]
        assert [t.replace(" ", "") for t in told] == ["25%", "50%"]

    play(script, made)
