"""Commits that race, and a datastore without an index. Memory, with hooks.

The scenarios with numbers are in `test_scenarios_*.py`.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.core.keys import Keys
from s3dash.engine.remote import IndexReader
from s3dash.errors import IndexCorrupt
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Fetched
from tests.engine.ends import all_have
from tests.engine.faults import Once, machine
from tests.engine.world import Machine, contents, digest


def test_a_commit_that_loses_a_race_for_a_shard_merges(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    ada, bob = machine(tmp_path / "ada", bucket), machine(tmp_path / "bob", bucket)
    ada.write("files/a", "a")
    ada.push()
    bob.pull()
    ada.write("files/b", "b")
    peer = MemoryStore(bucket)
    raced = iter([True])

    def race(op: str, key: str) -> None:
        if op == "put" and key == "_index/files.json" and next(raced, False):
            fetched = peer.get(key)
            assert fetched is not None
            shard = json.loads(fetched.body)
            shard["entries"]["files/p"] = {"key": "files/p", "size": 1, "lastModified": ""}
            peer.put("files/p", b"p")
            peer.put(key, json.dumps(shard).encode())

    assert machine(tmp_path / "ada", bucket, before=race).push().pushed == 1
    bob.pull()
    assert bob.files() == {"files/a": b"a", "files/b": b"b", "files/p": b"p"}


def test_a_datastore_that_lost_its_index_gets_one_from_its_objects(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    store.put("files/a", b"a")
    store.put("odd/b", b"b")
    store.put("infra/.namespace.json", b"{}")
    store.put("infra/files/x", b"x")
    ada = machine(tmp_path / "ada", bucket)
    assert ada.pull().pulled == 2
    assert ada.files() == {"files/a": b"a", "odd/b": b"b"}
    assert ada.push().commit_seq == 1
    shard = json.loads(contents(store)["_index/odd.json"])
    assert len(shard["entries"]["odd/b"]["sha256"]) == 64
    assert "_index/infra.json" not in contents(store)


def test_an_index_that_appears_during_a_first_push_gains_nothing_that_is_gone(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """Bob saw objects without an index; by the time he has the lock Ada has made one."""
    ada = machine(tmp_path / "ada", memory)
    MemoryStore(memory).put("files/gone", b"gone")
    ada.pull()

    def meanwhile() -> None:
        ada.write("files/a", "a")
        (ada.cache / "files/gone").unlink()
        ada.push(max_delete=1)

    bob = machine(tmp_path / "bob", memory)
    machine(tmp_path / "bob", memory, before=Once("put", ".datastore.lock", meanwhile)).push()
    bob.sync()
    ada.sync()
    all_have(lambda: MemoryStore(memory), {"files/a": "a"}, ada, bob)


def test_a_lost_index_makes_no_conflicts_of_files_that_nobody_touched(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = machine(tmp_path / "ada", memory), machine(tmp_path / "bob", memory)
    ada.write("files/a", "a")
    ada.write("files/b", "b")
    ada.push()
    bob.pull()
    for key in ("_index/files.json", "_index/_meta.json"):
        MemoryStore(memory).delete(key)
    bob.write("files/a", "edited")
    result = bob.sync()
    assert (result.pushed, result.pulled, result.conflicts) == (1, 0, [])
    assert ada.sync().pulled == 1
    all_have(lambda: MemoryStore(memory), {"files/a": "edited", "files/b": "b"}, ada, bob)


def test_the_first_index_of_a_datastore_is_never_seen_empty(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """Nor in part: at every write readers see all, also of objects that nobody pulled yet."""
    MemoryStore(memory).put("files/a", b"a")
    MemoryStore(memory).put("logs/b", b"b")
    seen: list[str] = []

    def look(op: str, key: str) -> None:
        if op == "put":
            index = IndexReader(MemoryStore(memory), Keys(None)).load()
            assert index.entries.keys() == {"files/a", "logs/b"}, key
            seen.append(key)

    ada = machine(tmp_path / "ada", memory, before=look)
    assert ada.push().commit_seq == 1
    assert sorted(seen[-3:-1]) == ["_index/files.json", "_index/logs.json"]
    assert seen[-1] == "_index/_meta.json"
    meta = json.loads(contents(MemoryStore(memory))["_index/_meta.json"])
    assert (meta["version"], meta["partitions"]) == (2, ["files", "logs"])


def test_a_file_that_an_entry_without_a_hash_names_is_not_kept_twice(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    MemoryStore(memory).put("files/a", b"same")
    ada = machine(tmp_path / "ada", memory)
    ada.write("files/a", "same")
    assert ada.sync(policy="keep-both").conflicts == []
    assert ada.files() == {"files/a": b"same"}
    assert ada.status().conflicts == []


class Damaging(MemoryStore):
    """The line damages one answer, whose ETag is right all the same."""

    def __init__(self, bucket: MemoryBucket, key: str, old: bytes, new: bytes) -> None:
        super().__init__(bucket)
        self._damage = {key: (old, new)}

    def get(self, key: str, **how: Any) -> Fetched | None:
        found = super().get(key, **how)
        if found is None or key not in self._damage:
            return found
        old, new = self._damage.pop(key)
        assert old in found.body
        return replace(found, body=found.body.replace(old, new))


@pytest.mark.parametrize("key", ["_index/files.json", "_index/_meta.json"])
def test_a_document_that_was_damaged_on_its_way_is_not_kept(
    tmp_path: Path, memory: MemoryBucket, key: str
) -> None:
    ada, bob = machine(tmp_path / "ada", memory), machine(tmp_path / "bob", memory)
    ada.write("files/a", "a")
    ada.push()
    with pytest.raises(IndexCorrupt):
        Machine(bob.home, lambda: Damaging(memory, key, b"}", b"]")).pull()
    assert bob.pull().pulled == 1


def test_an_entry_that_was_damaged_on_its_way_is_read_again(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = machine(tmp_path / "ada", memory), machine(tmp_path / "bob", memory)
    ada.write("files/a", "a")
    ada.push()
    sha256, other = digest(b"a").encode(), digest(b"b").encode()
    result = Machine(bob.home, lambda: Damaging(memory, "_index/files.json", sha256, other)).pull()
    assert [row.path for row in result.blocked] == ["files/a"]
    assert bob.files() == {}
    assert bob.pull().pulled == 1
    assert bob.files() == {"files/a": b"a"}
