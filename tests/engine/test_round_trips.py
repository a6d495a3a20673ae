"""What a push and a pull ask for, and what of it goes at the same time.

A question goes beside others where none waits for another's answer. To prove it, each of them
waits in the store until all of them are there.
"""

import threading
from pathlib import Path
from typing import Any

import pytest

from s3dash.errors import AccessDenied, UnsafeEndpoint
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Stored
from tests.engine.world import Machine

Op = tuple[str, str]
PROBE = "_control/s3dash/probe/"
COMMITS = "_control/s3dash/commits/"
ID = "_control/s3dash/datastore-id"
MOVED = "_control/s3dash/moved.json"
META = "_index/_meta.json"
LOCK = ".datastore.lock"
TOGETHER_S = 20


class Log:
    """The requests in their order, a probe's by the last part of their key."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self._lock = threading.Lock()
        self._awaited: set[Op] = set()
        self._after: Op | None = None
        self._all_there = threading.Event()

    def meet(self, *ops: Op, after: Op | None = None) -> None:
        """The next of each of these goes on when all of them are there; not before `after`."""
        self._awaited, self._after = set(ops), after

    @property
    def met(self) -> bool:
        return self._all_there.is_set()

    def __call__(self, op: str, key: str) -> None:
        name = key.rpartition("/")[2] if key.startswith(PROBE) else key
        this = (op, COMMITS if op == "put" and key.startswith(COMMITS) else name)
        with self._lock:
            self.ops.append(this)
            if self._after == this:
                self._after = None
            waits = self._after is None and this in self._awaited
            self._awaited -= {this} if waits else set()
            if waits and not self._awaited:
                self._all_there.set()
        if waits:
            assert self._all_there.wait(TOGETHER_S), f"{this} waits for {self._awaited}"


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def memory() -> MemoryBucket:
    return MemoryBucket()


def machine(home: Path, bucket: MemoryBucket, log: Log, **over: Any) -> Machine:
    return Machine(home, lambda: MemoryStore(bucket, before=log), **over)


@pytest.fixture
def ada(tmp_path: Path, memory: MemoryBucket, log: Log) -> Machine:
    return machine(tmp_path / "ada", memory, log)


@pytest.fixture
def synced(ada: Machine, log: Log) -> Machine:
    """Some shards, all of them known here; nothing is in the log."""
    for top in ("files", "logs", "audit"):
        ada.write(f"{top}/a", top)
    ada.push()
    log.ops.clear()
    return ada


# --- side by side -------------------------------------------------------------------------


def test_the_proofs_of_an_endpoint_go_beside_each_other_and_the_first_look(
    tmp_path: Path, ada: Machine, log: Log
) -> None:
    ada.write("files/a", "a")
    names = ("create", "replace", "delete", "clock")
    log.meet(*(("put", name) for name in names))
    ada.push()
    assert log.met
    log = Log()
    bob = machine(tmp_path / "bob", MemoryBucket(), log)
    bob.write("files/a", "a")
    log.meet(("put", "first"), ("list", "_index/"))
    bob.push()
    assert log.met


def test_whether_a_place_was_left_is_asked_while_the_endpoint_is_tested(
    ada: Machine, log: Log
) -> None:
    ada.write("files/a", "a")
    log.meet(("get", MOVED), ("put", "race-0"))
    ada.push()
    assert log.met


def test_nothing_is_sent_before_the_endpoint_has_proved_that_locks_hold(
    ada: Machine, log: Log
) -> None:
    ada.write("files/a", "a")
    ada.push()
    assert log.ops.index(("get", "race-0")) < log.ops.index(("upload", "files/a"))


@pytest.mark.parametrize("after", [None, ("put", LOCK)])
def test_a_place_without_an_index_is_asked_for_both_at_once(
    ada: Machine, log: Log, after: Op | None
) -> None:
    ada.write("files/a", "a")
    log.meet(("head", META), ("get", ".datastore-index.json"), after=after)
    ada.push()
    assert log.met


def test_under_the_lock_what_is_there_is_asked_at_once(synced: Machine, log: Log) -> None:
    synced.write("files/b", "b")
    log.meet(("get", ID), ("list", COMMITS), ("list", "_index/"), after=("put", LOCK))
    synced.push()
    assert log.met


def test_the_shards_of_a_commit_are_written_side_by_side_and_meta_after_them(
    synced: Machine, log: Log
) -> None:
    shards = [("put", f"_index/{name}.json") for name in ("audit", "files", "logs")]
    for top in ("files", "logs", "audit"):
        synced.write(f"{top}/b", "b")
    log.meet(*shards)
    synced.push()
    assert log.met
    puts = [op for op in log.ops if op[0] == "put" and op[1].startswith("_index/")]
    assert sorted(puts[:-1]) == shards
    assert puts[-1] == ("put", META)
    record = log.ops.index(("put", COMMITS))
    assert record < min(log.ops.index(shard) for shard in shards)


def test_a_cold_pull_asks_for_meta_with_the_shards_and_for_the_id_with_the_listing(
    synced: Machine, memory: MemoryBucket, log: Log, tmp_path: Path
) -> None:
    bob = machine(tmp_path / "bob", memory, log)
    log.meet(("get", ID), ("list", "_index/"))
    assert bob.pull().pulled == 3
    assert log.met
    log = Log()
    eve = machine(tmp_path / "eve", memory, log)
    log.meet(*(("get", f"_index/{n}.json") for n in ("_meta", "audit", "files", "logs")))
    assert eve.pull().pulled == 3
    assert log.met


def test_who_sends_one_thing_at_a_time_gets_that(
    tmp_path: Path, memory: MemoryBucket, log: Log
) -> None:
    """The commit, its looks and its writes: in the order in which they are written down."""
    ada = machine(tmp_path, memory, log, push_concurrency=1, pull_concurrency=1)
    for names in ("ab", "cd"):
        log.ops.clear()
        for top in ("files", "logs", "audit"):
            ada.write(f"{top}/{names}", top)
        ada.push()
    record = next(op for op in log.ops if op[0] == "get" and op[1].startswith(COMMITS))
    assert log.ops[log.ops.index(("put", LOCK)) + 1 :] == [
        ("get", ID),
        ("list", "_index/"),
        ("list", COMMITS),
        record,
        ("put", COMMITS),
        *(("put", f"_index/{name}.json") for name in ("audit", "files", "logs")),
        ("put", META),
        ("list", "_index/"),
        ("delete", LOCK),
    ]


# --- how many -----------------------------------------------------------------------------


def test_one_changed_file_costs_these_requests(synced: Machine, log: Log) -> None:
    synced.write("files/a", "changed")
    synced.push()
    assert log.ops[:3] == [("list", "_index/"), ("upload", "files/a"), ("put", LOCK)]
    assert sorted(log.ops[3:5]) == [("get", ID), ("list", "_index/")]
    assert log.ops[5:] == [
        ("put", COMMITS),
        ("put", "_index/files.json"),
        ("put", META),
        ("list", "_index/"),
        ("delete", LOCK),
    ]


def test_a_new_file_costs_one_look_at_the_records_more_and_the_pruning_none(
    synced: Machine, log: Log
) -> None:
    synced.write("files/b", "new")
    synced.push()
    assert log.ops.count(("list", COMMITS)) == 1
    assert len(log.ops) == 12, "the listing, and the one record of the last minutes"


def test_nothing_to_do_costs_one_request(synced: Machine, log: Log) -> None:
    for action in (synced.push, synced.pull, synced.sync):
        log.ops.clear()
        action()
        assert log.ops == [("list", "_index/")]


def test_an_endpoint_is_tested_once_and_not_for_a_pull_or_a_plan(
    tmp_path: Path, memory: MemoryBucket, synced: Machine, log: Log
) -> None:
    synced.write("files/b", "b")
    synced.push()
    bob = machine(tmp_path / "bob", memory, log)
    bob.write("files/c", "c")
    bob.push(dry_run=True)
    bob.pull()
    assert not [op for op in log.ops if op[1] in ("create", "race-0")]
    bob.push()
    assert log.ops.count(("put", "race-0")) == 4, "one race of four"


# --- what was asked ahead -----------------------------------------------------------------


def test_a_proof_that_nobody_needs_may_fail(tmp_path: Path, memory: MemoryBucket) -> None:
    """Who may only read, and has what the bucket has, can push nothing: that is no error."""
    ada = machine(tmp_path / "ada", memory, Log())
    ada.write("files/a", "a")
    ada.push()

    def refuse(op: str, key: str) -> None:
        if op in ("put", "delete", "delete_many"):
            raise AccessDenied(f"no {op} of {key}")

    bob = Machine(tmp_path / "bob", lambda: MemoryStore(memory, before=refuse))
    bob.write("files/a", "a")
    result = bob.push()
    assert (result.pushed, result.failed) == (0, [])
    bob.write("files/b", "b")
    with pytest.raises(AccessDenied):
        bob.push()


def test_a_race_that_two_win_forbids_the_commit(tmp_path: Path, memory: MemoryBucket) -> None:
    """What was sent until then is nobody's: a place without an index takes it as it is."""

    class Racy(MemoryStore):
        """Of those that create one key at once, all win."""

        def put(self, key: str, body: bytes, **options: Any) -> Stored:
            if "race-" in key:
                options.pop("if_none_match", None)
            return super().put(key, body, **options)

    ada = Machine(tmp_path / "ada", lambda: Racy(memory))
    ada.write("files/a", "a")
    for _ in range(2):
        with pytest.raises(UnsafeEndpoint, match="one winner a race"):
            ada.push()
        assert [key for key in memory.all_keys() if key != "files/a"] == []
    honest = machine(tmp_path / "ada", memory, Log())
    assert honest.push().commit_seq == 1
    assert machine(tmp_path / "bob", memory, Log()).pull().pulled == 1


def test_an_endpoint_that_is_tested_ahead_and_unsafe_is_sent_nothing(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    class Heedless(MemoryStore):
        """Every creation succeeds."""

        def put(self, key: str, body: bytes, **options: Any) -> Stored:
            options.pop("if_none_match", None)
            return super().put(key, body, **options)

    ada = Machine(tmp_path / "ada", lambda: Heedless(memory))
    ada.write("files/a", "a")
    with pytest.raises(UnsafeEndpoint, match="If-None-Match"):
        ada.push()
    assert memory.all_keys() == []
