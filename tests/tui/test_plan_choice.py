import random

import pytest
from msgspec.structs import replace

from s3dash.core.diff import Verdict
from s3dash.core.plan import Change, Direction, make_plan
from s3dash.tui.cells import plain
from s3dash.tui.plan_choice import PlanChoice
from tests.tui.fake_engine import change


def choice(*changes: Change, direction: Direction = "push", known: int = 100) -> PlanChoice:
    return PlanChoice(make_plan(changes, direction=direction, known=known))


EDIT = change("a", Verdict.LOCAL_MODIFIED, 1024)
NEW = change("b", Verdict.LOCAL_ADDED, 2048)
GONE = change("c", Verdict.LOCAL_DELETED)
CLASH = change("d", Verdict.BOTH_MODIFIED)
THEIRS = change("e", Verdict.REMOTE_MODIFIED, 4096)
DROPPED = change("f", Verdict.REMOTE_DELETED)


def test_totals_name_deletions_first_and_bytes_each_way() -> None:
    made = choice(EDIT, NEW, GONE, CLASH, THEIRS, DROPPED, direction="sync")
    assert plain(made.totals()) == (
        "✖ 1 delete in bucket   ✖ 1 delete here   ▲ 1 overwrite   ▲ 1 upload   ⚠ 1 conflict"
        "   ▼ 1 download   ↑ 3.00 KiB   ↓ 4.00 KiB"
    )
    made.toggle(made.plan.items[0])
    assert "delete in bucket" not in plain(made.totals())
    assert "☐ 1 left out" in plain(made.totals())


def test_what_is_left_out_is_not_in_the_plan_that_runs() -> None:
    made = choice(EDIT, NEW)
    made.toggle(made.plan.items[0])
    assert [item.path for item in made.chosen.items] == ["b"]
    made.toggle(made.plan.items[0])
    assert len(made.chosen.items) == 2


def test_a_new_file_needs_no_yes_but_an_overwrite_or_a_deletion_does() -> None:
    assert not choice(NEW).needs_yes
    assert choice(EDIT).needs_yes
    assert choice(GONE).needs_yes


def test_leaving_the_destructive_rows_out_takes_the_yes_away() -> None:
    made = choice(NEW, GONE)
    made.toggle(made.plan.items[0])
    assert not made.needs_yes


def test_a_conflict_alone_is_nothing_to_run_and_cannot_be_toggled() -> None:
    made = choice(CLASH)
    assert not made.runs
    made.toggle(made.plan.items[0])
    assert made.leave_out(made.plan.items) == 0
    assert made.left_out == set()


def test_many_deletions_here_need_a_yes_too_and_are_counted() -> None:
    rows = [change(f"f{n}", Verdict.REMOTE_DELETED) for n in range(8)]
    made = choice(*rows, direction="pull", known=10)
    assert made.needs_yes
    assert made.warning == "this deletes 8 of 10 known files"
    assert made.deletions == 8
    few = choice(*rows[:2], direction="pull", known=10)
    assert not few.needs_yes
    assert few.warning == ""


def test_all_of_some_can_be_left_out_and_taken_in_again() -> None:
    made = choice(EDIT, NEW, GONE, CLASH)
    assert made.leave_out(made.plan.items) == 3
    assert not made.runs
    assert made.leave_out(made.plan.items) == 0
    assert made.take_in(made.plan.items[:2]) == 2
    assert len(made.left_out) == 1


def test_a_renamed_file_sends_no_bytes() -> None:
    old = change("old", Verdict.LOCAL_DELETED)
    made = choice(replace(NEW, local=replace(NEW.local, sha256="c" * 64)), old)  # type: ignore[type-var] # it has a local side
    assert "↑" not in plain(made.totals())


@pytest.mark.parametrize("seed", range(20))
def test_however_rows_come_and_go_the_answers_are_those_of_the_plan_that_runs(seed: int) -> None:
    dice = random.Random(seed)
    verdicts = [v for v in Verdict if v is not Verdict.IN_SYNC]
    changes = [change(f"p{n}", dice.choice(verdicts), dice.randrange(9)) for n in range(30)]
    made = choice(*changes, direction="sync", known=dice.choice((0, 10, 40)))
    for _ in range(60):
        made.toggle(dice.choice(made.plan.items))
        fresh = PlanChoice(made.chosen)
        assert made.runs is fresh.runs
        assert made.deletions == fresh.deletions
        assert made.warning == fresh.warning
        assert made.needs_yes == (made.chosen.destructive or bool(made.warning))
