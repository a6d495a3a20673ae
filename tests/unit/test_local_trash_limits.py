"""The limits of the trash: what is old or too much goes, bytes that nobody judged never do."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s3dash.clock import SystemClock
from s3dash.local.trash import Reason, Trash, Trashed
from s3dash.local.trash_limits import Enforced, Limits, enforce

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NO_LIMIT = Limits(0, 0)


class At(SystemClock):
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class World:
    """A trash into which files of any age go."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = At()
        self.trash = Trash(home / "trash", self.clock)
        self.in_place: set[str] = set()
        self.asked: list[str] = []

    def keep(self, body: bytes, reason: str = Reason.REPLACED, *, days: float = 0) -> Trashed:
        self.clock.time = NOW - days * DAY
        path = self.home / "file"
        path.write_bytes(body)
        return self.trash.keep(path, "file", reason)

    def enforce(self, limits: Limits) -> Enforced:
        return enforce(self.trash, limits, now=NOW, is_in_place=self._is_in_place)

    def _is_in_place(self, item: Trashed) -> bool:
        self.asked.append(item.id)
        return item.id in self.in_place

    def left(self) -> list[bytes]:
        return [self.trash.path(t.id).read_bytes() for t in self.trash.list()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_without_a_limit_nothing_goes(world: World) -> None:
    world.keep(b"old", days=9999)
    assert world.enforce(NO_LIMIT) == Enforced()
    assert world.enforce(Limits(30, 2**40)) == Enforced(dropped=1, freed=3)
    assert (
        enforce(
            Trash(world.home / "none", world.clock),
            Limits(1, 1),
            now=NOW,
            is_in_place=lambda _: True,
        )
        == Enforced()
    )


def test_age_takes_what_is_older_and_no_more(world: World) -> None:
    world.keep(b"older", days=31)
    world.keep(b"just", days=29.9)
    assert world.enforce(Limits(30, 0)).dropped == 1
    assert world.left() == [b"just"]


def test_size_takes_the_oldest_until_it_fits(world: World) -> None:
    for days, name in ((5, b"5555"), (4, b"4444"), (3, b"3333"), (2, b"2222")):
        world.keep(name, days=days)
    done = world.enforce(Limits(0, 9))
    assert (done.dropped, done.freed) == (2, 8)
    assert world.left() == [b"3333", b"2222"]
    assert world.enforce(Limits(0, 8)) == Enforced()


@pytest.mark.parametrize("reason", [Reason.LOST, Reason.OVERWRITTEN, Reason.UNKNOWN, "anything"])
def test_what_nobody_judged_stays_whatever_the_limits_say(world: World, reason: str) -> None:
    world.keep(b"unresolved", reason, days=999)
    done = world.enforce(Limits(1, 1))
    assert (done.dropped, done.kept, done.kept_bytes) == (0, 1, 10)
    assert world.left() == [b"unresolved"]


def test_it_goes_when_the_file_in_its_place_has_the_same_bytes(world: World) -> None:
    item = world.keep(b"resolved", Reason.LOST, days=999)
    world.in_place.add(item.id)
    assert world.enforce(Limits(1, 0)).dropped == 1


def test_a_settled_file_is_not_compared_and_a_young_one_not_looked_at(world: World) -> None:
    world.keep(b"settled", days=999)
    world.keep(b"young", Reason.LOST)
    world.enforce(Limits(1, 0))
    assert world.asked == []


def test_bytes_that_a_program_wrote_on_after_it_moved_stay(world: World) -> None:
    item = world.keep(b"settled", days=999)
    with world.trash.path(item.id).open("ab") as handle:
        handle.write(b", and more")
    world.in_place.add(item.id)
    assert world.enforce(Limits(1, 1)).kept == 1
    assert world.left() == [b"settled, and more"]


def test_a_file_whose_record_was_lost_stays(world: World) -> None:
    item = world.keep(b"whose?", days=999)
    world.trash.path(item.id).with_suffix(".json").unlink()
    assert world.enforce(Limits(1, 1)).kept == 1
    assert world.left() == [b"whose?"]


def test_what_must_stay_does_not_save_what_is_younger(world: World) -> None:
    world.keep(b"unresolved", Reason.LOST, days=9)
    world.keep(b"settled", days=8)
    assert world.enforce(Limits(0, 10)) == Enforced(1, 7, 1, 10)
    assert world.left() == [b"unresolved"]


@pytest.mark.parametrize("seed", range(30))
def test_by_any_dice_only_what_may_go_goes_and_the_limits_hold_for_it(
    tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    world = World(tmp_path)
    items = [
        world.keep(bytes(dice.randrange(1, 9)), dice.choice(list(Reason)), days=dice.randrange(9))
        for _ in range(dice.randrange(12))
    ]
    world.in_place = {item.id for item in items if dice.random() < 0.2}
    limits = Limits(dice.choice((0, 3, 6)), dice.choice((0, 5, 20)))
    world.enforce(limits)
    left = {t.id for t in world.trash.list()}
    may = {item.id for item in items if item.settled or item.id in world.in_place}
    gone = {item.id for item in items} - left
    assert gone <= may
    over = limits.size and sum(world.trash.sizes().values()) > limits.size
    assert not (over and left & may)
    old = {item.id for item in items if item.at < f"{NOW - limits.age_days * DAY:%Y-%m-%dT%H}"}
    assert not (limits.age_days and left & may & old)
