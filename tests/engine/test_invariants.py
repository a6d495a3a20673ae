"""The invariants of reliability section 3, one test each, at every write of real work.

`invariants.py` watches I1 to I5 and I7; what it would not notice is no proof, so each rule is
also shown to tell when it is broken.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from s3dash.engine.open import state_file
from s3dash.errors import LockLost, S3DashError
from s3dash.local.state import State
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.clocks import TestClock
from tests.engine.ends import all_have, base, entries, trash
from tests.engine.faults import CHANGED, Once, changed, machine, pair
from tests.engine.invariants import Breach, Invariants, Watched
from tests.engine.world import Machine, contents, digest

FILES, META, LOCK = "_index/files.json", "_index/_meta.json", ".datastore.lock"
REQUEST_S = 10.0


def watched(home: Path, bucket: MemoryBucket, **hooks: Any) -> tuple[Machine, Invariants]:
    """The machine at `home`, held to the invariants, with its clock on hand."""
    rules = Invariants(request_s=REQUEST_S)
    seen = rules.watch(bucket, "")
    return Machine(home, lambda: MemoryStore(seen, **hooks)), rules


@pytest.fixture
def held(tmp_path: Path, memory: MemoryBucket) -> Watched:
    """A bucket with work in it, by which a rule can be broken by hand, the lock held."""
    changed(tmp_path, memory)
    seen = Invariants(request_s=REQUEST_S).watch(memory, "")
    MemoryStore(seen).put(LOCK, b"{}", if_none_match=True)
    return seen


def announce(held: Watched, *rels: str) -> None:
    record = {"adds": dict.fromkeys(rels, "tag"), "tombstones": {}}
    MemoryStore(held).put("_control/s3dash/commits/x.json", json.dumps(record).encode())


def rewrite(held: Watched, key: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Read, change, and swap: as a careful client, but for the change."""
    found = MemoryStore(held).get(key)
    assert found is not None
    document = json.loads(found.body)
    change(document)
    MemoryStore(held).put(key, json.dumps(document).encode(), if_match=found.info.etag)


def test_every_write_of_a_push_keeps_the_invariants(tmp_path: Path, memory: MemoryBucket) -> None:
    ada, bob = changed(tmp_path, memory)
    careful, rules = watched(tmp_path / "ada", memory)
    careful.push()
    assert rules.checked >= 8
    bob.sync()
    all_have(partial(MemoryStore, memory), CHANGED, ada, bob)


# --- I1 ---------------------------------------------------------------------------------


def test_i1_an_entry_is_written_after_its_object(tmp_path: Path, memory: MemoryBucket) -> None:
    """Also when the object went while we waited for the lock: then there is no entry."""
    ada, bob = pair(tmp_path, memory, stay="stay")
    for rel in ("files/n", "files/m"):
        ada.write(rel, rel)
    peer = MemoryStore(memory)

    def take_away() -> None:
        record = {"seq": 2, "writer": "w", "holder": "h", "at": "", "adds": {}, "bases": {}}
        record["tombstones"] = {"files/n": digest(b"files/n")}
        peer.put("_control/s3dash/commits/z.json", json.dumps(record).encode())
        peer.delete("files/n")

    careful, _ = watched(tmp_path / "ada", memory, before=Once("put", LOCK, take_away))
    result = careful.push()
    assert [row.path for row in result.failed] == ["files/n"]
    assert (result.pushed, "files/n" in entries(lambda: peer)) == (1, False)
    assert careful.push().pushed == 1
    bob.sync()
    want = {"files/stay": "stay", "files/n": "files/n", "files/m": "files/m"}
    all_have(lambda: peer, want, ada, bob)


def test_i1_is_watched(held: Watched) -> None:
    announce(held, "files/x")
    entry = {"key": "files/x", "size": 1, "lastModified": "", "sha256": digest(b"x")}
    with pytest.raises(Breach, match=r"^I1"):
        rewrite(held, FILES, lambda shard: shard["entries"].update({"files/x": entry}))


# --- I2 ---------------------------------------------------------------------------------


