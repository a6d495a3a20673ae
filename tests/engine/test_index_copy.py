"""The copy of the index in the cache: written when it would say something else, else left."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import Join
from tests.engine.world import Machine

Pair = tuple[Machine, Machine]


@pytest.fixture
def pair(join: Join) -> Pair:
    """Two machines that have the same two files."""
    ada, bob = join("ada"), join("bob")
    ada.write("files/a", "1")
    ada.write("logs/b", "2")
    ada.push()
    bob.sync()
    bob.sync()
    return ada, bob


def place(machine: Machine) -> Path:
    return machine.cache / ".datastore-index.json"


def copy(machine: Machine) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads(place(machine).read_bytes())["entries"]
    return entries


def written(machine: Machine) -> bool:
    """Whether a sync with nothing to do writes it anew."""
    before = place(machine).stat() if place(machine).exists() else None
    result = machine.sync()
    assert (result.pushed, result.pulled, result.conflicts) == (0, 0, [])
    return before is None or place(machine).stat().st_ino != before.st_ino


def test_what_would_say_the_same_is_left_as_it_is(pair: Pair) -> None:
    for machine in pair:
        machine.sync()
        assert not written(machine)
        assert set(copy(machine)) == {"files/a", "logs/b"}


def test_a_commit_of_somebody_else_is_told(pair: Pair) -> None:
    ada, bob = pair
    ada.write("files/a", "changed")
    ada.push()
    bob.sync()
    assert copy(bob)["files/a"]["size"] == 7
    bob.sync()
    assert not written(bob)


def test_a_touched_file_has_its_new_time_there(pair: Pair) -> None:
    _, bob = pair
    os.utime(bob.base / "files/a", (1e9, 1e9))
    bob.status()
    assert written(bob)
    assert copy(bob)["files/a"]["localMtime"] == "2001-09-09T01:46:40.000Z"
    assert not written(bob)


def test_a_copy_that_somebody_changed_or_took_away_is_put_right(pair: Pair) -> None:
    _, bob = pair
    place(bob).write_text('{"version": 1, "lastPulled": "", "entries": {}}')
    assert written(bob)
    assert set(copy(bob)) == {"files/a", "logs/b"}
    place(bob).unlink()
    assert written(bob)
    assert set(copy(bob)) == {"files/a", "logs/b"}


def test_a_file_that_this_cache_lacks_is_not_there(pair: Pair) -> None:
    ada, bob = pair
    ada.write("files/new", "3")
    ada.push()
    bob.push()
    assert set(copy(bob)) == {"files/a", "logs/b"}
    bob.pull()
    assert set(copy(bob)) == {"files/a", "files/new", "logs/b"}


def test_a_deletion_that_was_seen_elsewhere_goes_from_it(pair: Pair) -> None:
    ada, bob = pair
    (ada.base / "logs/b").unlink()
    ada.push()
    bob.sync()
    assert set(copy(bob)) == {"files/a"}
    assert not written(bob)
