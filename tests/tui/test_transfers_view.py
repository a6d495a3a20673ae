"""View 3: what its rows, its summary and its details say."""

from msgspec.structs import replace

from s3dash.core.progress import Limits
from s3dash.core.snapshot import AutoSync
from s3dash.tui.screens.bandwidth import BandwidthScreen
from tests.tui.driver import NARROW, TINY, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, transfer
from tests.tui.test_transfers import mixed, with_rows

# --- what it shows ------------------------------------------------------------------------


def test_a_transfer_that_backs_off_says_for_how_long_and_why() -> None:
    row = replace(
        transfer(1, "active", 10), retry_at=1012.0, waits_for="503 SlowDown ×3", attempt=3
    )
    engine = with_rows(row)

    async def script(stage: Stage) -> None:
        await stage.press("3")
        assert "◷ waits 12 s" in stage.rows()[0]
        await stage.press("enter")
        assert "backing off 12 s (503 SlowDown ×3)" in stage.text()

    play(script, engine)


def test_a_failed_row_says_why_and_when_it_is_tried_next() -> None:
    engine = with_rows(replace(transfer(1, "failed", 10), attempt=6))
    engine.snap = replace(engine.snap, auto=AutoSync(True, 30.0, 12.0))

    async def script(stage: Stage) -> None:
        await stage.press("3", "enter")
        shown = stage.text()
        assert "503 SlowDown" in shown
        assert "R tries it again; auto-sync does so in 00:12" in shown
        assert "attempt   6" in shown

    play(script, engine)


def test_parts_and_wishes_are_shown() -> None:
    row = replace(transfer(1, "active", 20 << 20, 64 << 20), part_size=8 << 20)
    engine = with_rows(row, replace(transfer(2, "active", 5), wish="pause"))

    async def script(stage: Stage) -> None:
        await stage.press("3")
        text = stage.text()
        assert " 3/8 " in text
        assert "‖ pausing" in text

    play(script, engine, size=(200, 40))


def test_the_filter_asks_for_a_state() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "slash", *"state:queued", "enter")
        assert len(stage.main.pane.model) == 3

    play(script, engine)


def test_hostile_names_are_made_safe_in_rows_and_in_what_is_told() -> None:
    row = replace(transfer(1, "active", 5), path=HOSTILE, waits_for=HOSTILE, retry_at=1010.0)
    engine = with_rows(row)

    async def script(stage: Stage) -> None:
        await stage.press("3", "t")
        await stage.until(lambda: engine.asked("transfers.pause"))
        await stage.settle()
        assert "\x1b" not in stage.text()
        assert "\u202e" not in stage.text()

    play(script, engine)


def test_it_works_on_every_size() -> None:
    for size in (NARROW, (60, 20), TINY):
        engine = mixed()

        async def script(stage: Stage, engine: FakeEngine = engine) -> None:
            await stage.press("3", "t")
            await stage.until(lambda: engine.asked("transfers.pause"))
            await stage.settle()
            assert "file-1" in stage.text()
            await stage.press("b")
            await stage.opened(BandwidthScreen)
            assert "over all transfers" in stage.text()

        play(script, engine, size=size)


def test_limits_of_an_engine_that_told_nothing_are_those_configured() -> None:
    assert FakeEngine().snap.progress.limits == Limits()
