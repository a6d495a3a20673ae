"""Ratios, limits and verdicts; rounds in which everybody takes a turn."""

import json
from pathlib import Path

import pytest

from benchmarks import bench, figures
from benchmarks.contest import LIMIT, OURS, Entrant, Played, hold, turned
from benchmarks.figures import Figure
from benchmarks.runs import Spent
from benchmarks.standing import Counted, Row, as_json, costs, from_json, markdown, speeds, ways
from benchmarks.works import GOALS, Goal, Task, Work, tasks

PLAIN = Goal(ratio=1.5)
UNCOUNTED = Counted()


def spent(seconds: float, peak_mb: float = 50.0) -> Spent:
    return Spent(seconds=seconds, processor_s=seconds / 2, peak_mb=peak_mb, server_s=0.25)


def played(*seconds: float, peak_mb: float = 50.0) -> Played:
    return Played(
        way="a way",
        tried={"a way": seconds[0], "another": 9.0},
        runs=[spent(one, peak_mb) for one in seconds],
        loads=[0.5 for _ in seconds],
    )


def row(
    ours: float,
    *,
    peer: float = 3.0,
    limit: float = 0.5,
    goal: Goal = PLAIN,
    peak_mb: float = 50.0,
    counted: Counted = UNCOUNTED,
) -> Row:
    task = Task(name="push, 3 × 5 KiB", work=Work.PUSH, count=3, size=5120, goal=goal)
    everyone = {
        OURS: played(ours, peak_mb=peak_mb),
        "quick": played(peer),
        "slow": played(peer * 2),
        LIMIT: played(limit),
    }
    return Row(task=task, played=everyone, counted=counted)


# --- verdicts -------------------------------------------------------------------------------


def test_the_ratio_is_the_best_peers_median_to_ours() -> None:
    everyone = {
        OURS: played(1.0, 4.0, 2.0),
        "quick": played(9.0, 5.0, 6.0),
        "slow": played(7.0, 7.0, 7.0),
        LIMIT: played(0.5),
    }
    task = Task(name="push", work=Work.PUSH, count=3, size=5120, goal=PLAIN)
    found = Row(task=task, played=everyone)
    assert (found.best, found.ratio, found.share) == ("quick", 3.0, 0.25)
    assert set(found.peers) == {"quick", "slow"}


def test_the_limit_is_the_fastest_run_of_the_bare_generator() -> None:
    found = row(3.4)
    found.played[LIMIT].tried = {"a way": 4.5}
    found.played[LIMIT].runs[:] = [spent(5.0), spent(3.0), spent(6.0)]
    assert found.limit == 3.0
    found.played[LIMIT].tried = {"a way": 4.5, "another": 2.5}
    assert found.limit == 2.5


@pytest.mark.parametrize(
    ("ours", "limit", "verdict"),
    [
        (2.0, 0.5, "met"),
        (2.1, 0.5, "MISSED: ratio 1.43"),
        (2.5, 2.24, "MISSED: ratio 1.20"),
        (2.5, 2.25, "met"),
    ],
)
def test_a_goal_is_met_by_the_ratio_or_at_the_limit_of_the_server(
    ours: float, limit: float, verdict: str
) -> None:
    assert row(ours, limit=limit).verdict == verdict


@pytest.mark.parametrize(
    ("goal", "counted", "verdict"),
    [
        (Goal(ratio=1, peak_mb=200), Counted(), "MISSED: peak 201 MB"),
        (Goal(ratio=1, peak_mb=201), Counted(), "met"),
        (Goal(ratio=1, requests=2), Counted(requests=2), "met"),
        (Goal(ratio=1, requests=2), Counted(requests=3), "MISSED: 3 requests"),
        (Goal(ratio=1, requests=2), Counted(), "MISSED: requests not counted"),
        (Goal(ratio=1, uploaded=0), Counted(uploaded=0), "met"),
        (Goal(ratio=1, uploaded=0), Counted(uploaded=9), "MISSED: 9 bytes of files sent"),
    ],
)
def test_memory_requests_and_bytes_are_bounds_too(
    goal: Goal, counted: Counted, verdict: str
) -> None:
    assert row(1.0, goal=goal, counted=counted, peak_mb=201).verdict == verdict


