"""What the list repaints, counted: a tick costs what has changed."""

from typing import Any

from msgspec.structs import replace
from textual.geometry import Region

from s3dash.core.progress import Rate
from s3dash.tui.widgets.line_list import LineList
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine, dirty, idle, moving, transfer


class Repaints:
    """Counts the lines that a list asks to have repainted, through the hook that Textual has."""

    def __init__(self, found: LineList[Any]) -> None:
        self.regions: list[Region] = []
        original = found.refresh

        def refresh(*regions: Region, **options: Any) -> Any:
            self.regions += regions or [Region(0, 0, *found.size)]
            return original(*regions, **options)

        found.refresh = refresh  # type: ignore[method-assign] # listens, and passes all on

    def taken(self) -> list[Region]:
        regions, self.regions = self.regions, []
        return regions


def test_a_cursor_step_repaints_two_lines() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        repaints = Repaints(stage.main.pane.list)
        await stage.press("j")
        assert sorted({(r.y, r.height) for r in repaints.taken()}) == [(0, 1), (1, 1)]

    play(script, FakeEngine(idle(dirty=tuple(dirty(f"p/{n}") for n in range(200)))))


def test_a_tick_repaints_the_columns_of_the_lines_that_changed() -> None:
    rows = [transfer(n, "active", 1000) for n in range(10)]
    engine = FakeEngine(idle(progress=moving(rows, Rate(1.0, 0.0))))

    async def script(stage: Stage) -> None:
        await stage.press("3")
        await stage.settle()
        found = stage.main.pane.list
        repaints = Repaints(found)
        rows[4].done = 900_000
        engine.snap = replace(engine.snap, progress=moving(rows, Rate(2.0, 0.0)))
        await stage.settle()
        regions = repaints.taken()
        assert {region.y for region in regions} == {4}
        assert all(region.width < found.size.width for region in regions)

    play(script, engine)


def test_an_idle_tick_repaints_nothing() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        await stage.settle()
        repaints = Repaints(stage.main.pane.list)
        for _ in range(5):
            stage.main.show()
            await stage.settle()
        assert repaints.taken() == []

    play(script, FakeEngine(idle(dirty=tuple(dirty(f"p/{n}") for n in range(200)))))


def test_a_million_rows_are_opened_and_walked_through() -> None:
    row = dirty("same")
    rows = (row,) * 1_000_000

    async def script(stage: Stage) -> None:
        await stage.press("2", "G")
        assert stage.main.pane.model.cursor == 999_999
        await stage.press("pageup", "k", "g")
        assert stage.main.pane.model.cursor == 0

    play(script, FakeEngine(idle(dirty=rows)))


def test_marking_goes_on_to_the_next_row_and_ranges_follow() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "space", "j", "j", "v")
        model = stage.main.pane.model
        assert model.marks == {"p/0", "p/1", "p/2", "p/3"}
        assert "◆" in stage.rows()[0]
        await stage.press("backslash")
        assert model.marks == set()
        await stage.press("a")
        assert len(model.marks) == 20

    play(script, FakeEngine(idle(dirty=tuple(dirty(f"p/{n}") for n in range(20)))))


def test_when_much_moves_each_tick_takes_half_of_the_lines() -> None:
    rows = [transfer(n, "active", 1000) for n in range(20)]
    engine = FakeEngine(idle(progress=moving(rows, Rate(1.0, 0.0))))

    async def script(stage: Stage) -> None:
        await stage.press("3")
        await stage.settle()
        repaints = Repaints(stage.main.pane.list)
        for row in rows:
            row.done = 500_000
        stage.main.show()
        first = {region.y for region in repaints.taken()}
        await stage.rest()
        stage.main.show()
        second = {region.y for region in repaints.taken()}
        assert len(first) == len(second) == 10
        assert first | second == set(range(20))

    play(script, engine)


def test_a_double_click_opens_the_row() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        await stage.pilot.double_click("#dirty-list", offset=(5, 2))
        await stage.until(lambda: not stage.at_home)
        assert "p/2" in stage.line("#detail-text")
        await stage.press("j", "pagedown", "escape")
        assert stage.at_home

    play(script, FakeEngine(idle(dirty=tuple(dirty(f"p/{n}") for n in range(20)))))


def test_blanks_take_the_style_of_the_text_beside_them() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        found = stage.main.pane.list
        strip = found.render_line(1)
        assert strip.cell_length == found.size.width
        assert len(list(strip)) <= 5
        assert "p/1" in strip.text

    play(script, FakeEngine(idle(dirty=tuple(dirty(f"p/{n}") for n in range(3)))))
