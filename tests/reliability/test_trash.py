"""Machines at random, deciding conflicts, restoring, with a trash that is told to hold nothing.

Promise: whatever a user wrote, and nobody has since gone on from knowingly, stays readable in the
bucket, in a cache or in a trash, whichever side of a conflict it lost, and however small the
trash is told to be.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from s3dash.core.settings import Take
from s3dash.engine.engine import Engine
from tests.engine.storm import Storm, weather
from tests.engine.world import Machine
from tests.reliability.powercut import SURVIVALS, Disk, Process
from tests.reliability.test_crash_points import (
    AFTER,
    BEFORE,
    World,
    at_odds,
    litter,
    pushed,
    readable,
)
from tests.tally import Effort

POLICIES = ("ask", "ask", "ask", "ask", "keep-both", "local", "remote")
"""Mostly the conflicts wait, so that users decide them one by one."""

STEPS = 60
SMALLEST = 1


def _count(effort: Effort, storms: list[Storm]) -> None:
    effort.count("storms", len(storms))
    effort.count("conflicts resolved", sum(storm.done["resolve"] for storm in storms))
    effort.count("files restored", sum(storm.done["restore"] for storm in storms))
    effort.count("files dropped by the limits", sum(map(_dropped, storms)))


def _dropped(storm: Storm) -> int:
    """Files that left a trash, as the histories tell."""
    rows = [row for machine in storm.machines for row in machine.history()]
    told = [row.text for row in rows if row.operation == "trash" and " files left it" in row.text]
    return sum(int(text.split()[0]) for text in told)


@pytest.mark.timeout(1800)
def test_a_trash_without_room_drops_nothing_that_nobody_judged(
    tmp_path: Path, effort: Effort
) -> None:
    storms, dice = [], effort.dice()
    for n in range(effort.pick(4, 100)):
        home, seed = tmp_path / str(n), dice.randrange(1 << 30)
        storm = weather(
            home, seed, peer=False, policies=POLICIES, steps=STEPS, trash_max_size=SMALLEST
        )
        _nothing_settled_is_left(storm)
        storms.append(storm)
    _count(effort, storms)
    assert sum(map(_dropped, storms)) > 0


@pytest.mark.timeout(1800)
def test_beside_a_plain_peer_no_side_of_a_conflict_is_lost(tmp_path: Path, effort: Effort) -> None:
    """Without limits: what a plain client writes over blindly nobody went on from knowingly."""
    storms, dice = [], effort.dice()
    for n in range(effort.pick(4, 60)):
        home, seed = tmp_path / str(n), dice.randrange(1 << 30)
        storms.append(weather(home, seed, peer=True, policies=POLICIES, steps=STEPS))
    _count(effort, storms)


def _nothing_settled_is_left(storm: Storm) -> None:
    """The limits do what they are for: after a sync there is only what must stay."""
    for machine in storm.machines:
        machine.sync(policy="keep-both", max_delete=100)
        left = [item for item in machine.trash() if item.expires]
        records = [json.dumps([item.path, item.reason]) for item in left]
        assert not left, storm.story(f"NOT DROPPED {machine.home.name} {records}")


# --- ends in the middle ----------------------------------------------------------------------


GONE = BEFORE["files/gone"]
ALIVE = frozenset({*AFTER.values(), "edited by bob", "added by bob", "only bob has it"})


def _resolve(take: Take) -> Callable[[Engine], object]:
    return lambda engine: engine.resolve("files/edit", take=take)


def _restore(engine: Engine | Machine) -> None:
    (item,) = [item for item in engine.trash() if item.path == "files/gone"]
    engine.restore_trash(item.id)


def _deleted(home: Path) -> World:
    """Bob has pulled a deletion: his file is in the trash, and nowhere else."""
    world = pushed(home)
    world.machine("bob").pull()
    return world


@dataclass(frozen=True)
class Case:
    begin: Callable[[Path], World]
    act: Callable[[Engine], object]
    alive: frozenset[str]


CASES = {
    "take local": Case(at_odds, _resolve("local"), ALIVE),
    "take remote": Case(at_odds, _resolve("remote"), ALIVE),
    "take both": Case(at_odds, _resolve("both"), ALIVE),
    "restore": Case(_deleted, _restore, frozenset({GONE, *AFTER.values()})),
}


def _die(case: Case, world: World, *, at: int, survival: str) -> Process:
    """Do it up to step `at`; the disk is then what survives."""
    home = world.home / "bob"
    (home / "state/trash").mkdir(parents=True, exist_ok=True)
    disk = Disk([home / "cache", home / "state/trash"], *SURVIVALS[survival])
    disk.settle()
    process = Process(home, at=at)
    process.disk = disk
    engine = world.machine("bob", process).engine()
    with process.running():
        try:
            case.act(engine)
        finally:
            process.disk = None  # what follows is not its doing
    engine.stop()
    disk.cut()
    return process


def _go_on(world: World, story: str, effort: Effort, alive: frozenset[str]) -> None:
    """What a user does then: sync, keep all, look for what is missing in the trash."""
    bob = world.machine("bob")
    for _ in range(2):
        bob.sync(policy="keep-both", max_delete=10)
    found = readable(world)
    effort.lost([text for text in alive if text.encode() not in found], story)
    assert bob.conflicts() == [], story
    assert litter(bob) == [], story
    if GONE in alive and "files/gone" not in bob.files():
        _restore(bob)
    if GONE in alive:
        assert bob.read("files/gone").decode() == GONE, story


@pytest.mark.timeout(900)
@pytest.mark.parametrize("survival", SURVIVALS)
@pytest.mark.parametrize("name", CASES)
def test_a_decision_or_a_restore_ends_at_any_step(
    tmp_path: Path, effort: Effort, name: str, survival: str
) -> None:
    case = CASES[name]
    start = case.begin(tmp_path / "start")
    steps = _die(case, start.copy(tmp_path / "whole"), at=0, survival=survival).steps
    stride = effort.pick(13, 1)
    for at in range(1 + effort.dice().randrange(stride), steps + 1, stride):
        world = start.copy(tmp_path / str(at))
        process = _die(case, world, at=at, survival=survival)
        assert process.dead
        end = f"seed {effort.seed}: {name} ends at {at} of {steps}, {survival}"
        story = "\n".join([*process.story, end])
        found = readable(world)
        effort.lost([text for text in case.alive if text.encode() not in found], story)
        _go_on(world, story, effort, case.alive)
        effort.count("steps at which a decision or a restore ended")
        shutil.rmtree(world.home)
