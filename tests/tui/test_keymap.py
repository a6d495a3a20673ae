"""Keys as the user wants them: what is refused, what is told, and that they work everywhere."""

import pytest

from s3dash.core.screen import ScreenSettings
from s3dash.tui import keys
from s3dash.tui.hints import live
from s3dash.tui.keymap import BUILT_IN, built_in, is_known, keymap, name
from s3dash.tui.screens.help import HelpScreen
from s3dash.tui.screens.plan import PlanScreen
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine, busy


def wanted(**found: tuple[str, ...]) -> ScreenSettings:
    """Underscores stand for the dots of commands."""
    return ScreenSettings(keys={key.replace("_", "."): value for key, value in found.items()})


def problem(command: str, *given: str) -> str:
    (line,) = keymap({command: given}).problems
    return line


# --- names of keys --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("x", "x"), ("X", "X"), ("?", "question_mark"), ("/", "slash"), (",", "comma"),
        ("+", "plus"), ("-", "minus"), (" ", "space"), ("£", "pound_sign"), ("esc", "escape"),
        ("Return", "enter"), ("PgDn", "pagedown"), ("Ctrl+T", "ctrl+t"), ("shift+x", "X"),
        ("ctrl+shift+f5", "ctrl+shift+f5"), ("F5", "f5"), ("alt+x", "alt+x"), ("ctrl+r", "ctrl+r"),
    ],
)  # fmt: skip
def test_a_key_may_be_spelled_as_people_do(given: str, known: str) -> None:
    assert name(given) == known
    assert is_known(known)


@pytest.mark.parametrize("key", ["f99", "strg+x", "<any>", "ctrl+", "nokey", "ctrl+nokey"])
def test_a_key_that_no_terminal_sends_is_unknown(key: str) -> None:
    assert not is_known(name(key))


def test_every_key_of_the_table_is_known() -> None:
    assert [key.name for key in keys.ALL if not all(map(is_known, built_in(key)))] == []


def test_the_built_in_table_has_no_problem_of_its_own() -> None:
    everything = {key.name: tuple(built_in(key)) for key in keys.ALL if not key.priority}
    assert keymap(everything).problems == ()
    assert keymap({}) == BUILT_IN


# --- what is refused ------------------------------------------------------------------------


def test_an_unknown_command_is_told_with_the_nearest_one() -> None:
    assert problem("psh", "x") == "[screen]: keys: psh: no such command; did you mean push?"
    assert "`?` in the screen shows them" in problem("zzzzzz", "x")


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("ctrl+h", "arrives as backspace"),
        ("ctrl+i", "arrives as tab"),
        ("Ctrl+M", "arrives as enter"),
        ("f99", "no such key"),
        ("ctrl+c", "always quits"),
    ],
)
def test_keys_that_cannot_be(key: str, why: str) -> None:
    assert why in problem("push", key)


@pytest.mark.parametrize(("key", "who"), [("ctrl+a", "screen"), ("ctrl+b", "tmux")])
def test_keys_that_a_multiplexer_takes_are_a_warning(key: str, who: str) -> None:
    found = keymap({"push": (key,)})
    assert found.bindings == {"push": key}
    assert f"{who} takes it" in found.warnings[0]


def test_two_commands_with_one_key_in_one_place_are_told() -> None:
    assert problem("push", "p") == "[screen]: keys: p: both push and pull in every view"
    assert "both move.down and transfers.cancel in Transfers" in problem("transfers.cancel", "j")
    assert "both move.down and auto in every view" in problem("move.down", "A")
    assert "both plan.run and plan.confirm in the dialog plan" in problem("plan.run", "y")


def test_two_remapped_commands_may_change_places() -> None:
    assert keymap({"push": ("p",), "pull": ("P",)}).bindings == {"push": "p", "pull": "P"}


def test_a_key_of_a_view_over_one_of_all_views_is_a_warning() -> None:
    found = keymap({"transfers.cancel": ("P",)})
    assert found.bindings == {"transfers.cancel": "P"}
    assert found.warnings == ("[screen]: keys: P: transfers.cancel hides push in Transfers",)


CONFIRMING = [k.name for k in keys.ALL if k.name.endswith((".confirm", "leave.stop", "load.stop"))]