def test_i2_an_object_goes_after_its_entry(tmp_path: Path, memory: MemoryBucket) -> None:
    """A deletion that crashed before its DELETE is done by the next push, and only then."""
    ada, bob = pair(tmp_path, memory, a="a", b="b", c="c")
    (ada.cache / "files/a").unlink()
    store = MemoryStore(memory)
    named: list[bool] = []

    def look() -> None:
        named.append("files/a" in entries(lambda: store))
        raise KeyboardInterrupt

    careful, _ = watched(tmp_path / "ada", memory, before=Once("delete", "files/a", look))
    with pytest.raises(KeyboardInterrupt):
        careful.push()
    assert named == [False]
    store.delete(LOCK)
    watched(tmp_path / "ada", memory)[0].push()
    bob.sync()
    all_have(lambda: store, {"files/b": "b", "files/c": "c"}, ada, bob)


def test_i2_is_watched(held: Watched) -> None:
    etag = held.objects()["files/stay"].etag
    with pytest.raises(Breach, match=r"^I2 .* names this version"):
        MemoryStore(held).delete("files/stay", if_match=etag)
    with pytest.raises(Breach, match=r"^I2 .* whatever it is"):
        MemoryStore(held).delete("files/stay")


# --- I3, I4, I5 -------------------------------------------------------------------------


@pytest.mark.parametrize("key", [FILES, META])
def test_i3_shards_and_meta_change_only_by_compare_and_swap(
    tmp_path: Path, memory: MemoryBucket, key: str
) -> None:
    """Somebody else's change in the last moment is merged, never written over."""
    ada, bob = changed(tmp_path, memory)
    peer = MemoryStore(memory)

    def race() -> None:
        document = json.loads(contents(peer)[key])
        document["theirs"] = 1
        peer.put(key, json.dumps(document).encode())

    careful, _ = watched(tmp_path / "ada", memory, before=Once("put", key, race))
    careful.push()
    assert json.loads(contents(peer)[key])["theirs"] == 1
    bob.sync()
    all_have(lambda: peer, CHANGED, ada, bob)


def test_i3_is_watched(held: Watched) -> None:
    body = held.objects()[FILES].body
    with pytest.raises(Breach, match=r"^I3 .* without a condition"):
        MemoryStore(held).put(FILES, body)
    with pytest.raises(Breach, match=r"^I3 .* without a record"):
        rewrite(held, FILES, lambda shard: shard["entries"].pop("files/stay"))
    with pytest.raises(Breach, match=r"^I3 .* overwritten"):
        MemoryStore(held).put("files/stay", b"other")


