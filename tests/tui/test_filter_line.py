import pytest

from tests.tui.driver import NARROW, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, dirty, idle, lock

ROWS = (
    dirty("data/a.json", "added"),
    dirty("data/b.log", "modified"),
    dirty("logs/c.log", "deleted"),
)


def engine() -> FakeEngine:
    return FakeEngine(idle(dirty=ROWS))


def paths(stage: Stage) -> list[str]:
    model = stage.main.pane.model
    return [model.row(line).path for line in range(len(model))]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_it_filters_as_it_is_typed_and_enter_keeps_it(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "slash", *"log")
        assert paths(stage) == ["data/b.log", "logs/c.log"]
        await stage.press("enter")
        assert paths(stage) == ["data/b.log", "logs/c.log"]
        assert "/log 2 of 3" in stage.line("#dirty-summary")
        assert stage.app.focused is stage.main.pane.list

    play(script, engine(), size=size)


def test_escape_takes_it_away() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "slash", *"log", "escape")
        assert len(paths(stage)) == 3
        assert stage.main.pane.view.name == "dirty"

    play(script, engine())


def test_words_can_be_inverted_and_fields_asked() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "slash", "exclamation_mark", *"log", "enter")
        assert paths(stage) == ["data/a.json"]
        await stage.press("slash", *("backspace",) * 4, *"state", "colon", *"del", "enter")
        assert paths(stage) == ["logs/c.log"]

    play(script, engine())


def test_keys_that_are_commands_elsewhere_are_text_here() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "slash", *"qP2jx")
        assert stage.main.pane.filter_text == "qP2jx"
        assert stage.main.pane.view.name == "dirty"
        assert "Nothing matches «qP2jx»." in stage.text()
        assert "keep the filter" in stage.line("#keys")
        assert "push" not in stage.line("#keys")

    play(script, engine())


def test_the_filter_stays_while_rows_come_and_go() -> None:
    made = engine()

    async def script(stage: Stage) -> None:
        await stage.press("2", "slash", *"log", "enter")
        made.snap = idle(dirty=(*ROWS, dirty("logs/d.log"), dirty("e.txt")))
        await stage.settle()
        assert paths(stage) == ["data/b.log", "logs/c.log", "logs/d.log"]

    play(script, made)


def test_markup_in_a_filter_is_only_text() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "slash", "left_square_bracket", "slash", "right_square_bracket")
        assert "Nothing matches «[/]»." in stage.text()

    play(script, engine())


def test_locks_can_be_filtered_by_state() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("4", "slash", *"state", "colon", *"stale", "enter")
        [line] = stage.rows()
        assert "◌ STALE" in line

    play(script, FakeEngine(idle(locks=(lock(), lock("bob", stale=True, key="other.lock")))))


def test_a_long_list_is_filtered_to_its_end() -> None:
    rows = tuple(dirty(f"p/{n}") for n in range(50_000))

    async def script(stage: Stage) -> None:
        await stage.press("2", "slash", *"49999")
        await stage.until(lambda: paths(stage) == ["p/49999"])

    play(script, FakeEngine(idle(dirty=rows)))
