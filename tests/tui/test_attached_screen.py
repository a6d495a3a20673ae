"""A screen whose cache another process owns and works on for it."""

from msgspec.structs import replace

from s3dash.core.progress import Rate
from s3dash.core.snapshot import AutoSync
from s3dash.tui.screens.leave import LeaveScreen
from tests.tui.driver import NARROW, TINY, Stage, play
from tests.tui.fake_engine import FakeEngine, busy, idle, moving, transfer

WATCH = "pid 4711 (watch)"


def attached(**fields: object) -> FakeEngine:
    return FakeEngine(replace(busy(), attached=WATCH, **fields))


def test_header_and_overview_say_whose_engine_it_is() -> None:
    async def script(stage: Stage) -> None:
        first = stage.text().splitlines()[0]
        assert f"attached to {WATCH}" in first
        assert f"to {WATCH}" in stage.text().split("\n", 2)[2]
        assert " RO " not in first

    play(script, attached())


def test_a_narrow_header_says_it_in_a_word_and_a_tiny_one_holds() -> None:
    async def narrow(stage: Stage) -> None:
        assert "attached" in stage.text().splitlines()[0]

    async def tiny(stage: Stage) -> None:
        assert "online" in stage.text().splitlines()[0]

    play(narrow, attached(), size=NARROW)
    play(tiny, attached(), size=TINY)


def test_a_foreign_name_cannot_write_to_the_terminal() -> None:
    async def script(stage: Stage) -> None:
        assert "\x1b" not in stage.text()
        assert "[/x]" in stage.text()

    play(script, FakeEngine(idle(attached="pid 1 (\x1b[2J[/x])")))


def test_every_command_can_be_given() -> None:
    async def script(stage: Stage) -> None:
        for name in ("push", "pull", "auto", "locks.release", "conflicts.local"):
            assert stage.app.why_not(name) == "", name

    play(script, attached())


def test_it_is_shown_when_the_owner_changes() -> None:
    engine = attached()

    async def script(stage: Stage) -> None:
        engine.snap = replace(engine.snap, attached="")
        await stage.settle()
        assert "attached" not in stage.text().splitlines()[0]

    play(script, engine)


def test_quitting_asks_nothing_about_what_the_owner_does_by_itself() -> None:
    progress = moving([transfer(1, "active", 5)], Rate())
    auto = AutoSync(True, 30.0, running_s=3.0)

    async def script(stage: Stage) -> None:
        await stage.press("q")
        assert stage.app._exit

    play(script, attached(state="pushing", lock_held_s=3.0, progress=progress, auto=auto))


def test_quitting_asks_about_what_was_begun_here() -> None:
    async def script(stage: Stage) -> None:
        stage.app.operation.begin("push", stage.app.look.site.name)
        await stage.press("q")
        await stage.opened(LeaveScreen)
        stage.app.operation.end()

    play(script, attached())
