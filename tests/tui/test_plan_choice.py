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


def test_totals_count_what_is_taken() -> None:
    made = choice(EDIT, NEW, GONE, CLASH)
    assert plain(made.totals()) == (
        "✖ 1 delete in bucket   ▲ 1 overwrite 1.00 KiB   ▲ 1 upload 2.00 KiB   ⚠ 1 conflict"
    )
    made.toggle(made.plan.items[0])
    assert "delete" not in plain(made.totals())
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
