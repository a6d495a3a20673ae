"""Push, pull and sync: the plan first, and only what was shown."""

import threading
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from s3dash.core.diff import Verdict
from s3dash.core.plan import Item, Plan, make_plan
from s3dash.core.report import Failed, Result
from s3dash.tui.screens.plan import PlanScreen
from s3dash.tui.widgets.line_list import LineList
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, change, dirty, idle, refusing

NEW = change("b/new.txt", Verdict.LOCAL_ADDED, 2048)
EDIT = change("a/edit.txt", Verdict.LOCAL_MODIFIED)
GONE = change("c/gone.txt", Verdict.LOCAL_DELETED)
THEIRS = change("d/theirs.txt", Verdict.REMOTE_ADDED)


def engine(*changes: object) -> FakeEngine:
    made = FakeEngine(idle(dirty=(dirty("a/edit.txt"), dirty("b/new.txt", "added"))))
    made.changes = list(changes)  # type: ignore[arg-type] # changes, loosely typed for brevity
    return made


def ran(made: FakeEngine) -> list[str]:
    """The paths of the plan that was run, once."""
    [(plan, _)] = made.asked("run")
    assert isinstance(plan, Plan)
    return [item.path for item in plan.items]


async def planned(stage: Stage, key: str = "P") -> PlanScreen:
    await stage.press(key)
    screen = await stage.opened(PlanScreen)
    await stage.until(lambda: stage.line("#plan-totals") != "one moment")
    await stage.rest()
    stage.clock.advance(1.0)
    assert isinstance(screen, PlanScreen)
    return screen


@pytest.mark.parametrize(
    ("key", "direction", "paths", "size"),
    [
        ("P", "push", ["b/new.txt"], WIDE),
        ("p", "pull", ["d/theirs.txt"], NARROW),
        ("s", "sync", ["b/new.txt", "d/theirs.txt"], TINY),
    ],
)
def test_enter_runs_a_plan_that_destroys_nothing(
    key: str, direction: str, paths: list[str], size: tuple[int, int]
) -> None:
    made = engine(NEW, THEIRS)

    async def script(stage: Stage) -> None:
        await planned(stage, key)
        await stage.press("enter")
        await stage.until(lambda: made.asked("run"))
        assert made.asked("plan") == [(direction, ())]
        assert ran(made) == paths

    play(script, made, size=size)


def test_the_result_is_the_last_event() -> None:
    made = engine(NEW)
    made.on_run = lambda: made.note("2 pushed")

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("enter")
        await stage.until(lambda: stage.app.look.running is None and made.asked("run"))
        await stage.settle()
        await stage.until(lambda: "push done: 2 up" in stage.event)
        await stage.until(lambda: "commit 18" in stage.event)

    play(script, made)


def test_the_plan_shows_totals_reasons_and_deletions_first() -> None:
    async def script(stage: Stage) -> None:
        await planned(stage)
        assert "1 delete in bucket" in stage.line("#plan-totals")
        rows = stage.rows("#plan-list")
        assert "c/gone.txt" in rows[0]
        assert "deleted here" in rows[0]
        assert "overwrite" in rows[1]
        assert "new here" in rows[2]

    play(script, engine(NEW, EDIT, GONE))


@pytest.mark.parametrize("what", [EDIT, GONE])
def test_enter_never_overwrites_or_deletes_in_the_bucket(what: object) -> None:
    made = engine(what)

    async def script(stage: Stage) -> None:
        await planned(stage)
        assert stage.app.focused is stage.app.screen.query_one("#cancel")
        stage.app.screen.query_one("#plan-list").focus()
        for _ in range(5):
            stage.clock.advance(1.0)
            await stage.press("enter")
        assert "enter never deletes or overwrites" in stage.line("#plan-note")
        await stage.press("tab", "enter")
        assert stage.at_home
        assert not made.asked("run")

    play(script, made)


