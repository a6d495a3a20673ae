"""What the screen does not do: write without a reason, paint more than has changed."""

from typing import Any

import pytest
from msgspec.structs import replace
from textual._compositor import CompositorUpdate
from textual.geometry import Region, Size
from textual.screen import Screen

from s3dash.core.snapshot import AutoSync, State
from s3dash.tui.app import TICKS_A_SECOND
from s3dash.tui.cells import Cell, one
from s3dash.tui.widgets.line import changed_rows
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import SLICE, LineModel
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine, busy, dirty, idle

VIEWS = ["1", "2", "3", "4", "5", "6", "7", "9"]


class Output:
    """All that would go to a terminal, listened to where Textual hands it on."""

    def __init__(self, stage: Stage) -> None:
        self.texts: list[str] = []
        app, original = stage.app, stage.app._display

        def display(screen: Screen[Any], renderable: Any) -> None:
            if isinstance(renderable, CompositorUpdate):
                self.texts.append(renderable.render_segments(app.console))
            original(screen, renderable)

        app._display = display  # type: ignore[method-assign] # listens, and passes all on

    @property
    def bytes(self) -> int:
        return sum(len(text.encode()) for text in self.texts)


async def pass_seconds(stage: Stage, engine: FakeEngine, seconds: int, left: float | None) -> None:
    """Time goes by tick by tick: auto-sync counts down, the latency is never twice the same, and
    the engine looks whether there is anything new."""
    for tick in range(seconds * TICKS_A_SECOND):
        stage.clock.advance(1 / TICKS_A_SECOND)
        auto = engine.snap.auto
        if left is not None:
            left -= 1 / TICKS_A_SECOND
            auto = replace(auto, next_in_s=left)
        state: State = "comparing" if tick % 3 == 1 else "idle"
        latency, detail = 41.0 + tick % 20, f"{tick % 2} paths compared"
        engine.snap = replace(
            engine.snap, auto=auto, latency_ms=latency, state=state, detail=detail
        )
        stage.app._tick()
        await stage.rest()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("auto", [False, True], ids=["auto off", "auto on"])
def test_nothing_is_written_while_nothing_changes(auto: bool, view: str) -> None:
    left = 29.0 if auto else None
    engine = FakeEngine(replace(busy(), locks=(), auto=AutoSync(auto, 30.0, left)))

    async def script(stage: Stage) -> None:
        await stage.press(view)
        await stage.until(lambda: not any(w.is_running for w in stage.app.workers))
        await stage.settle()
        output = Output(stage)
        await pass_seconds(stage, engine, 5, left)
        assert output.texts == []
        engine.snap = replace(engine.snap, healthy=False, message="gone")
        await stage.settle()
        assert "OFFLINE" in "".join(output.texts), "the listener hears what is written"

    play(script, engine)


class Lines:
    """Counts the lines of a list that are laid out and rendered."""

    def __init__(self, found: LineList[Any]) -> None:
        self.rendered: list[int] = []
        original = found.render_line

        def render_line(y: int) -> Any:
            self.rendered.append(y)
            return original(y)

        found.render_line = render_line  # type: ignore[method-assign] # as above


def test_a_key_in_a_million_rows_renders_two_lines_and_writes_little() -> None:
    rows = tuple(dirty(f"p/{n % 1000}") for n in range(1000)) * 1000

    async def script(stage: Stage) -> None:
        await stage.press("2")
        lines, output = Lines(stage.main.pane.list), Output(stage)
        await stage.press("j")
        await stage.until(lambda: output.texts)
        assert lines.rendered == [0, 1]
        assert output.bytes < 4096

    play(script, FakeEngine(idle(dirty=rows)))


def test_a_filter_over_many_rows_goes_on_in_one_chain_of_short_slices() -> None:
    rows = tuple(dirty(f"p/{n:06d}") for n in range(50_000))

    async def script(stage: Stage) -> None:
        await stage.press("2", "slash")
        pane = stage.main.pane
        slices = Slices(pane.model)
        calls: list[None] = []
        original = pane._filter_slice

        def filter_slice() -> None:
            calls.append(None)
            original()

        pane._filter_slice = filter_slice  # type: ignore[method-assign] # listens, and passes all on
        await stage.press("9")
        for _ in range(5):
            assert pane.model.filtering
            stage.main.show()
        await stage.until(lambda: not pane.model.filtering)
        assert slices.taken() == [SLICE] * 12 + [2_000]
        assert len(calls) == 12, "a second chain would go on beside the first"
        found = len(pane.model)
        assert found == sum("9" in row.path for row in rows)
        await stage.press("8")
        await stage.until(lambda: not pane.model.filtering)
        assert len(pane.model) == sum("98" in row.path for row in rows)
        assert sum(slices.taken()) == found, "only what had passed is looked at again"

    play(script, FakeEngine(idle(dirty=rows)))


class Slices:
    """Counts the rows that a filter looks at, one number for each time that it is asked."""

    def __init__(self, model: LineModel[Any]) -> None:
        self._looked: list[int] = []
        original = model.filter_some

        def left() -> int:
            return sum(map(len, model._todo)) - model._next

        def filter_some(budget: int = SLICE) -> bool:
            before = left()
            more = original(budget)
            self._looked.append(before - left())
            return more

        model.filter_some = filter_some  # type: ignore[method-assign] # listens, and passes all on

    def taken(self) -> list[int]:
        looked, self._looked = self._looked, []
        return looked


# --- blocks -----------------------------------------------------------------------------


def lines(*texts: str) -> list[Cell]:
    return [one(text) for text in texts]


@pytest.mark.parametrize(
    ("before", "fresh", "rows"),
    [
        (lines("a", "b", "c"), lines("a", "x", "c"), [(1, 1)]),
        (lines("a", "b", "c"), lines("x", "b", "z"), [(0, 1), (2, 1)]),
        (lines("a", "b"), lines("a", "b", "c"), [(2, 1)]),
        (lines("a", "b", "c"), lines("a"), [(1, 1), (2, 1)]),
        (lines("a", "b" * 30, "c"), lines("a", "b" * 30, "x"), [(2, 3)]),
        (lines("a" * 30, "b", "c"), lines("x", "b", "c"), [(0, 5)]),
    ],
    ids=["one line", "two lines", "longer", "shorter", "below a wrapped line", "wrapped before"],
)
def test_a_block_repaints_the_rows_that_changed(
    before: list[Cell], fresh: list[Cell], rows: list[tuple[int, int]]
) -> None:
    found = changed_rows(before, fresh, Size(20, 10))
    assert found == [Region(0, y, 20, height) for y, height in rows]
