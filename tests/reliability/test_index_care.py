"""Migrations and repairs of an index end at any single write: nobody ever misses an entry.

At every write the process dies, before it or after it; a plain client reads, and pushes; then
the next run, on another machine that knows nothing, ends it. While nobody dies, a plain client
and a fresh s3dash look after each single write.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.index_care import Verified
from tests.engine.world import contents
from tests.reliability.index_scenes import (
    SCENES,
    Death,
    Scene,
    Town,
    begun,
    bodies,
    entry,
    peer_pushes,
    read_by_ours,
    readable,
)
from tests.tally import Effort

NEW = ("audit/pushed", b"by a plain client in between")


def hashes(scene: Scene) -> dict[str, str]:
    return {rel: str(entry(rel, body)["sha256"]) for rel, body in scene.want.items()}


def fits(scene: Scene, town: Town) -> str:
    """What is amiss for a plain reader now, or nothing. No entry that is to stay may be gone."""
    try:
        found = readable(town.store)
    except AssertionError as error:
        return str(error)
    want = hashes(scene)
    gone = sorted(want.keys() - found.keys())
    other = sorted(r for r in want if r in found and found[r] != want[r] and r != "logs/x")
    return f"not to be read: {gone}, other: {other}" if gone or other else ""


def is_ended(scene: Scene, town: Town, *, pushed: bool, story: str) -> None:
    """Every reader sees exactly what is to be there, and the objects are what it says."""
    want = hashes(scene) | ({NEW[0]: str(entry(*NEW)["sha256"])} if pushed else {})
    plain, ours = readable(town.store), read_by_ours(town.store)
    assert plain == want, f"{story}\na plain client reads {plain}"
    assert ours == want, f"{story}\nwe read {ours}"
    found: Verified = town.call("judge", lambda engine: engine.index_care.verify(full=True))
    assert found.problems == (), f"{story}\n{found.document()}"


@pytest.mark.parametrize("name", SCENES)
def test_every_reader_finds_everything_after_each_write(
    tmp_path: Path, effort: Effort, name: str
) -> None:
    scene = SCENES[name]
    town = begun(tmp_path, scene)
    looks: list[str] = []

    def look(at: str) -> None:
        if scene.whole:
            assert not (amiss := fits(scene, town)), f"after {at}: {amiss}"
            assert read_by_ours(town.store).keys() >= scene.want.keys(), at
        looks.append(at)

    death = Death(0, after=False, look=look)
    town.call("eve", scene.act, death)
    is_ended(scene, town, pushed=False, story="\n".join(death.story))
    assert ".datastore.lock" not in contents(town.store)
    assert looks
    effort.count("looks after a write of a migration or repair", len(looks))


@pytest.mark.parametrize("name", SCENES)
def test_it_ends_at_any_write_and_the_next_run_ends_it(
    tmp_path: Path, effort: Effort, name: str
) -> None:
    scene, dice = SCENES[name], effort.dice()
    start = begun(tmp_path / "start", scene)
    whole = start.copy(tmp_path / "whole")
    counted = Death(0, after=False)
    whole.call("eve", scene.act, counted)
    cases = [
        (at, after, pushed)
        for at in range(1, counted.writes + 1)
        for after in (False, True)
        for pushed in (False, True)
    ]
    for number, (at, after, pushed) in enumerate(dice.sample(cases, len(cases))):
        if number == effort.pick(7, len(cases)):
            break
        town = start.copy(tmp_path / f"{at}{after}{pushed}")
        death = Death(at, after=after)
        town.call("eve", scene.act, death)
        told = f"seed {effort.seed}: {name}, pushed in between: {pushed}"
        story = "\n".join([told, *death.story])
        assert death.dead, story
        if scene.whole:
            effort.lost([amiss] if (amiss := fits(scene, town)) else [], story)
        pushed = pushed and _can_push(town)
        if pushed:
            peer_pushes(town.store, *NEW)
        _end(scene, town, story)
        is_ended(scene, town, pushed=pushed, story=story)
        if not pushed:
            assert _said(town) == _said(whole), story
        effort.count("deaths of a migration or repair survived")
        shutil.rmtree(town.home, ignore_errors=True)


def _can_push(town: Town) -> bool:
    """A plain client pushes nothing into an index that it takes for corrupt."""
    try:
        return bool(readable(town.store))
    except (AssertionError, ValueError):
        return False


def _end(scene: Scene, town: Town, story: str) -> None:
    """The next run, on a machine that knows nothing, and then what a push mends anyway."""
    try:
        done: Any = town.call("bob", scene.act)
        town.call("bob", lambda engine: engine.index_care.repair())
    except Exception as error:
        raise AssertionError(f"{story}\n{type(error).__name__} {error}") from error
    assert done is not None, story


def _said(town: Town) -> dict[str, Any]:
    """The entries of every shard, without the times of what was made anew."""
    found = {key: json.loads(body)["entries"] for key, body in bodies(town).items()}
    return {
        key: {rel: (e["size"], e["sha256"]) for rel, e in entries.items()}
        for key, entries in found.items()
    }


def test_a_push_that_restores_a_lost_index_ends_at_any_write(
    tmp_path: Path, effort: Effort
) -> None:
    """Whoever looks meanwhile sees all of it: no part of it is ever taken for the whole."""
    scene = SCENES["no index at all"]
    start, ended = begun(tmp_path / "start", scene), False
    at = 0
    while not ended:
        at += 1
        for after in (False, True):
            town = start.copy(tmp_path / f"{at}{after}")
            new = town.home / "ada" / "cache" / "logs" / "new"
            new.parent.mkdir(parents=True)
            new.write_text("n")
            death = Death(at, after=after)
            town.call("ada", lambda engine: engine.push(), death)
            ended = not death.dead
            missing = [r for r in scene.want if r not in read_by_ours(town.store)]
            effort.lost(missing, "\n".join(death.story))
            town.call("ada", lambda engine: engine.push())
            seen = read_by_ours(town.store)
            assert seen.keys() == {*scene.want, "logs/new"}, "\n".join(death.story)
            effort.count("deaths of a push that restores a lost index survived", death.dead)
    assert at > 8