def test_y_runs_what_destroys_and_passes_the_number_of_deletions_seen() -> None:
    made = engine(NEW, EDIT, GONE)

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("y")
        await stage.until(lambda: made.asked("run"))
        assert ran(made) == ["c/gone.txt", "a/edit.txt", "b/new.txt"]
        assert made.asked("run")[0][1] == 1

    play(script, made)


def test_keys_that_come_too_early_or_repeat_confirm_nothing() -> None:
    made = engine(NEW, GONE)

    async def script(stage: Stage) -> None:
        await planned(stage)
        screen = stage.app.screen
        assert isinstance(screen, PlanScreen)
        screen.ready(await stage.app.ask(lambda: made.plan("push")))
        for _ in range(6):
            stage.clock.advance(0.2)
            await stage.press("y")
            await stage.press("enter")
        assert not made.asked("run")
        assert stage.app.screen is screen
        stage.clock.advance(0.31)
        await stage.press("y")
        await stage.until(lambda: made.asked("run"))

    play(script, made)


def test_space_leaves_a_row_out() -> None:
    made = engine(NEW, EDIT, GONE)

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("space", "space")
        assert "☐ 2 left out" in stage.line("#plan-totals")
        assert "☐" in stage.rows("#plan-list")[0]
        await stage.press("k", "k", "space")
        assert "☑" in stage.rows("#plan-list")[0]
        await stage.press("y")
        await stage.until(lambda: made.asked("run"))
        assert ran(made) == ["c/gone.txt", "b/new.txt"]

    play(script, made)


@pytest.mark.parametrize("key", ["escape", "q"])
def test_closing_the_plan_does_nothing(key: str) -> None:
    made = engine(NEW)

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press(key)
        assert stage.at_home
        assert not made.asked("run")

    play(script, made)


def test_an_empty_plan_says_so_and_runs_nothing() -> None:
    made = engine()

    async def script(stage: Stage) -> None:
        await stage.press("P")
        await stage.opened(PlanScreen)
        await stage.until(lambda: "Nothing to push." in stage.text())
        stage.clock.advance(1.0)
        await stage.press("y")
        await stage.press("enter")
        assert stage.at_home
        assert not made.asked("run")

    play(script, made)


def test_a_plan_that_fails_tells_why_and_what_helps() -> None:
    made = engine(NEW)
    made.error["plan"] = refusing("connection refused [/x]", "is the server up?")

    async def script(stage: Stage) -> None:
        await stage.press("P")
        await stage.opened(PlanScreen)
        await stage.until(lambda: "connection refused [/x]" in stage.text())
        assert "is the server up?" in stage.text()
        await stage.press("escape")
        assert stage.at_home

    play(script, made)


def test_marked_paths_alone_are_pushed_from_dirty() -> None:
    made = engine(NEW, EDIT)

    async def script(stage: Stage) -> None:
        await stage.press("2", "j", "space")
        assert "1 marked" in stage.line("#dirty-summary")
        await planned(stage)
        assert made.asked("plan") == [("push", ("b/new.txt",))]
        assert "1 marked path" in stage.text()
        await stage.press("enter")
        await stage.until(lambda: made.asked("run"))
        assert ran(made) == ["b/new.txt"]

    play(script, made)


def test_shift_x_cancels_what_runs_and_the_end_is_told() -> None:
    made = engine(NEW)
    made.gate = threading.Event()

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("enter")
        await stage.until(made.running.is_set)
        await stage.press("3")
        assert "X cancel all" in stage.line("#keys")
        await stage.press("X")
        await stage.until(lambda: stage.app.look.running is None)
        assert "push cancelled" in stage.event

    play(script, made)


def test_while_one_runs_no_other_is_planned() -> None:
    made = engine(NEW)
    made.gate = threading.Event()

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("enter")
        await stage.until(made.running.is_set)
        await stage.press("p")
        assert "a push is running" in stage.event
        assert stage.at_home
        assert len(made.asked("plan")) == 1
        assert made.gate is not None
        made.gate.set()
        await stage.until(lambda: stage.app.look.running is None)

    play(script, made)


