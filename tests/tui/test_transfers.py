"""View 3: every key of it, and what it tells."""

import threading

from msgspec.structs import replace
from textual.widgets import Input

from s3dash.core.diff import Verdict
from s3dash.core.progress import Rate, Transfer
from s3dash.core.report import Result
from s3dash.core.snapshot import AutoSync
from s3dash.tui.flows.transfers import stepped
from s3dash.tui.screens.bandwidth import BandwidthScreen, bandwidth_of
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.plan import PlanScreen
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine, change, idle, moving, refusing, transfer


def with_rows(*rows: Transfer) -> FakeEngine:
    return FakeEngine(idle(state="pushing", progress=moving(list(rows), Rate(1 << 20, 0.0))))


def mixed() -> FakeEngine:
    """1 and 2 active, 3 to 5 queued, 6 failed, 7 done, in the order of the list."""
    return with_rows(
        transfer(1, "active", 512 << 10),
        transfer(2, "active", 100),
        *(transfer(n, "queued") for n in (3, 4, 5)),
        transfer(6, "failed", 10),
        transfer(7, "done", 1 << 20),
    )


def states(engine: FakeEngine) -> dict[int, str]:
    return {row.id: row.state for row in engine.snap.progress.transfers}


def name(number: int) -> str:
    return f"data/file-{number}.bin"


# --- pause --------------------------------------------------------------------------------


def test_t_pauses_the_row_and_lets_it_go_on() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "t")
        await stage.until(lambda: engine.asked("transfers.pause"))
        assert engine.asked("transfers.pause") == [([1],)]
        await stage.until(lambda: stage.event.endswith(f"paused {name(1)}"))
        await stage.settle()
        assert any("‖ paused" in line and "file-1" in line for line in stage.rows())
        assert stage.main.pane.model.current.id == 1  # type: ignore[union-attr] # it has rows
        await stage.press("t")
        await stage.until(lambda: stage.event.endswith(f"resumed {name(1)}"))

    play(script, engine)
    assert states(engine)[1] == "queued"


def test_t_takes_the_marked_rows() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "j", "space", "space", "space", "t")
        await stage.until(lambda: engine.asked("transfers.pause"))
        assert engine.asked("transfers.pause") == [([2, 3, 4],)]
        await stage.until(lambda: stage.event.endswith("paused 3 transfers"))
        await stage.settle()
        await stage.press("t")
        await stage.until(lambda: engine.asked("transfers.resume"))
        assert engine.asked("transfers.resume") == [([2, 3, 4],)]

    play(script, engine)


def test_t_on_what_is_over_says_so() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "G", "t")
        await stage.until(lambda: engine.asked("transfers.resume"))
        await stage.rest()
        await stage.until(lambda: stage.event.endswith(f"nothing to resume: {name(7)} is done"))

    play(script, engine)


def test_shift_t_pauses_all_and_lets_all_go_on() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "T")
        await stage.until(lambda: engine.asked("transfers.pause"))
        assert engine.asked("transfers.pause") == [(None,)]
        await stage.until(lambda: "paused all: 5 transfers" in stage.event)
        await stage.settle()
        assert "all that is left is paused: 5" in stage.line("#transfers-summary")
        await stage.press("T")
        await stage.until(lambda: engine.asked("transfers.resume"))
        await stage.until(lambda: "all go on: 5 transfers" in stage.event)

    play(script, engine)


def test_nothing_that_moves_is_told_as_the_reason() -> None:
    engine = with_rows(transfer(7, "done", 1 << 20))

    async def script(stage: Stage) -> None:
        for key in "tTxKJ":
            await stage.press("3", key)
            assert "nothing moves" in stage.event, key
        await stage.press("R")
        assert "nothing has failed" in stage.event
        await stage.press("X")
        assert "nothing runs" in stage.event

    play(script, engine)
    assert not [call for call in engine.calls if call[0].startswith("transfers.")]


# --- cancel -------------------------------------------------------------------------------


def test_x_cancels_the_row_at_once() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "x")
        await stage.until(lambda: engine.asked("transfers.cancel"))
        assert stage.at_home
        await stage.until(lambda: stage.event.endswith(f"cancelled {name(1)}, nothing changed"))

    play(script, engine)
    assert [n for n, state in states(engine).items() if state == "cancelled"] == [1]


