"""Reliability scenarios 21 to 27: what tells that content changed, and what does not."""

import os
from datetime import datetime, timedelta
from threading import Event

import msgspec
import pytest

from s3dash.clock import SystemClock
from s3dash.core.index import Document
from s3dash.engine.open import state_file
from s3dash.local.state import State
from tests.engine import faults
from tests.engine.conftest import Join
from tests.engine.ends import Store, all_have, commit_seq, data, entries, trash
from tests.engine.test_scenarios_edits import pair
from tests.engine.world import Machine, contents, digest

MEMORY = pytest.mark.parametrize("store", ["memory"], indirect=True)
"""For what only the local disk can show."""


def settle(machine: Machine, rel: str) -> None:
    """Let the clock of the file system tick, and the machine learn the stat of the file."""
    path = machine.cache / rel
    then = path.stat().st_ctime_ns
    probe = machine.home / "tick"
    while True:
        probe.write_bytes(b"")
        if probe.stat().st_ctime_ns > then + 50_000_000:
            break
    machine.status()


class Skewed:
    """A wall clock that is wrong by `days`."""

    def __init__(self, days: float) -> None:
        self._clock = SystemClock()
        self._days = timedelta(days=days)

    def now(self) -> datetime:
        return self._clock.now() + self._days

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def wait(self, event: Event, seconds: float) -> bool:
        return self._clock.wait(event, seconds)


def test_21_an_edit_that_keeps_the_size_is_pushed(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="aaaa")
    settle(ada, "files/a")
    ada.write("files/a", "bbbb")
    assert ada.push().pushed == 1
    assert bob.pull().pulled == 1
    all_have(store, {"files/a": "bbbb", "files/stay": "stay"}, ada, bob)


@MEMORY
def test_22_an_edit_that_keeps_size_and_mtime_is_found_by_its_ctime(
    join: Join, store: Store
) -> None:
    ada, bob = pair(join, a="aaaa")
    settle(ada, "files/a")
    path = ada.cache / "files/a"
    before = path.stat()
    path.write_bytes(b"bbbb")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert ada.push().pushed == 1
    bob.pull()
    all_have(store, {"files/a": "bbbb", "files/stay": "stay"}, ada, bob)


@MEMORY
def test_22_a_file_that_was_swapped_for_one_of_the_same_stat_is_found_by_its_inode(
    join: Join, store: Store
) -> None:
    ada, bob = pair(join, a="aaaa")
    settle(ada, "files/a")
    path, other = ada.cache / "files/a", ada.home / "other"
    before = path.stat()
    other.write_bytes(b"bbbb")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert ada.push().pushed == 1
    bob.pull()
    all_have(store, {"files/a": "bbbb", "files/stay": "stay"}, ada, bob)


def test_23_a_touch_moves_nothing(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    before = contents(store())
    for machine in (ada, bob):
        os.utime(machine.cache / "files/a")
        result = machine.sync()
        assert (result.pushed, result.pulled, result.bytes_up) == (0, 0, 0)
    assert contents(store()) == before
    all_have(store, {"files/a": "base", "files/stay": "stay"}, ada, bob)
    assert trash(bob) == []


@MEMORY
def test_24_an_edit_in_the_tick_of_the_last_look_is_found(join: Join, store: Store) -> None:
    """Written at once after each look, so that nearly every edit shares its tick."""
    ada, bob = pair(join, a="0000")
    for n in range(1, 12):
        ada.write("files/a", f"{n:04}")
        ada.status()
        ada.write("files/a", f"{n:04}"[::-1])
        assert ada.push().pushed == 1, n
    bob.pull()
    all_have(store, {"files/a": "1100", "files/stay": "stay"}, ada, bob)


@MEMORY
@pytest.mark.parametrize("days", [-365, 365])
def test_25_a_clock_that_is_off_by_a_year_has_no_effect(
    join: Join, store: Store, days: float
) -> None:
    ada, bob = pair(join, a="base", gone="x")
    bob.clock = Skewed(days)
    bob.write("files/a", "from bob")
    (bob.cache / "files/gone").unlink()
    result = bob.sync()
    assert (result.pushed, result.deleted_remote) == (1, 1)
    ada.sync()
    all_have(store, {"files/a": "from bob", "files/stay": "stay"}, ada, bob)
    ada.write("files/a", "from ada")
    ada.push()
    bob.pull()
    all_have(store, {"files/a": "from ada", "files/stay": "stay"}, ada, bob)


def test_26_a_remote_edit_that_keeps_the_size_is_pulled(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="aaaa")
    settle(bob, "files/a")
    ada.write("files/a", "bbbb")
    ada.push()
    result = bob.pull()
    assert (result.pulled, result.bytes_down) == (1, 4)
    all_have(store, {"files/a": "bbbb", "files/stay": "stay"}, ada, bob)
    assert trash(bob) == [("files/a", b"aaaa")]


def test_27_a_new_version_of_the_same_content_moves_no_bytes(join: Join, store: Store) -> None:
    """A plain peer uploaded the same bytes again and wrote their entry anew."""
    ada, bob = pair(join, a="base")
    store().put("files/a", b"base", content_type="text/plain")
    raw = contents(store(), "_index/files.json")["_index/files.json"]
    shard = Document.decode(raw, name="shard")
    entry = shard.get("files/a")
    assert entry is not None
    shard.put("files/a", msgspec.structs.replace(entry, lastModified="2031-01-01T00:00:00.000Z"))
    store().put("_index/files.json", shard.encode())
    for machine in (ada, bob):
        result = machine.sync()
        assert (result.pulled, result.pushed, result.conflicts) == (0, 0, [])
    assert commit_seq(store) == 1
    all_have(store, {"files/a": "base", "files/stay": "stay"}, ada, bob)
    ada.write("files/a", "edited")
    assert ada.push().pushed == 1
    assert digest(data(store)["files/a"]) == digest(b"edited")


@pytest.mark.parametrize(
    ("body", "left"), [(b"base", {}), (b"somebody else's", {"files/a": b"somebody else's"})]
)
def test_27_a_deletion_looks_at_the_content_when_the_etag_is_another(
    join: Join, store: Store, body: bytes, left: dict[str, bytes]
) -> None:
    """The same bytes under another ETag go, as the user said; a newer object stays."""
    ada, bob = pair(join, a="base")
    state = State(state_file(ada.settings))
    row = state.base_rows()["files/a"]
    state.apply(save=[msgspec.structs.replace(row, etag="00000000000000000000000000000000")])
    state.close()
    (ada.cache / "files/a").unlink()
    late = faults.Once("delete", "files/a", lambda: store().put("files/a", body))
    assert faults.machine(ada.home, store, before=late).push(max_delete=1).deleted_remote == 1
    assert data(store) == {"files/stay": b"stay", **left}
    assert "files/a" not in entries(store)
    bob.sync()
    assert bob.files() == {"files/stay": b"stay"}
