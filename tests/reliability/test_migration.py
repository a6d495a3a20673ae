"""A migration ends at any single step: both places stay readable, the next run ends it.

Steps are requests (before and after), renames, removals, fsyncs, new directories and commits of
the state file, as in `test_crash_points`.
"""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from s3dash.objectstore.probe import quick_probe
from s3dash.objectstore.s3 import S3Store
from tests.engine.ends import base
from tests.engine.moves import REPO, at, below, filled, migrate
from tests.engine.world import Machine, Stores, contents
from tests.reliability.moving import (
    MOVES,
    NS,
    Move,
    Town,
    foreign,
    is_done,
    is_mended,
    is_readable,
    lost_of,
)
from tests.reliability.powercut import Process
from tests.tally import Effort


def die(move: Move, town: Town, *, at: int) -> Process:
    process = Process(town.home, at=at)
    machine = move.mover(town, process)
    engine = machine.engine()
    with process.running():
        engine.migration.run("web", to_solo=move.to_solo, repo_id=REPO)
    engine.stop()
    return process


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", MOVES)
def test_it_ends_at_any_step(tmp_path: Path, effort: Effort, name: str) -> None:
    move = MOVES[name]
    start = move.begin(tmp_path / "start")
    known = base(move.mover(start))
    whole = start.copy(tmp_path / "whole")
    steps = die(move, whole, at=0).steps
    assert is_done(whole, move, move.files, known)
    stride = effort.pick(23, 1)
    for step in range(1 + effort.dice().randrange(stride), steps + 1, stride):
        town = start.copy(tmp_path / str(step))
        process = die(move, town, at=step)
        assert process.dead
        told = f"seed {effort.seed}: {name} ends at {step} of {steps}"
        story = "\n".join([*process.story, told])
        try:
            effort.lost(is_readable(town, move), story)
            move.run(move.mover(town))
            is_done(town, move, move.files, known)
        except Exception as error:
            raise AssertionError(f"{story}\n{type(error).__name__} {error}") from error
        effort.count(f"steps at which a migration ended ({name})")
        shutil.rmtree(town.home)


@pytest.mark.timeout(1800)
def test_a_repair_ends_at_any_step(tmp_path: Path, effort: Effort) -> None:
    """Dropped, moved, scrubbed or set aside: after the next run all is where it belongs."""
    start = foreign(tmp_path / "start")
    whole = start.copy(tmp_path / "whole")
    steps = mend(whole, at=0).steps
    assert is_mended(whole)
    assert not [key for key in contents(whole.store()) if key.endswith(".lock")]
    stride = effort.pick(17, 1)
    for step in range(1 + effort.dice().randrange(stride), steps + 1, stride):
        town = start.copy(tmp_path / str(step))
        process = mend(town, at=step)
        told = f"seed {effort.seed}: a repair ends at {step} of {steps}"
        story = "\n".join([*process.story, told])
        try:
            effort.lost(lost_of(town), story)
            mend(town, at=0)
            is_mended(town)
        except Exception as error:
            raise AssertionError(f"{story}\n{type(error).__name__} {error}") from error
        effort.count("steps at which a repair ended")
        shutil.rmtree(town.home)


def mend(town: Town, *, at: int) -> Process:
    process = Process(town.home, at=at)
    engine = town.machine("eve", process).engine()
    with process.running():
        engine.foreign.repair("infra")
    engine.stop()
    return process


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["weed", "moto"])
def test_many_objects_cost_two_requests_each(
    request: pytest.FixtureRequest, tmp_path: Path, effort: Effort, kind: str
) -> None:
    """One copy and one deletion each; what else there is does not grow with the objects."""
    server = request.getfixturevalue(kind)
    number = effort.pick(60, 2000)
    files = {f"data/t/m{n % 20}/{n}/1/raw": b"%d" % n for n in range(number)}
    settings = server.settings(server.make_bucket(), tmp_path)
    with closing(S3Store(settings, server.credentials)) as probing:
        can = quick_probe(probing, nonce="proof")
    machine = Machine(tmp_path / "ada", Stores(lambda: S3Store(settings, server.credentials), can))
    filled(machine, files)
    done = migrate(machine, NS)
    assert (done.copied, done.deleted, done.kept) == (number, number, ())
    assert below(machine.store, NS) == files
    assert at(machine, NS).files() == files
    fixed = 60 + 8 * 20  # both looks, both locks; reading, writing and removing 20 shards
    assert done.requests <= 2 * number + fixed + 8 * (number // 1000)
    effort.count(f"objects moved on {kind}", number)
    effort.count(f"requests for that on {kind}", done.requests)