def test_x_cancels_all_that_are_marked() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "a", "x")
        await stage.until(lambda: engine.asked("transfers.cancel"))
        assert engine.asked("transfers.cancel") == [([1, 2, 3, 4, 5, 6, 7],)]
        await stage.until(lambda: stage.event.endswith("cancelled 5 transfers, nothing changed"))

    play(script, engine)


async def started(stage: Stage, engine: FakeEngine) -> None:
    """A push that goes on until it is cancelled."""
    engine.gate = threading.Event()
    engine.changes = [change("files/new", Verdict.LOCAL_ADDED)]
    await stage.press("P")
    await stage.opened(PlanScreen)
    await stage.until(lambda: stage.line("#plan-totals") != "one moment")
    await stage.rest()
    stage.clock.advance(1.0)
    await stage.press("enter")
    await stage.until(lambda: engine.asked("run"))


def test_shift_x_asks_when_many_run_and_then_cancels_the_operation() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await started(stage, engine)
        await stage.press("3", "X")
        await stage.opened(DecideScreen)
        assert "5 transfers to go" in stage.line("#decide-text")
        await stage.press("enter")
        assert stage.at_home
        assert not engine.asked("transfers.cancel")
        await stage.press("X")
        await stage.opened(DecideScreen)
        await stage.press("y")
        await stage.until(lambda: "cancelled" in stage.event)
        assert engine.asked("transfers.cancel") == [(None,)]
        assert stage.app.look.running is None

    play(script, engine)


def test_a_yes_that_comes_after_its_end_cancels_nothing() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await started(stage, engine)
        await stage.press("3", "X")
        await stage.opened(DecideScreen)
        assert engine.gate is not None
        engine.gate.set()
        await stage.until(lambda: stage.app.look.running is None)
        await stage.press("y")
        await stage.until(lambda: "had ended already: nothing was cancelled" in stage.event)
        assert not engine.asked("transfers.cancel")

    play(script, engine)


def test_shift_x_cancels_a_few_at_once() -> None:
    engine = with_rows(transfer(1, "active", 10), transfer(2, "queued"))

    async def script(stage: Stage) -> None:
        await started(stage, engine)
        await stage.press("3", "X")
        await stage.until(lambda: "push cancelled" in stage.event)
        assert stage.at_home

    play(script, engine)
    assert engine.asked("transfers.cancel") == [(None,)]


def test_shift_x_stops_an_auto_sync_too() -> None:
    engine = with_rows(transfer(1, "active", 10))
    engine.snap = replace(engine.snap, auto=AutoSync(True, 30.0, 0.0, running_s=2.0))

    async def script(stage: Stage) -> None:
        await stage.press("3", "X")
        await stage.until(lambda: engine.auto.cancelled)

    play(script, engine)
    assert engine.asked("transfers.cancel") == [(None,)]


# --- retry --------------------------------------------------------------------------------


def test_shift_r_tries_the_failed_row_again_and_no_other() -> None:
    engine = mixed()
    engine.result = Result(action="push", pushed=1, bytes_up=10)

    async def script(stage: Stage) -> None:
        await stage.press("3", "j", "j", "j", "j", "j", "R")
        await stage.until(lambda: "push done" in stage.event)
        assert "1 up" in stage.event
        assert stage.app.look.running is None

    play(script, engine)
    assert engine.asked("transfers.retry") == [([6],)]


def test_of_the_marked_ones_only_those_that_failed_are_tried_again() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "a", "R")
        await stage.until(lambda: "push done" in stage.event)
        await stage.press("g", "backslash", "R")
        await stage.until(lambda: "only what failed is tried again" in stage.event)

    play(script, engine)
    assert engine.asked("transfers.retry") == [([6],)]


def test_a_retry_can_be_cancelled_and_is_in_the_way_of_another() -> None:
    engine = mixed()
    engine.gate = threading.Event()

    async def script(stage: Stage) -> None:
        await stage.press("3", "a", "R")
        await stage.until(lambda: engine.asked("transfers.retry"))
        await stage.press("R")
        await stage.until(lambda: "a push is running; X in 3 Transfers cancels it" in stage.event)
        await stage.press("X")
        await stage.opened(DecideScreen)
        await stage.press("y")
        await stage.until(lambda: "retry cancelled" in stage.event)

    play(script, engine)