def test_i4_an_empty_shard_is_written_and_never_deleted(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair(tmp_path, memory, a="a", b="b")
    ada.write("logs/l", "l")
    ada.push()
    (ada.cache / "logs/l").unlink()
    careful, _ = watched(tmp_path / "ada", memory)
    careful.push()
    store = MemoryStore(memory)
    assert json.loads(contents(store)["_index/logs.json"]) == {"version": 1, "entries": {}}
    assert json.loads(contents(store)[META])["partitions"] == ["files", "logs"]
    bob.sync()
    all_have(lambda: store, {"files/a": "a", "files/b": "b"}, ada, bob)


def test_i4_and_i5_are_watched(held: Watched) -> None:
    with pytest.raises(Breach, match=r"^I4 .* deleted"):
        MemoryStore(held).delete(FILES, if_match=held.objects()[FILES].etag)
    with pytest.raises(Breach, match=r"^I4 .* not there"):
        rewrite(held, META, lambda meta: meta["partitions"].append("gone"))
    with pytest.raises(Breach, match=r"^I5"):
        rewrite(held, META, lambda meta: meta.update(commitSeq=7))


def test_i5_commit_seq_is_what_was_just_read_plus_one(tmp_path: Path, memory: MemoryBucket) -> None:
    """Also when a peer set it back: it never goes on from what we remember."""
    changed(tmp_path, memory)
    store = MemoryStore(memory)
    meta = json.loads(contents(store)[META])
    store.put(META, json.dumps({**meta, "commitSeq": 40}).encode())
    careful, _ = watched(tmp_path / "ada", memory)
    assert careful.push().commit_seq == 41


# --- I6, I7, I8, I9 ---------------------------------------------------------------------


def test_i6_a_missing_entry_is_no_deletion_while_its_object_is_there(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair(tmp_path, memory, a="a", b="b")
    store = MemoryStore(memory)
    shard = json.loads(contents(store)[FILES])
    del shard["entries"]["files/a"]
    store.put(FILES, json.dumps(shard).encode())
    careful, _ = watched(tmp_path / "ada", memory)
    assert careful.sync().deleted_local == 0
    bob.sync()
    all_have(lambda: store, {"files/a": "a", "files/b": "b"}, ada, bob)


@pytest.mark.parametrize(("last", "spared"), [("_control/s3dash/c", FILES), (FILES, META)])
def test_i7_no_write_is_issued_on_a_lease_shorter_than_a_request(
    tmp_path: Path, last: str, spared: str
) -> None:
    """The answer to a write takes so long that the heart, which stands still here, is overdue."""
    clock = TestClock()
    memory = MemoryBucket(clock=clock)
    ada, bob = changed(tmp_path, memory)
    seen = Invariants(request_s=REQUEST_S).watch(memory, "")
    before = seen.objects()[spared].body

    def hang(op: str, key: str) -> None:
        if op == "put" and key.startswith(last):
            clock.advance(25)

    slow = Machine(tmp_path / "ada", lambda: MemoryStore(seen, after=hang), clock=clock)
    with pytest.raises(LockLost):
        slow.push()
    assert seen.objects()[spared].body == before
    ada.sync()
    bob.sync()
    all_have(lambda: MemoryStore(memory), CHANGED, ada, bob)


def test_i7_is_watched(tmp_path: Path) -> None:
    clock = TestClock()
    memory = MemoryBucket(clock=clock)
    changed(tmp_path, memory)
    seen = Invariants(request_s=REQUEST_S).watch(memory, "")
    with pytest.raises(Breach, match=r"^I7 .* without the lock"):
        rewrite(seen, FILES, lambda shard: None)
    MemoryStore(seen).put(LOCK, b"{}", if_none_match=True)
    rewrite(seen, FILES, lambda shard: shard.update(more=1))
    clock.advance(30)
    with pytest.raises(Breach, match=r"^I7 .* of the lease left"):
        rewrite(seen, FILES, lambda shard: shard.update(more=2))


def test_i8_a_local_file_is_replaced_only_while_it_is_the_base(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair(tmp_path, memory, a="base")
    ada.write("files/a", "ada")
    ada.push()

    def edit() -> None:
        bob.write("files/a", "bob, in the last moment")

    late = machine(tmp_path / "bob", memory, after=Once("download", "files/a", edit))
    assert late.pull().pulled == 0
    assert bob.files() == {"files/a": b"bob, in the last moment"}
    assert (base(bob), trash(bob)) == ({"files/a": digest(b"base")}, [])


def test_i9_the_base_is_never_ahead_of_the_index(tmp_path: Path, memory: MemoryBucket) -> None:
    """At every request of a push, and after a crash at any of them."""
    ada, bob = changed(tmp_path, memory)
    store = MemoryStore(memory)
    known: set[tuple[str, str | None]] = set()

    def look(op: str, key: str) -> None:
        known.update(entries(lambda: store).items())
        state = State(state_file(ada.settings), read_only=True)
        try:
            ahead = {(rel, row.tag) for rel, row in state.base_rows().items()} - known
        finally:
            state.close()
        assert not ahead, f"I9 is not kept at {op} {key}: {ahead}"

    machine(tmp_path / "ada", memory, before=look, after=look).push()
    assert len(known) == 5
    machine(tmp_path / "bob", memory, before=look, after=look).pull()
    all_have(lambda: store, CHANGED, ada, bob)


def test_i9_an_install_that_fails_leaves_the_base(tmp_path: Path, memory: MemoryBucket) -> None:
    ada, bob = changed(tmp_path, memory)
    ada.push()
    before = base(bob)

    def crash(op: str, key: str) -> None:
        if op == "download":
            raise S3DashError("the plug was pulled")

    machine(tmp_path / "bob", memory, after=crash).pull()
    assert base(bob) == before