def test_a_row_survives_the_document() -> None:
    before = row(2.0, goal=GOALS[Work.RENAME], counted=Counted(requests=7, uploaded=0))
    document = json.loads(json.dumps(as_json(before)))
    assert from_json(document) == before
    assert document["ratio"] == 1.5
    assert document["best_peer"] == "quick"
    assert document["entrants"][OURS]["median_s"] == 2.0
    assert document["entrants"][OURS]["server_s"] == 0.25


# --- tables ---------------------------------------------------------------------------------


def test_the_tables_name_everyone_and_mark_the_best_peer() -> None:
    rows = [row(1.0, goal=GOALS[Work.NOTHING], counted=Counted(requests=2))]
    head, _, line = speeds(rows).splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        "work", "s3dash", "quick", "slow", "best / ours", "goal", "limit", "limit / ours",
        "verdict",
    ]  # fmt: skip
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "push, 3 × 5 KiB", "1 (1–1)", "**3**", "6", "3.00", "≥ 5, ≤ 2 requests", "0.5", "0.50",
        "MISSED: ratio 3.00",
    ]  # fmt: skip
    assert "| 2 " in costs(rows).splitlines()[2]
    assert "another 9 s" in ways(rows)


def test_a_table_stands_in_columns() -> None:
    lines = markdown([["a", "long head"], ["a long cell", "b"]]).splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}


def test_the_rows_are_those_of_the_goals() -> None:
    full, quick = tasks(quick=False), tasks(quick=True)
    assert {task.work for task in full.values()} == {task.work for task in quick.values()}
    assert {task.work for task in full.values()} == set(Work)
    assert full["push-10000"].name == "cold push, 10,000 × 5 KiB"
    assert full["big-pull-4"].name == "pull, 4 × 128 MiB"
    assert full["nothing-10000"].goal == Goal(ratio=5, requests=2)
    assert max(task.count for task in quick.values()) == 1_000
    assert list(tasks(quick=True, named=False)) == [
        "push-1000", "pull-1000", "nothing-1000", "changed-1000",
    ]  # fmt: skip


def test_an_earlier_run_is_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = Figure(what="status", value=400.0, unit="ms", at_most=500.0)
    document = {
        "machine": {"rclone": "rclone v1.75.2"},
        "rows": [as_json(row(1.0))],
        "figures": figures.as_json([figure]),
        "missed": [],
        "broken": [],
    }
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert bench.main(["--from", str(tmp_path / "run.json")]) == 0
    shown = capsys.readouterr().out
    assert "rclone: rclone v1.75.2" in shown
    assert speeds([row(1.0)]) in shown
    assert figures.table([figure]) in shown


@pytest.mark.parametrize("words", [["push-17"], ["--quick", "push-10000"]])
def test_a_row_that_there_is_not_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bench.main(words)
    assert f"there is no row {words[-1]}" in capsys.readouterr().err


# --- rounds ---------------------------------------------------------------------------------


class Book:
    """Entrants whose runs take what is written, and who ran when."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def entrant(self, name: str, **seconds: float) -> Entrant:
        def play(way: str) -> Spent:
            self.ran.append(f"{name} {way}")
            return spent(seconds[way])

        return Entrant(name=name, ways=tuple(seconds), play=play)


@pytest.fixture
def book() -> Book:
    return Book()


def test_each_tries_its_ways_and_goes_on_with_the_fastest(book: Book) -> None:
    entrants = [book.entrant("a", one=2.0, two=1.0), book.entrant("b", one=3.0)]
    found = hold(entrants, 2, say="test")
    assert book.ran == ["a one", "a two", "b one", "a two", "b one", "b one", "a two"]
    assert found["a"].way == "two"
    assert found["a"].tried == {"one": 2.0, "two": 1.0}
    assert len(found["a"].runs) == len(found["a"].loads) == 2


def test_without_a_trial_each_takes_its_first_way(book: Book) -> None:
    found = hold([book.entrant("a", one=2.0, two=1.0)], 1, say="test", trial=False)
    assert book.ran == ["a one"]
    assert (found["a"].way, found["a"].tried) == ("one", {})


def test_every_round_begins_with_another(book: Book) -> None:

    circle = [book.entrant(name, one=1.0) for name in "abc"]
    orders = [[entrant.name for entrant in turned(circle, number)] for number in range(4)]
    assert ["".join(order) for order in orders] == ["abc", "bca", "cab", "abc"]
