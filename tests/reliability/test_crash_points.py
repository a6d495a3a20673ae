"""One push, one pull and one sync end at every single step: nothing is lost, torn or doubled.

Steps are requests to the store (before and after), fsyncs, renames, links, removals, new files
and directories, and commits of the state file. After each the process is dead, or the power is:
then names and bytes that had no fsync are gone as well. A failure names the operation, the step
and what survived; the story lists every step up to there.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from s3dash.local import syncfs
from s3dash.local.fsio import RUN, staging_dir
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.ends import all_have, aside, commit_seq, trash
from tests.engine.storm import FastClock
from tests.engine.world import Machine, contents
from tests.reliability.powercut import SURVIVALS, Disk, Process
from tests.tally import Effort

BEFORE = {
    "files/edit": "base",
    "files/gone": "base of gone",
    "files/old name": "the same under another name",
    "files/stay": "base of stay",
    "logs/deep/down/only": "alone in its directory",
}
AFTER = {
    "files/edit": "edited by ada",
    "files/new name": "the same under another name",
    "files/stay": "base of stay",
    "data/t/id/new/1/raw": "added by ada",
}
EDITED = {**AFTER, "files/edit": "edited again", "logs/new": "added again"}


class World:
    """Two machines on one bucket in memory, below `home`; one of them is to die."""

    def __init__(self, home: Path, bucket: MemoryBucket, clock: FastClock) -> None:
        self.home = home
        self.bucket = bucket
        self.clock = clock

    def machine(self, name: str, process: Process | None = None) -> Machine:
        before = process.request("before") if process else None
        after = process.request("after") if process else None
        return Machine(
            self.home / name,
            lambda: MemoryStore(self.bucket, before=before, after=after),
            clock=self.clock,
            pull_concurrency=1,
            push_concurrency=1,
            lock_timeout_ms=120_000,
        )

    def copy(self, home: Path) -> "World":
        shutil.copytree(self.home, home)
        return World(home, self._bucket(), self.clock)

    def _bucket(self) -> MemoryBucket:
        bucket = MemoryBucket(clock=self.clock)
        for key, body in contents(MemoryStore(self.bucket)).items():
            MemoryStore(bucket).put(key, body)
        return bucket


def begun(home: Path) -> World:
    clock = FastClock()
    world = World(home, MemoryBucket(clock=clock), clock)
    ada, bob = world.machine("ada"), world.machine("bob")
    for rel, text in BEFORE.items():
        ada.write(rel, text)
    ada.push()
    bob.pull()
    ada.write("files/edit", AFTER["files/edit"])
    ada.write("data/t/id/new/1/raw", AFTER["data/t/id/new/1/raw"])
    (ada.cache / "files/old name").rename(ada.cache / "files/new name")
    (ada.cache / "files/gone").unlink()
    shutil.rmtree(ada.cache / "logs")
    return world


def never_pushed(home: Path) -> World:
    clock = FastClock()
    world = World(home, MemoryBucket(clock=clock), clock)
    for rel, text in AFTER.items():
        world.machine("ada").write(rel, text)
    return world


def edited(home: Path) -> World:
    """Nothing is deleted: nothing but the journal tells that a commit was begun."""
    world = never_pushed(home)
    ada = world.machine("ada")
    ada.push()
    for rel, text in EDITED.items():
        ada.write(rel, text)
    return world


def pushed(home: Path) -> World:
    world = begun(home)
    world.machine("ada").push()
    return world


def joined(home: Path) -> World:
    """A third machine that has nothing yet."""
    world = pushed(home)
    world.machine("cy")
    return world


def at_odds(home: Path) -> World:
    world = pushed(home)
    bob = world.machine("bob")
    bob.write("files/edit", "edited by bob")
    bob.write("data/t/id/new/1/raw", "added by bob")
    bob.write("files/of bob", "only bob has it")
    return world


def push_is_done(world: World) -> None:
    all_have(lambda: MemoryStore(world.bucket), AFTER, world.machine("ada"))


def edit_is_done(world: World) -> None:
    all_have(lambda: MemoryStore(world.bucket), EDITED, world.machine("ada"))


def pull_is_done(world: World) -> None:
    all_have(lambda: MemoryStore(world.bucket), AFTER, world.machine("bob"))
    superseded = {rel: body.encode() for rel, body in BEFORE.items() if AFTER.get(rel) != body}
    kept = dict(trash(world.machine("bob")))
    assert {rel: kept.get(rel) for rel in superseded} == superseded


def first_pull_is_done(world: World) -> None:
    all_have(lambda: MemoryStore(world.bucket), AFTER, world.machine("cy"))


def sync_is_done(world: World) -> None:
    ada, bob = world.machine("ada"), world.machine("bob")
    bob.sync(policy="keep-both")  # what stepped aside in the last one is a new file now
    ada.pull()
    both = aside(bob)
    assert sorted(both.values()) == [b"added by bob", b"edited by bob"]
    want = {**AFTER, "files/of bob": "only bob has it"}
    all_have(lambda: MemoryStore(world.bucket), {**want, **both}, ada, bob)


@dataclass(frozen=True)
class Case:
    """`seq` is the least commitSeq at the end: plain clients look no further than that. `together`:
    one flush does for the small files that are new, as on most disks."""

    begin: Callable[[Path], World]
    who: str
    what: str
    done: Callable[[World], None]
    alive: frozenset[str]
    seq: int
    together: bool = True

    def run(self, machine: Machine) -> None:
        engine = machine.engine()
        try:
            getattr(engine, self.what)(policy="keep-both", max_delete=10)
        finally:
            engine.stop()


CASES = {
    "first push": Case(never_pushed, "ada", "push", push_is_done, frozenset(AFTER.values()), 1),
    "push of edits": Case(edited, "ada", "push", edit_is_done, frozenset(EDITED.values()), 2),
    "push": Case(begun, "ada", "push", push_is_done, frozenset(AFTER.values()), 2),
    "pull": Case(pushed, "bob", "pull", pull_is_done, frozenset(AFTER.values()), 2),
    "first pull": Case(joined, "cy", "pull", first_pull_is_done, frozenset(AFTER.values()), 2),
    "first pull, each flushed": Case(
        joined, "cy", "pull", first_pull_is_done, frozenset(AFTER.values()), 2, together=False
    ),
    "sync": Case(
        at_odds,
        "bob",
        "sync",
        sync_is_done,
        frozenset({*AFTER.values(), "edited by bob", "added by bob", "only bob has it"}),
        3,
    ),
}


def readable(world: World) -> set[bytes]:
    found = set(contents(MemoryStore(world.bucket)).values())
    for place in ("ada/cache", "bob/cache", "ada/state/trash", "bob/state/trash"):
        found |= {p.read_bytes() for p in (world.home / place).rglob("*") if p.is_file()}
    return found


def litter(machine: Machine) -> list[Path]:
    """What no crash may leave behind for ever.

    What this very process staged is never swept by it: `test_kill.py` looks at that.
    """
    staged = [p for p in staging_dir(machine.cache).glob("*") if RUN not in p.name]
    bin = machine.home / "state/trash"
    half = [p for p in bin.glob("*.json") if not p.with_suffix(".blob").exists()]
    return [*staged, *half, *bin.glob("*.part"), *machine.cache.rglob("_catalog.db-s3dash-*")]


def die(case: Case, world: World, *, at: int, survival: str = "killed") -> Process:
    """Run the operation up to step `at`; the disk is then what survives."""
    process = Process(world.home / case.who, at=at)
    home = world.home / case.who
    (home / "state/trash").mkdir(parents=True, exist_ok=True)
    disk = Disk([home / "cache", home / "state/trash"], *SURVIVALS[survival])
    disk.settle()
    process.disk = disk
    machine = world.machine(case.who, process)
    engine = machine.engine()
    with process.running():
        try:
            getattr(engine, case.what)(policy="keep-both", max_delete=10)
        finally:
            process.disk = None  # what follows is not its doing
    engine.stop()
    disk.cut()
    return process


def recover(case: Case, world: World, story: str, effort: Effort) -> None:
    found = readable(world)
    effort.lost([text for text in case.alive if text.encode() not in found], story)
    machine = world.machine(case.who)
    case.run(machine)
    try:
        case.done(world)
        assert commit_seq(lambda: MemoryStore(world.bucket)) >= case.seq
        assert litter(machine) == []
        after = machine.sync(policy="keep-both")
        assert (after.pushed, after.pulled, after.deleted_local, after.deleted_remote) == (0,) * 4
    except AssertionError as error:
        raise AssertionError(f"{story}\n{error}") from error


@pytest.mark.parametrize("survival", SURVIVALS)
@pytest.mark.parametrize("name", CASES)
def test_it_ends_at_any_step(
    tmp_path: Path, effort: Effort, name: str, survival: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    monkeypatch.setattr(syncfs, "is_enough", lambda _: case.together)
    start = case.begin(tmp_path / "start")
    world = start.copy(tmp_path / "whole")
    steps = die(case, world, at=0).steps
    case.done(world)
    stride = effort.pick(11, 1)
    for at in range(1 + effort.dice().randrange(stride), steps + 1, stride):
        world = start.copy(tmp_path / str(at))
        process = die(case, world, at=at, survival=survival)
        assert process.dead
        end = f"seed {effort.seed}: {name} ends at {at} of {steps}, {survival}"
        recover(case, world, "\n".join([*process.story, end]), effort)
        effort.count(f"steps at which a {name} ended ({survival})")
        shutil.rmtree(world.home)
