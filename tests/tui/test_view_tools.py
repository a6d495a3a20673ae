"""Freeze, zoom and wide, in any view."""

import pytest
from msgspec.structs import replace

from s3dash.core.progress import Rate
from s3dash.core.snapshot import DirtyRow
from s3dash.tui.views.dirty import DirtyView
from s3dash.tui.widgets.freeze import FEW, MANY, Frozen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, busy, dirty, idle, lock, moving, transfer
from tests.tui.outside import FakeOutside
from tests.tui.test_views import look


def rows(number: int) -> FakeEngine:
    return FakeEngine(idle(dirty=tuple(dirty(f"p/{n}") for n in range(number))))


# --- freeze -------------------------------------------------------------------------------


def test_a_frozen_list_stands_still_while_the_header_goes_on() -> None:
    engine = rows(2)

    async def script(stage: Stage) -> None:
        await stage.press("2", "f")
        assert "‖ FROZEN" in stage.line("#dirty-summary")
        assert "nothing new" in stage.line("#dirty-summary")
        engine.snap = replace(engine.snap, dirty=(dirty("q/new"), dirty("p/0")), state="pushing")
        await stage.settle()
        assert "p/0" in stage.rows()[0]
        assert "p/1" in stage.rows()[1]
        assert "pushing" in stage.line("#header")
        assert "2 Dirty 2" in stage.line("#tabs")
        assert "2 changes waiting" in stage.line("#dirty-summary")
        await stage.press("f")
        assert "q/new" in stage.rows()[0]
        assert "FROZEN" not in stage.line("#dirty-summary")

    play(script, engine)


def test_transfers_stand_still_though_their_rows_live() -> None:
    moves = [transfer(1, "active", 256 << 10), transfer(2, "queued")]
    engine = FakeEngine(idle(progress=moving(moves, Rate(1e6, 0.0))))

    async def script(stage: Stage) -> None:
        await stage.press("3")
        await stage.press("f")
        before = stage.rows()
        moves[0].done, moves[1].state = 512 << 10, "active"
        engine.snap = replace(engine.snap, progress=moving(moves, Rate(2e6, 0.0)))
        stage.clock.advance(5)
        await stage.settle()
        await stage.press("j", "k")
        assert stage.rows() == before
        assert "25%" in stage.line("#detail")
        assert "change" in stage.line("#transfers-summary")
        await stage.press("f")
        assert stage.rows() != before

    play(script, engine)


def test_a_frozen_view_stays_so_while_another_is_looked_at() -> None:
    engine = rows(2)

    async def script(stage: Stage) -> None:
        await stage.press("2", "f", "9", "2")
        assert "FROZEN" in stage.line("#dirty-summary")
        await stage.press("9")
        assert "FROZEN" not in stage.line("#log-summary")

    play(script, engine)


def test_escape_lets_it_go_on_before_it_leaves_the_view() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "f", "escape")
        assert not stage.main.pane.frozen
        assert stage.main.pane.view.name == "dirty"
        await stage.press("escape")
        assert stage.main.pane.view.name == "overview"

    play(script, rows(2))


def test_another_datastore_is_never_shown_frozen() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "f", "1", "j", "enter", "2")
        assert not stage.main.pane.frozen
        assert "q/1" in stage.rows()[0]

    play(script, rows(2), FakeEngine(idle("staging", None, dirty=(dirty("q/1"),))))


def test_a_frozen_list_can_be_filtered_and_walked() -> None:
    engine = rows(9)

    async def script(stage: Stage) -> None:
        await stage.press("2", "f")
        engine.snap = replace(engine.snap, dirty=())
        await stage.settle()
        await stage.press("slash", *"p/7", "enter")
        assert len(stage.main.pane.model) == 1
        assert stage.line("#detail").startswith("p/7")

    play(script, engine)


@pytest.mark.parametrize("size", [NARROW, (60, 20), TINY])
def test_the_badge_is_there_at_every_size(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "f")
        assert "FROZEN" in stage.text()

    play(script, rows(2), size=size)


@pytest.mark.parametrize("number", "123469")
def test_every_view_freezes_and_goes_on(number: str) -> None:
    engine = FakeEngine(busy(progress=moving([transfer(1, "active")], Rate())))

    async def script(stage: Stage) -> None:
        await stage.press(number, "f")
        name = stage.main.pane.view.name
        assert "FROZEN" in stage.line(f"#{name}-summary")
        engine.note("more")
        await stage.settle()
        await stage.press("f")
        assert not stage.main.pane.frozen
        assert "goes on" in stage.event

    play(script, engine)


# --- zoom ---------------------------------------------------------------------------------


