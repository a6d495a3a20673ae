"""Keys that move around: views, rows, levels, help, palette."""

import pytest
from msgspec.structs import replace
from textual.command import CommandPalette

from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.screens.help import HelpScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, busy, dirty, idle

VIEWS = {
    "1": "overview",
    "2": "dirty",
    "3": "transfers",
    "4": "locks",
    "5": "namespaces",
    "6": "conflicts",
    "7": "endpoints",
    "8": "explorer",
    "9": "log",
}


def many(count: int = 500) -> FakeEngine:
    return FakeEngine(idle(dirty=tuple(dirty(f"p/{n:04d}") for n in range(count))))


def cursor(stage: Stage) -> int:
    return stage.main.pane.model.cursor


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_digits_open_views(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        for key, name in VIEWS.items():
            await stage.press(key)
            assert stage.main.pane.view.name == name
            assert stage.app.focused is stage.main.pane.list

    play(script, FakeEngine(busy()), size=size)


def test_tab_goes_round_in_both_directions() -> None:
    async def script(stage: Stage) -> None:
        seen = []
        for _ in VIEWS:
            await stage.press("tab")
            seen.append(stage.main.pane.view.name)
        assert seen == [*list(VIEWS.values())[1:], "overview"]
        await stage.press("shift+tab")
        assert stage.main.pane.view.name == "log"

    play(script, FakeEngine(busy()))


def test_keys_move_the_cursor() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        page = stage.main.pane.list.size.height - 1
        for key, line in (
            ("j", 1),
            ("down", 2),
            ("k", 1),
            ("up", 0),
            ("k", 0),
            ("G", 499),
            ("g", 0),
            ("end", 499),
            ("home", 0),
            ("pagedown", page),
            ("pageup", 0),
            ("ctrl+d", page // 2),
            ("ctrl+u", 0),
        ):
            await stage.press(key)
            assert cursor(stage) == line, key

    play(script, many())


def test_the_list_scrolls_with_the_cursor() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "G")
        assert "p/0499" in stage.rows()[-1]
        assert "p/0499" in stage.line("#detail")
        await stage.press("g")
        assert "p/0000" in stage.rows()[0]

    play(script, many())


def test_the_detail_follows_the_cursor() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "j")
        assert stage.line("#detail").startswith("p/0001")

    play(script, many())


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_enter_opens_the_detail_and_escape_closes_it(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "j", "enter")
        assert isinstance(stage.app.screen, DetailScreen)
        assert "p/0001" in stage.line("#detail-text")
        await stage.press("escape")
        assert stage.at_home

    play(script, many(), size=size)


@pytest.mark.parametrize("left", [0, 1])
def test_a_detail_stays_as_it_was_once_its_row_is_gone(left: int) -> None:
    engine = FakeEngine(idle(dirty=(dirty("a/here", size=7), dirty("b/other"))))

    async def script(stage: Stage) -> None:
        await stage.press("2", "enter")
        engine.snap = idle(dirty=(dirty("a/here", size=1234), dirty("b/other")))
        await stage.until(lambda: "1,234 bytes" in stage.line("#detail-text"))
        engine.snap = idle(dirty=(dirty("b/other"),)[:left])
        await stage.until(lambda: "As it was" in stage.line("#detail-text"))
        assert "1,234 bytes" in stage.line("#detail-text")
        assert "b/other" not in stage.line("#detail-text")

    play(script, engine)


def test_a_narrow_screen_has_no_detail_and_a_wide_one_has() -> None:
    async def shown(stage: Stage) -> None:
        assert stage.main.query_one("#detail").display

    async def hidden(stage: Stage) -> None:
        assert not stage.main.query_one("#detail").display

    play(shown, size=WIDE)
    play(hidden, size=NARROW)


def test_the_smallest_screen_is_one_status_line_and_the_list() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        lines = stage.text().splitlines()
        assert "prod-minio" in lines[0]
        assert all("p/000" in line for line in lines[1:10])

    play(script, many(), size=TINY)


def test_resizing_while_it_runs() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "G")
        for width, height in (TINY, (60, 20), WIDE, NARROW):
            await stage.pilot.resize_terminal(width, height)
            await stage.rest()
            assert "p/0499" in stage.rows()[-1]

    play(script, many())


def test_help_lists_the_live_keys_of_the_view() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("4", "question_mark")
        assert isinstance(stage.app.screen, HelpScreen)
        text = stage.line("#help-text")
        assert "force release" in text
        assert "push" in text
        assert "mark.toggle" not in text
        await stage.press("escape", "2", "f1")
        assert "mark.toggle" in stage.line("#help-text")

    play(script, FakeEngine(busy()))


