import pytest
from textual.containers import VerticalScroll

from s3dash.tui import keys
from s3dash.tui.cells import plain
from s3dash.tui.hints import Help
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.screens.help import HelpScreen, lines, sections
from s3dash.tui.screens.release import ReleaseScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, busy, dirty, idle, lock
from tests.tui.outside import FakeOutside


def command(name: str, shown: str = "x", why_not: str = "") -> Help:
    return Help(name, shown, keys.BY_NAME[name].text, why_not, "", None)  # type: ignore[arg-type]


def test_the_view_comes_first_then_lists_then_everywhere() -> None:
    given = [command(n) for n in ("quit", "mark.all", "locks.release", "move.up", "view.log")]
    found = sections("Locks", given)
    assert [(name, [c.name for c in group]) for name, group in found] == [
        ("Locks", ["locks.release"]),
        ("Lists", ["move.up", "mark.all"]),
        ("Everywhere", ["quit", "view.log"]),
    ]


def test_a_command_shows_its_keys_what_it_does_and_why_it_cannot_be_given() -> None:
    given = [command("push", "F5"), command("pull", why_not="offline"), command("sync", "")]
    told = [plain(line) for line in lines("Dirty", given, ("state", "why"))]
    [push, pull, sync] = [line for line in told if "pu" in line[:24] or "sync" in line[:24]][:3]
    assert push.split()[:2] == ["F5", "push"]
    assert push.endswith(keys.BY_NAME["push"].about)
    assert pull.endswith("not now: offline")
    assert "no key" in sync
    assert any("state:  why:" in line for line in told)
    assert told[-1] == "pull  push  sync"


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), TINY])
def test_it_scrolls_to_its_end_at_every_size(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "question_mark")
        screen = stage.app.screen
        assert isinstance(screen, HelpScreen)
        scroll = screen.query_one("#help-scroll", VerticalScroll)
        assert "Lists" in stage.line("#help-text")
        await stage.press(*("space",) * 40)
        assert scroll.scroll_offset.y == scroll.max_scroll_y
        assert "view.transfers" in stage.text()
        await stage.press("pageup", "k", "j", "escape")
        assert stage.at_home

    play(script, FakeEngine(busy()), size=size)


# --- a lock in full -----------------------------------------------------------------------


def test_enter_opens_the_lock_and_its_keys_work_there() -> None:
    engine = FakeEngine(idle(locks=(lock(stale=True),)))

    async def script(stage: Stage) -> None:
        await stage.press("4", "enter")
        assert isinstance(stage.app.screen, DetailScreen)
        for word in ("ann@ci", "nonce-1", "STALE", "blocks", "force release"):
            assert word in stage.line("#detail-text")
        await stage.press("F")
        await stage.opened(ReleaseScreen)
        await stage.press("escape", "enter", "y")
        await stage.until(lambda: "sent ann@ci" in stage.event)
        assert stage.at_home
        assert not engine.asked("release_lock")

    play(script, engine, outside=FakeOutside())


def test_a_model_lock_opens_too() -> None:
    model = lock(scope="model", model="@acme/server/0f", key="infra/data/@acme/server/0f/.lock")

    async def script(stage: Stage) -> None:
        await stage.press("4", "enter")
        assert "model infra/@acme/server/0f" in stage.line("#detail-text")

    play(script, FakeEngine(idle(locks=(model,))), size=TINY)


def test_a_lock_in_full_stays_live() -> None:
    engine = FakeEngine(idle(locks=(lock(),)))

    async def script(stage: Stage) -> None:
        await stage.press("4")
        await stage.until(lambda: engine.asked("locks"))
        await stage.settle()
        await stage.press("enter")
        assert "LIVE" in stage.line("#detail-text")
        stage.clock.advance(60)
        await stage.until(lambda: "STALE" in stage.line("#detail-text"))

    play(script, engine)


def test_the_log_opens_a_long_text_in_full() -> None:
    engine = FakeEngine()
    words = " ".join(f"word{n}" for n in range(80))

    async def script(stage: Stage) -> None:
        engine.note(words, level="error")
        await stage.settle()
        await stage.press("9", "enter")
        shown = stage.text()
        assert all(f"word{n}" in shown for n in range(80))

    play(script, engine, size=NARROW)


def test_the_log_is_filtered_by_operation_and_level() -> None:
    engine = FakeEngine()

    async def script(stage: Stage) -> None:
        engine.note("a", operation="push")
        engine.note("b", operation="pull", level="warning")
        engine.note("c", operation="pull")
        await stage.settle()
        await stage.press("9", "slash", *"op", "colon", *"pull", "enter")
        assert len(stage.main.pane.model) == 2
        await stage.press("slash", "space", *"level", "colon", *"warn", "enter")
        [line] = stage.rows()
        assert "b" in line

    play(script, engine)


def test_a_field_that_is_none_is_told_with_those_there_are() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "slash", *"size", "colon", "3", "enter")
        assert "size: is no field here" in stage.text()
        assert "fields: state:" in stage.text()

    play(script, FakeEngine(idle(dirty=(dirty("a"),))), size=NARROW)


def test_the_filter_remembers_what_was_kept() -> None:
    async def script(stage: Stage) -> None:
        pane = stage.main.pane
        await stage.press("slash", *"one", "enter", "slash", *("backspace",) * 3, *"two", "enter")
        await stage.press("escape", "slash", *"dr", "up")
        assert pane.filter_text == "two"
        await stage.press("up")
        assert pane.filter_text == "one"
        await stage.press("up", "down")
        assert pane.filter_text == "two"
        await stage.press("down")
        assert pane.filter_text == "dr"
        await stage.press("down", "enter")
        assert pane.filter_text == "dr"

    play(script)