def test_a_retry_that_fails_tells_why() -> None:
    engine = mixed()
    engine.error["transfers.retry"] = refusing("the lock is held by ann", hint="wait")

    async def script(stage: Stage) -> None:
        await stage.press("3", "a", "R")
        await stage.until(lambda: "retry failed: the lock is held by ann" in stage.event)
        assert stage.app.look.running is None

    play(script, engine)


# --- order, number, bandwidth -------------------------------------------------------------


def test_k_and_j_change_the_priority_and_the_order() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "j", "j", "j", "j", "K")
        await stage.until(lambda: engine.asked("transfers.raise"))
        await stage.until(lambda: stage.event.endswith(f"sooner: {name(5)}"))
        await stage.settle()
        at = [n for n, line in enumerate(stage.rows()) if "file-5" in line]
        assert at == [2]
        assert "· queued +1" in stage.rows()[2]
        assert stage.main.pane.model.cursor == 2
        await stage.press("j", "J")
        await stage.until(lambda: engine.asked("transfers.lower"))
        await stage.settle()
        assert "queued -1" in stage.rows()[4]

    play(script, engine)
    assert (engine.asked("transfers.raise"), engine.asked("transfers.lower")) == (
        [([5],)],
        [([3],)],
    )


def test_plus_and_minus_change_how_many_go_up_at_once() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "plus")
        await stage.until(lambda: engine.asked("transfers.allow"))
        assert engine.asked("transfers.allow") == [(30, None)]
        await stage.until(lambda: stage.event.endswith("30 uploads at once"))
        await stage.settle()
        assert "30▲ 50▼ at once" in stage.line("#transfers-summary")
        await stage.press("minus")
        await stage.until(lambda: len(engine.asked("transfers.allow")) == 2)
        assert engine.asked("transfers.allow")[1] == (25, None)

    play(script, engine, size=(160, 40))


def test_without_a_direction_that_moves_both_change() -> None:
    engine = FakeEngine()

    async def script(stage: Stage) -> None:
        await stage.press("3", "minus")
        await stage.until(lambda: engine.asked("transfers.allow"))
        assert engine.asked("transfers.allow") == [(20, 45)]
        await stage.until(lambda: stage.event.endswith("20 uploads and 45 downloads at once"))

    play(script, engine)


def test_the_steps_are_fine_below_ten_and_fives_above() -> None:
    assert [stepped(n, 1) for n in (1, 7, 9, 10, 12, 25)] == [2, 8, 10, 15, 15, 30]
    assert [stepped(n, -1) for n in (1, 2, 10, 12, 15, 25)] == [1, 1, 9, 10, 10, 20]


def test_b_sets_the_bandwidth_and_takes_it_away() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "b")
        screen = await stage.opened(BandwidthScreen)
        assert "now: no limit" in stage.line("#bandwidth-text")
        typed = screen.query_one(Input)
        typed.value = "ten"
        await stage.rest()
        assert "not a rate" in stage.line("#bandwidth-text")
        await stage.press("enter")
        assert not stage.at_home
        typed.value = "10MiB/s"
        await stage.rest()
        assert "at most 10.0 MiB/s" in stage.line("#bandwidth-text")
        await stage.press("enter")
        await stage.until(lambda: engine.asked("transfers.throttle"))
        assert engine.asked("transfers.throttle") == [(10 << 20,)]
        await stage.until(lambda: "at most 10.0 MiB/s over all transfers" in stage.event)
        await stage.settle()
        assert "≤ 10.0 MiB/s" in stage.line("#transfers-summary")
        await stage.press("b")
        screen = await stage.opened(BandwidthScreen)
        screen.query_one(Input).value = "0"
        await stage.press("enter")
        await stage.until(lambda: len(engine.asked("transfers.throttle")) == 2)
        await stage.until(lambda: "no bandwidth limit" in stage.event)

    play(script, engine, size=(160, 40))


def test_escape_leaves_the_bandwidth_as_it_is() -> None:
    engine = mixed()

    async def script(stage: Stage) -> None:
        await stage.press("3", "b")
        await stage.opened(BandwidthScreen)
        await stage.press("5", "escape")
        assert stage.at_home

    play(script, engine)
    assert not engine.asked("transfers.throttle")


def test_rates_as_people_write_them() -> None:
    given = ("10MiB/s", " 500k ", "0", "1.5 M/s", "fast", "")
    assert [bandwidth_of(text) for text in given] == [10 << 20, 500_000, 0, 1_500_000, None, None]