def test_a_failed_run_tells_its_reason() -> None:
    made = engine(NEW)
    made.error["run"] = refusing("the lock was lost")

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("enter")
        await stage.until(lambda: "push failed: the lock was lost" in stage.event)
        assert stage.app.look.running is None

    play(script, made)


def test_an_unexpected_exception_is_told_without_its_values_and_the_screen_lives_on() -> None:
    made = engine(NEW)
    made.error["run"] = ValueError("secret hunter2")

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("enter")
        await stage.until(lambda: "unexpected ValueError" in stage.event)
        assert "hunter2" not in stage.text()
        await stage.press("2")
        assert stage.main.pane.view.name == "dirty"

    play(script, made)


def test_partial_failure_names_the_first_path() -> None:
    made = engine(NEW)
    made.result = Result(action="push", pushed=1, failed=[Failed(HOSTILE, "503")])

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("enter")
        await stage.until(lambda: "1 failed" in stage.event)
        assert "[/x]\\x1b" in stage.event

    play(script, made)


@pytest.mark.parametrize("key", ["P", "p", "s", "A"])
def test_a_reader_is_told_why_it_may_not_write(key: str) -> None:
    made = FakeEngine(idle(read_only="pid 12 on vm"))

    async def script(stage: Stage) -> None:
        await stage.press(key)
        assert "read-only: this cache belongs to pid 12 on vm" in stage.event
        assert stage.at_home
        assert not made.asked("plan")
        assert not made.asked("set_auto")

    play(script, made)


def test_hostile_paths_do_not_break_the_plan() -> None:
    made = engine(change(HOSTILE, Verdict.LOCAL_ADDED))

    async def script(stage: Stage) -> None:
        await planned(stage)
        assert "a[/x]\\x1b[31m" in stage.text()
        assert "\x1b" not in stage.text()

    play(script, made)


def test_the_list_moves_though_cancel_has_the_focus() -> None:
    async def script(stage: Stage) -> None:
        await planned(stage)
        found = stage.app.screen.query_one("#plan-list", LineList)
        for key, line in (("G", 29), ("k", 28), ("g", 0), ("j", 1), ("ctrl+u", 0), ("end", 29)):
            await stage.press(key)
            assert found.model.cursor == line, key

    play(script, engine(*(change(f"f/{n:02d}", Verdict.LOCAL_DELETED) for n in range(30))))


def test_a_click_on_run_is_a_yes_and_one_on_cancel_a_no() -> None:
    made = engine(EDIT)

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.pilot.click("#cancel")
        await stage.until(lambda: stage.at_home)
        assert not made.asked("run")
        await planned(stage)
        await stage.pilot.click("#run")
        await stage.until(lambda: made.asked("run"))

    play(script, made)


def test_a_plan_with_too_many_deletions_says_so() -> None:
    made = engine(*(change(f"f/{n}", Verdict.REMOTE_DELETED) for n in range(200)))

    async def script(stage: Stage) -> None:
        await planned(stage, "p")
        assert "this deletes 200 of 318 known files" in stage.line("#plan-note")
        await stage.press("y")
        await stage.until(lambda: made.asked("run"))
        assert made.asked("run")[0][1] == 200

    play(script, made)


MANY = [change(f"{top}/{n}.txt", Verdict.LOCAL_ADDED) for top in ("keep", "drop") for n in range(5)]


async def filtered(stage: Stage, text: str) -> None:
    await stage.press("slash")
    for letter in text:
        await stage.press(letter)
    await stage.press("enter")
    stage.clock.advance(1.0)


def test_a_filter_shows_some_rows_and_all_of_them_can_be_left_out() -> None:
    made = engine(*MANY)

    async def script(stage: Stage) -> None:
        await planned(stage)
        await filtered(stage, "drop")
        assert "5 of 10 rows are shown" in stage.line("#plan-why")
        assert "also what the filter hides" in stage.line("#plan-note")
        await stage.press("a")
        assert "5 rows left out: they stay as they are" in stage.line("#plan-note")
        assert "☐ 5 left out" in stage.line("#plan-totals")
        await stage.press("escape")
        assert isinstance(stage.app.screen, PlanScreen)
        assert len(stage.rows("#plan-list")) == 10
        await stage.press("enter")
        await stage.until(lambda: made.asked("run"))
        assert ran(made) == [f"keep/{n}.txt" for n in range(5)]

    play(script, made)


