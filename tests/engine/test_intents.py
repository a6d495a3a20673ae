"""Commit records: what they say of a deletion, in whatever order they are found."""

import json
from datetime import timedelta
from pathlib import Path

from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.clocks import TestClock
from tests.engine.world import Machine, contents, digest

COMMITS = "_control/s3dash/commits/"


def record(seq: int, **said: dict[str, str]) -> bytes:
    at = "2026-11-21T12:00:00.000Z"
    return json.dumps({"seq": seq, "writer": "w", "holder": "h", "at": at, **said}).encode()


def test_a_deletion_counts_after_the_commit_that_it_undoes_whatever_their_names(
    tmp_path: Path,
) -> None:
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    ada, bob = (Machine(tmp_path / n, lambda: MemoryStore(bucket)) for n in ("ada", "bob"))
    for rel in ("files/a", "files/b", "files/c"):
        ada.write(rel, "x")
    ada.push()
    bob.pull()
    tag = digest(b"x")
    for key in list(contents(store, COMMITS)):
        store.delete(key)
    store.put(f"{COMMITS}20261121T120000Z-zz.json", record(1, adds={"files/a": tag}))
    store.put(f"{COMMITS}20261121T120000Z-aa.json", record(2, tombstones={"files/a": tag}))
    shard = json.loads(contents(store)["_index/files.json"])
    del shard["entries"]["files/a"]
    store.put("_index/files.json", json.dumps(shard).encode())
    assert bob.sync().deleted_local == 1
    assert "files/a" not in json.loads(contents(store)["_index/files.json"])["entries"]


def test_records_go_after_a_week_and_never_before(tmp_path: Path) -> None:
    clock = TestClock()
    bucket = MemoryBucket(clock=clock)
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(bucket), clock=clock)
    kept = []
    for day in range(12):
        ada.write("files/a", f"{day}")
        ada.push()
        kept.append(len(contents(MemoryStore(bucket), COMMITS)))
        clock.advance(timedelta(days=1).total_seconds())
    assert kept[:8] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert kept[8:] == [8, 8, 8, 8]


def test_a_record_that_makes_no_sense_stops_nothing(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    ada, bob = (Machine(tmp_path / n, lambda: MemoryStore(bucket)) for n in ("ada", "bob"))
    for rel in ("files/a", "files/b", "files/c"):
        ada.write(rel, "x")
    ada.push()
    bob.pull()
    store.put(f"{COMMITS}20261121T120000Z-aa.json", b"<html>")
    shard = json.loads(contents(store)["_index/files.json"])
    del shard["entries"]["files/a"]
    store.put("_index/files.json", json.dumps(shard).encode())
    assert bob.sync().deleted_local == 0
    assert "files/a" in json.loads(contents(store)["_index/files.json"])["entries"]
    assert any("cannot be read" in row.text for row in bob.history())


def test_only_the_records_of_the_last_minutes_are_read_before_a_commit(tmp_path: Path) -> None:
    """They may belong to a deletion that is under way; all of a week's would take too long."""
    clock = TestClock()
    bucket = MemoryBucket(clock=clock)
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(bucket), clock=clock)
    read: list[str] = []

    def note(op: str, key: str) -> None:
        if op == "get" and key.startswith(COMMITS):
            read.append(key)

    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket, before=note), clock=clock)
    for n in range(3):
        ada.write(f"files/a{n}", f"{n}")
        ada.push()
        clock.advance(500)
    bob.write("files/b", "b")
    bob.push()
    assert len(read) == 1
    bob.write("files/b", "an edit overwrites what it knows, and need not ask")
    bob.push()
    assert len(read) == 1
