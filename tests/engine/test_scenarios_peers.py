"""Reliability scenarios 51 and 52: what plain peers undo is put right, and nothing is lost.

In memory.
"""

import json
from pathlib import Path

import pytest

from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.ends import (
    all_have,
    aside,
    base,
    commit_seq,
    trash,
)
from tests.engine.faults import pair
from tests.engine.peer import PlainPeer
from tests.engine.world import contents, digest

LOCK = ".datastore.lock"


def test_51_entries_that_a_plain_peer_dropped_are_put_back(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair(tmp_path, memory, a="a")
    store = MemoryStore(memory)
    old = contents(store)
    ada.write("files/b", "b")
    ada.write("odd/c", "c")
    ada.push()
    for key in ("_index/files.json", "_index/_meta.json"):
        store.put(key, old[key])
    assert "odd" in ada.status().message
    assert bob.sync().deleted_local == 0
    assert ada.status().message == ""
    healed = ada.sync()
    assert (healed.deleted_local, healed.pushed, commit_seq(lambda: store)) == (0, 0, 3)
    assert json.loads(contents(store)["_index/_meta.json"])["partitions"] == ["files", "odd"]
    bob.sync()
    want = {"files/a": "a", "files/b": "b", "odd/c": "c"}
    all_have(lambda: MemoryStore(memory), want, ada, bob)


@pytest.mark.parametrize("way", ["push", "sync"])
def test_51_a_shard_that_a_plain_peer_dropped_is_shown_and_put_back_with_nothing_else_to_do(
    tmp_path: Path, memory: MemoryBucket, way: str
) -> None:
    ada, bob = pair(tmp_path, memory, a="a")
    ada.write("odd/c", "c")
    ada.push()
    store = MemoryStore(memory)
    meta = json.loads(contents(store)["_index/_meta.json"])
    store.put("_index/_meta.json", json.dumps({**meta, "partitions": ["files"]}).encode())
    engine = ada.engine()
    try:
        assert "odd" in engine.status().message
        assert "odd" in engine.snapshot().message
        getattr(engine, way)()
        assert engine.snapshot().message == ""
    finally:
        engine.stop()
    assert json.loads(contents(store)["_index/_meta.json"])["partitions"] == ["files", "odd"]
    assert "dropped from the index are back: odd" in ada.history()[-2].text
    ada.push()
    assert commit_seq(lambda: store) == 3
    bob.sync()
    all_have(lambda: store, {"files/a": "a", "odd/c": "c"}, ada, bob)


@pytest.mark.parametrize("edit", [False, True])
def test_51_an_entry_that_a_plain_peer_set_back_is_put_right(
    tmp_path: Path, memory: MemoryBucket, edit: bool
) -> None:
    """Its stale shard names the old version, the object is the new one."""
    ada, bob = pair(tmp_path, memory, a="base")
    store = MemoryStore(memory)
    stale = contents(store)["_index/files.json"]
    ada.write("files/a", "newer")
    ada.push()
    store.put("_index/files.json", stale)
    if edit:
        ada.write("files/a", "newest")
    result = ada.sync()
    assert (result.pulled, result.blocked, result.conflicts) == (0, [], [])
    assert commit_seq(lambda: store) == 3
    bob.sync()
    all_have(lambda: store, {"files/a": "newest" if edit else "newer"}, ada, bob)


def test_51_an_entry_that_a_plain_peer_brought_back_without_its_object_goes_again(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair(tmp_path, memory, a="base", stay="stay", more="more")
    store = MemoryStore(memory)
    stale = contents(store)["_index/files.json"]
    (ada.cache / "files/a").unlink()
    ada.push()
    bob.pull()
    store.put("_index/files.json", stale)
    ada.sync()
    bob.sync()
    all_have(lambda: store, {"files/stay": "stay", "files/more": "more"}, ada, bob)


def test_52_a_plain_peer_that_goes_back_to_an_older_version_makes_a_conflict(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """A plain peer misses same-size changes, and pushes the stale file as if it were an edit."""
    ada, bob = pair(tmp_path, memory, a="old")
    peer = PlainPeer(MemoryStore(memory))
    peer.pull()
    ada.write("files/a", "new")
    ada.push()
    peer.pull()
    assert peer.files["files/a"] == b"old"
    peer.push()
    result = ada.sync()
    assert [c.path for c in result.conflicts] == ["files/a"]
    assert (ada.read("files/a"), base(ada)["files/a"]) == (b"new", digest(b"new"))
    ada.sync(policy="keep-both")
    ((name, body),) = aside(ada).items()
    assert body == b"new"
    ada.sync()
    bob.sync()
    all_have(lambda: MemoryStore(memory), {"files/a": "old", name: "new"}, ada, bob)


def test_52_a_user_who_goes_back_on_purpose_makes_none(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair(tmp_path, memory, a="old")
    ada.write("files/a", "new")
    ada.push()
    bob.pull()
    bob.write("files/a", "old")
    bob.push()
    assert ada.sync().conflicts == []
    all_have(lambda: MemoryStore(memory), {"files/a": "old"}, ada, bob)
    assert trash(ada) == [("files/a", b"new")]