def test_leaving_all_out_twice_takes_them_in_again() -> None:
    made = engine(*MANY)

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("a")
        assert "☐ 10 left out" in stage.line("#plan-totals")
        assert not stage.app.screen.query_one("#run").display
        await stage.press("a")
        assert "10 rows taken in again" in stage.line("#plan-note")
        assert "left out" not in stage.line("#plan-totals")

    play(script, made)


def test_a_range_follows_the_row_that_was_left_out_last() -> None:
    made = engine(*MANY)

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("space", "j", "j", "v")
        assert "☐ 4 left out" in stage.line("#plan-totals")

    play(script, made)


@pytest.mark.parametrize(
    ("text", "rows"), [("action:delete", 1), ("why:new", 1), ("!gone", 2), ("nothing", 1)]
)
def test_the_filter_knows_the_action_and_the_reason(text: str, rows: int) -> None:
    async def script(stage: Stage) -> None:
        await planned(stage)
        await filtered(stage, text)
        assert len(stage.rows("#plan-list")) == rows

    play(script, engine(NEW, EDIT, GONE))


def test_the_enter_that_keeps_a_filter_runs_nothing_however_long_it_is_held() -> None:
    made = engine(NEW)

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("slash", "n")
        for _ in range(30):
            stage.clock.advance(1 / 30)
            await stage.press("enter")
        assert not made.asked("run")
        assert isinstance(stage.app.screen, PlanScreen)

    play(script, made)


def test_letters_typed_into_the_filter_are_no_commands() -> None:
    made = engine(EDIT, NEW)

    async def script(stage: Stage) -> None:
        await planned(stage)
        await stage.press("slash", "y", "a", "q", "v", "space")
        assert isinstance(stage.app.screen, PlanScreen)
        assert "left out" not in stage.line("#plan-totals")
        assert not made.asked("run")

    play(script, made)


def test_each_row_says_why_and_what_each_side_has() -> None:
    async def script(stage: Stage) -> None:
        await planned(stage)
        stage.app.screen.query_one("#plan-list").focus()
        await stage.press("g")
        assert stage.line("#plan-why") == "deleted here  (bucket 1.00 KiB)"
        await stage.press("j")
        assert "here 1.00 KiB, bucket 1.00 KiB" in stage.line("#plan-why")

    play(script, engine(NEW, EDIT, GONE), size=NARROW)


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), TINY])
def test_at_every_size_the_totals_a_row_and_the_warning_are_seen(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await planned(stage)
        shown = stage.text()
        assert "1 delete in bucket" in shown
        assert "deletes or overwrites" in shown
        assert "Cancel" in shown
        assert "☑" in shown

    play(script, engine(GONE), size=size)


class Counted(tuple[Item, ...]):
    """Items that count how often somebody goes over all of them."""

    rounds = 0

    def __iter__(self) -> Iterator[Item]:
        Counted.rounds += 1
        return super().__iter__()


def test_a_key_in_a_plan_of_a_hundred_thousand_rows_never_goes_over_all_of_them() -> None:
    rows = [change(f"f/{n:06}", Verdict.LOCAL_MODIFIED) for n in range(100_000)]
    plan = make_plan(rows, direction="push", known=100_000)

    async def script(stage: Stage) -> None:
        screen = await planned(stage)
        screen.ready(replace(plan, items=Counted(plan.items)))
        await stage.rest()
        before = Counted.rounds
        await stage.press("j", "space", "G", "k", "space", "pageup")
        assert Counted.rounds == before
        assert "☐ 2 left out" in stage.line("#plan-totals")

    play(script, engine(NEW))