def test_help_says_why_a_command_cannot_be_given() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("question_mark")
        assert "not now: read-only" in stage.line("#help-text")

    play(script, FakeEngine(idle(read_only="pid 12 on vm")))


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
def test_the_palette_opens_and_knows_our_commands(key: str) -> None:
    async def script(stage: Stage) -> None:
        await stage.press(key)
        assert isinstance(stage.app.screen, CommandPalette)
        found = {c.title: c.help for c in stage.app.get_system_commands(stage.main)}
        assert found["push  (P)"] == "show what would go up, then send it"
        assert "cancel  (x)" not in found
        await stage.press("escape")
        await stage.press("3")
        found = {c.title: c.help for c in stage.app.get_system_commands(stage.main)}
        assert found["cancel  (x)"].startswith("not now: ")

    play(script, FakeEngine(busy()))


def test_a_command_of_the_palette_does_its_work() -> None:
    async def script(stage: Stage) -> None:
        commands = {c.title: c for c in stage.app.get_system_commands(stage.main)}
        await commands["Locks  (4)"].callback()
        assert stage.main.pane.view.name == "locks"

    play(script)


def test_there_is_no_palette_over_a_dialog() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("question_mark", "ctrl+p")
        assert isinstance(stage.app.screen, HelpScreen)

    play(script)


def test_escape_takes_one_level_at_a_time() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "space", "slash", "p", "enter")
        pane = stage.main.pane
        assert (pane.filter_text, len(pane.model.marks)) == ("p", 1)
        await stage.press("escape")
        assert (pane.filter_text, len(pane.model.marks)) == ("", 1)
        await stage.press("escape")
        assert len(pane.model.marks) == 0
        await stage.press("escape")
        assert stage.main.pane.view.name == "overview"

    play(script, many())


def test_enter_on_another_datastore_makes_it_the_current_one() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("j", "enter")
        assert stage.app.look.site.name == "staging"
        assert "staging" in stage.line("#header")
        await stage.press("2")
        assert "q/1" in stage.rows()[0]

    other = FakeEngine(idle("staging", None, dirty=(dirty("q/1"),)))
    play(script, many(), other)


def test_a_click_on_a_tab_opens_its_view() -> None:
    async def script(stage: Stage) -> None:
        line = stage.line("#tabs")
        await stage.pilot.click("#tabs", offset=(line.index("Locks"), 0))
        await stage.rest()
        assert stage.main.pane.view.name == "locks"

    play(script, FakeEngine(busy()))


def test_a_click_on_a_row_moves_the_cursor() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        await stage.pilot.click("#dirty-list", offset=(5, 3))
        await stage.rest()
        assert cursor(stage) == 3

    play(script, many())


def test_what_changes_in_the_engine_appears() -> None:
    engine = many(1)

    async def script(stage: Stage) -> None:
        await stage.press("2")
        engine.snap = replace(engine.snap, dirty=(dirty("fresh/file"), dirty("p/0000")))
        await stage.settle()
        assert "fresh/file" in stage.rows()[0]
        assert stage.main.pane.model.cursor == 1
        assert "2 Dirty 2" in stage.line("#tabs")

    play(script, engine)


def test_refresh_asks_the_engine_to_look_again() -> None:
    engine = FakeEngine()

    async def script(stage: Stage) -> None:
        await stage.press("r")
        await stage.until(lambda: engine.asked("refresh"))
        assert not engine.asked("locks")

    play(script, engine)


def test_auto_sync_is_toggled() -> None:
    engine = FakeEngine()

    async def script(stage: Stage) -> None:
        await stage.press("A")
        await stage.until(lambda: "AUTO on 30s" in stage.line("#header"))
        assert engine.asked("set_auto") == [(True,)]
        assert "every 30 s" in stage.event
        await stage.press("A")
        await stage.until(lambda: engine.asked("set_auto") == [(True,), (False,)])

    play(script, engine)


def test_the_log_shows_history_and_what_happens() -> None:
    engine = FakeEngine()

    async def script(stage: Stage) -> None:
        await stage.press("9")
        engine.note("3 pushed")
        await stage.settle()
        assert "3 pushed" in stage.rows()[-1]
        assert "3 pushed" in stage.event
        await stage.press("f")
        engine.note("4 pulled")
        await stage.settle()
        assert len(stage.rows()) == 1
        assert "FROZEN" in stage.line("#log-summary")
        await stage.press("f")
        assert "4 pulled" in stage.rows()[-1]

    play(script, engine)