def test_zoom_gives_the_list_the_width_and_is_kept_for_its_view() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        before = stage.main.pane.list.size.width
        await stage.press("m")
        assert not stage.main.query_one("#detail").display
        assert stage.main.pane.list.size.width > before + 30
        assert "WHY" in stage.line("#dirty-heading")
        await stage.press("9")
        assert stage.main.query_one("#detail").display
        await stage.press("2")
        assert not stage.main.query_one("#detail").display
        await stage.press("m")
        assert stage.main.query_one("#detail").display
        assert stage.main.pane.list.size.width == before

    play(script, rows(2))


def test_zoom_on_a_short_screen_takes_the_frame_as_well() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        before = stage.main.pane.list.size
        await stage.press("m")
        after = stage.main.pane.list.size
        assert after.height == before.height + 3
        assert after.width == before.width + 2
        await stage.press("m")
        assert stage.main.pane.list.size == before

    play(script, rows(50), size=NARROW)


# --- wide ---------------------------------------------------------------------------------


def test_wide_shows_all_columns_and_moves_sideways_over_them() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        assert "WHY" not in stage.line("#dirty-heading")
        await stage.press("w", "right", "right", "right", "right", "right")
        assert "WHY" in stage.line("#dirty-heading")
        assert "content differs" in stage.rows()[0]
        heading = stage.line("#dirty-heading")
        assert stage.rows()[0].index("content") == heading.index("WHY")
        await stage.press("left", "left", "left", "left", "left")
        assert "CHANGE" in stage.line("#dirty-heading")
        await stage.press("w")
        assert "WHY" not in stage.line("#dirty-heading")

    play(script, rows(5), size=NARROW)


def test_wide_off_comes_back_to_the_left() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "w", "right", "right", "w")
        assert stage.main.pane.list.scroll_offset.x == 0
        assert "CHANGE" in stage.line("#dirty-heading")
        assert "modified" in stage.rows()[0]

    play(script, rows(5), size=NARROW)


def test_wide_is_kept_for_its_view_and_through_a_resize() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "w", "4")
        assert not stage.main.pane.wide
        await stage.press("2", "right", "right", "right", "right", "right")
        await stage.pilot.resize_terminal(60, 20)
        await stage.rest()
        assert stage.main.pane.wide
        assert stage.main.pane.list.virtual_size.width > 100
        await stage.pilot.resize_terminal(160, 40)
        await stage.rest()
        assert "WHY" in stage.line("#dirty-heading")

    play(script, FakeEngine(idle(dirty=(dirty("a"),), locks=(lock(),))), size=NARROW)


def test_where_all_fits_wide_changes_nothing() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "m")
        before = stage.rows()
        await stage.press("w", "right")
        assert stage.rows() == before

    play(script, rows(5), size=(160, 40))


def test_the_tools_are_in_the_palette() -> None:
    async def script(stage: Stage) -> None:
        found = {c.title for c in stage.app.get_system_commands(stage.main)}
        for title in ("freeze  (f)", "zoom  (m)", "wide  (w)", "export  (E)", "copy URI  (Y)"):
            assert title in found

    play(script, size=WIDE, outside=FakeOutside())


# --- what waits behind a frozen list ------------------------------------------------------


def frozen_dirty(*paths: str) -> tuple[Frozen[DirtyRow], DirtyView]:
    view = DirtyView()
    return Frozen(view, look(idle(dirty=tuple(dirty(p) for p in paths)))), view


@pytest.mark.parametrize(
    ("after", "waiting"),
    [
        ((dirty("a"), dirty("b")), 0),
        ((dirty("a"),), 1),
        ((dirty("a"), dirty("b"), dirty("c")), 1),
        ((dirty("a", size=9), dirty("b")), 1),
        ((dirty("b"), dirty("a")), 0),
        ((), 2),
    ],
)
def test_rows_that_came_went_or_changed_are_counted(
    after: tuple[DirtyRow, ...], waiting: int
) -> None:
    frozen, _ = frozen_dirty("a", "b")
    assert frozen.waiting(look(idle(dirty=after))) == waiting


def test_many_rows_are_compared_too_and_very_many_only_counted() -> None:
    frozen, _ = frozen_dirty(*(f"p/{n}" for n in range(FEW + 1)))
    after = tuple(dirty(f"p/{n}", size=1 if n < 3 else 2048) for n in range(FEW + 1))
    assert frozen.waiting(look(idle(dirty=after))) == 3
    after = tuple(dirty(f"p/{n}") for n in range(MANY + 1))
    assert frozen.waiting(look(idle(dirty=after))) == MANY - FEW
