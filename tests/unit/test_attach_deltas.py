"""What an owner tells of its snapshot, and what its guest makes of that: always the same."""

import random
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.attach.deltas import Differ
from s3dash.attach.frames import Facts
from s3dash.attach.mirror import Mirror
from s3dash.clock import SystemClock
from s3dash.core.progress import Counts, Progress, Transfer
from s3dash.core.report import PathChange
from s3dash.core.snapshot import AutoSync, DirtyRow, Snapshot


class Hands(SystemClock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


class Pair:
    """An owner and a guest, and what went between them."""

    def __init__(self, *, rows: bool = True) -> None:
        self.clock = Hands()
        self.differ = Differ(rows=rows)
        self.mirror = Mirror(self.clock, {"attached": "pid 1 (watch)"})
        self.frames: list[Facts] = []

    def tell(self, snapshot: Snapshot) -> Snapshot:
        self.frames = [*self.differ.since(snapshot, self.clock.at)]
        for facts in self.frames:
            self.mirror.take(facts)
        seen = self.mirror.snapshot()
        assert seen is not None
        return seen


def row(number: int, size: int = 1) -> DirtyRow:
    return DirtyRow(f"files/{number:05}", "added", size, "2026-01-01T00:00:00.000Z", "new here")


def snapshot(**fields: Any) -> Snapshot:
    return Snapshot(datastore="a", namespace=None, state="idle", **fields)


def shown(seen: Snapshot) -> Snapshot:
    """As the owner has it."""
    return replace(seen, attached="")


def moving(rows: list[Transfer]) -> Progress:
    states = ("queued", "active", "paused", "failed", "done", "cancelled")
    return Progress(rows, Counts(**{s: sum(r.state == s for r in rows) for s in states}))


def test_the_first_is_whole_and_without_news_nothing_goes() -> None:
    pair = Pair()
    now = snapshot(dirty=(row(1),), files=3)
    assert shown(pair.tell(now)) == now
    assert pair.tell(now).attached == "pid 1 (watch)"
    assert pair.frames == []
    again = replace(now, progress=Progress(), dirty=(row(1),))
    assert shown(pair.tell(again)) == again
    assert pair.frames == [], "equal is no news, be it another object"


def test_one_row_of_many_goes_alone_and_others_stay_the_same_objects() -> None:
    pair = Pair()
    rows = tuple(row(n) for n in range(5000))
    before = pair.tell(snapshot(dirty=rows, behind=(PathChange("x", "added", 1),)))
    assert [s.field for f in pair.frames for s in f.splices] == ["behind", *["dirty"] * 3]
    changed = (*rows[:700], row(700, 9), *rows[701:])
    after = pair.tell(snapshot(dirty=changed, behind=(PathChange("x", "added", 1),)))
    assert after.dirty == changed
    assert after.behind is before.behind
    assert after.dirty[4999] is before.dirty[4999]
    [splice] = [s for facts in pair.frames for s in facts.splices]
    assert (splice.start, splice.removed) == (700, 1)
    assert len(bytes(splice.rows)) < 200


@pytest.mark.parametrize("seed", range(40))
def test_any_sequence_of_snapshots_comes_out_as_it_went_in(seed: int) -> None:
    dice, pair = random.Random(seed), Pair()
    transfers = [Transfer(0, "up", "p", 5)]
    rows: list[DirtyRow] = []
    next_id = 1
    for _ in range(30):
        for _ in range(dice.randrange(4)):
            at = dice.randrange(len(rows) + 1)
            if rows and dice.random() < 0.4:
                del rows[at : at + dice.randrange(5)]
            else:
                rows[at:at] = [row(dice.randrange(9)) for _ in range(dice.randrange(4))]
        for _ in range(dice.randrange(3)):
            transfers.append(Transfer(next_id, "down", f"p{next_id}", dice.randrange(9)))
            next_id += 1
        if dice.random() < 0.2:
            transfers = [t for t in transfers if dice.random() < 0.7]
            dice.shuffle(transfers)
        for one in transfers:
            if dice.random() < 0.5:
                one.done += 1
                one.state = dice.choice(("queued", "active", "done"))
        now = snapshot(
            dirty=tuple(rows),
            files=dice.randrange(3),
            message=dice.choice(("", "hm")),
            progress=moving([*transfers]),
        )
        assert shown(pair.tell(now)) == now, seed


def test_rows_of_transfers_are_live_and_finished_ones_cost_nothing() -> None:
    pair = Pair()
    rows = [Transfer(n, "up", f"p{n}", 10, state="active") for n in range(3)]
    held = pair.tell(snapshot(progress=moving(rows))).progress.transfers[1]
    rows[1].done = 7
    assert pair.tell(snapshot(progress=moving(rows))).progress.transfers[1] is held
    assert held.done == 7
    for one in rows:
        one.state = "done"
    pair.tell(snapshot(progress=moving(rows)))
    assert held.state == "done"
    pair.tell(snapshot(progress=moving(rows)))
    assert pair.frames == []


def test_times_that_run_by_themselves_are_told_once() -> None:
    pair = Pair()
    auto = AutoSync(True, 30.0, next_in_s=20.0)
    pair.tell(snapshot(next_look_s=20.0, lock_held_s=1.0, auto=auto))
    pair.clock.at += 5
    seen = pair.mirror.snapshot()
    assert seen is not None
    assert (seen.next_look_s, seen.lock_held_s, seen.auto.next_in_s) == (15.0, 6.0, 15.0)
    auto = replace(auto, next_in_s=15.1)
    pair.tell(snapshot(next_look_s=15.1, lock_held_s=6.1, auto=auto))
    assert pair.frames == []
    for _ in range(5):  # due, and waiting for something else
        pair.clock.at += 100
        due = snapshot(next_look_s=0.0, lock_held_s=pair.clock.at - 999.0)
        seen = pair.tell(replace(due, auto=replace(auto, next_in_s=0.0)))
        assert (seen.next_look_s, seen.auto.next_in_s) == (0.0, 0.0)
    assert pair.frames == []
    assert pair.tell(snapshot(next_look_s=30.0)).next_look_s == 30.0
    assert pair.tell(snapshot(lock_held_s=0.1)).lock_held_s == pytest.approx(0.1)
    assert pair.tell(snapshot()).lock_held_s is None


def test_a_command_is_told_no_rows() -> None:
    pair = Pair(rows=False)
    seen = pair.tell(snapshot(dirty=(row(1),), files=3))
    assert (seen.dirty, seen.files) == ((), 3)