@pytest.mark.parametrize("key", ["enter", "space", "escape", "shift+enter", "ctrl+space"])
@pytest.mark.parametrize("command", CONFIRMING)
def test_no_key_that_is_pressed_without_a_look_may_confirm(command: str, key: str) -> None:
    assert any("must not confirm" in line for line in keymap({command: (key,)}).problems)


def test_there_is_always_a_way_out() -> None:
    assert keymap({"quit.now": ()}).bindings == {"quit.now": "ctrl+c"}
    assert keymap({"quit.now": ("f10",)}).bindings == {"quit.now": "f10,ctrl+c"}
    assert "must keep a key" in problem("modal.cancel")
    assert "is typed as text" in problem("palette.now", "x")
    assert "is typed as text" in problem("filter.keep", "k")


def test_all_problems_come_at_once_and_nothing_is_taken() -> None:
    found = keymap({"psh": ("x",), "pull": ("f99", "ctrl+h"), "sync": ("P",), "auto": ("z",)})
    assert len(found.problems) == 4
    assert found.bindings == {}


# --- on the screen --------------------------------------------------------------------------


def test_a_remapped_key_works_and_the_old_one_does_not() -> None:
    engine = FakeEngine(busy())

    async def script(stage: Stage) -> None:
        await stage.press("P")
        assert stage.at_home
        await stage.press("f5")
        await stage.opened(PlanScreen)

    play(script, engine, wanted=wanted(push=("f5", "ctrl+t")))


def test_keys_that_change_places_do() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("p")
        screen = await stage.opened(PlanScreen)
        assert "push" in screen.query_one(".dialog").border_title

    play(script, FakeEngine(busy()), wanted=wanted(push=("p",), pull=("P",)))


def test_keys_of_lists_and_dialogs_can_be_remapped_too() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "f8")
        assert stage.main.pane.model.cursor == 1
        await stage.press("j")
        assert stage.main.pane.model.cursor == 1
        await stage.press("question_mark", "f9")
        assert stage.at_home

    chosen = wanted(move_down=("f8", "down"), modal_cancel=("f9", "escape"))
    play(script, FakeEngine(busy()), wanted=chosen)


def test_help_key_bar_and_palette_show_the_remapped_keys() -> None:
    async def script(stage: Stage) -> None:
        bar = stage.line("#keys")
        assert "f5 push" in bar
        assert "f2 help" in bar
        titles = {c.title for c in stage.app.get_system_commands(stage.main)}
        assert "push  (f5, ^t)" in titles
        await stage.press("f2")
        assert isinstance(stage.app.screen, HelpScreen)
        text = stage.line("#help-text")
        assert "f5, ^t" in text

    play(script, FakeEngine(busy()), wanted=wanted(push=("f5", "ctrl+t"), help=("f2",)))


def test_a_command_without_a_key_stays_in_the_palette() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("P")
        assert stage.at_home
        assert "push" not in stage.line("#keys")
        commands = {c.title: c for c in stage.app.get_system_commands(stage.main)}
        (title,) = (title for title in commands if title.startswith("push"))
        assert "unbound" not in title
        await commands[title].callback()
        await stage.opened(PlanScreen)

    play(script, FakeEngine(busy()), wanted=wanted(push=()))


def test_a_keymap_with_a_clash_leaves_all_keys_as_they_were_and_says_so() -> None:
    async def script(stage: Stage) -> None:
        assert "stay as they were" in stage.event
        assert "both push and pull in every view" in stage.event
        await stage.press("9")
        assert any("both push and pull" in row for row in stage.rows())
        await stage.press("P")
        await stage.opened(PlanScreen)
        await stage.press("escape", "z")
        assert "auto-sync" not in stage.event

    play(script, FakeEngine(busy()), wanted=wanted(push=("p",), auto=("z",)))


def test_ctrl_c_quits_whatever_is_remapped() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("q")
        assert stage.app.is_running
        assert "quit.now" in {help.name for help in live(stage.main, lambda _: "")}
        await stage.press("ctrl+c")
        await stage.until(lambda: not stage.app.is_running)

    play(script, wanted=wanted(quit=(), quit_now=()))
