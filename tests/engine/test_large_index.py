"""A large index: what a look and a commit ask for, what is kept between processes, what races."""

import json
import sqlite3
from pathlib import Path
from random import Random

import pytest

from s3dash.core.index import Entry
from s3dash.core.keys import Keys
from s3dash.engine.decoded import Decoded
from s3dash.engine.documents import AT_ONCE
from s3dash.engine.remote import IndexReader
from s3dash.local.state import State
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.faults import Once, machine
from tests.engine.world import contents

KEYS = Keys()
SHARDS = 2_001
"""As many as make a listing cost more than a look at meta and one shard: three requests."""
OURS = "data/t/m-0000/v/1/mine"
HOME = "_index/data--t--m-0000.json"
OTHER = "_index/data--t--m-0001.json"


def entry(rel: str, size: int = 1) -> dict[str, object]:
    return {"key": rel, "size": size, "lastModified": "", "sha256": f"{size:064x}"}


def shard(number: int, size: int = 1) -> bytes:
    rel = f"data/t/m-{number:04d}/v/1/raw"
    return json.dumps({"version": 1, "entries": {rel: entry(rel, size)}}).encode()


@pytest.fixture
def bucket() -> MemoryBucket:
    made = MemoryBucket()
    store = MemoryStore(made)
    names = [f"data--t--m-{number:04d}" for number in range(SHARDS)]
    for number, name in enumerate(names):
        store.put(KEYS.shard(name), shard(number))
    meta = {"version": 2, "partitions": names, "commitSeq": 1}
    store.put(KEYS.meta, json.dumps(meta).encode())
    return made


class Asked:
    """A hook that keeps what was asked while the global lock was held."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []

    def __call__(self, op: str, key: str) -> None:
        self.all.append((op, key))

    @property
    def under_lock(self) -> list[tuple[str, str]]:
        held = [n for n, (_, key) in enumerate(self.all) if key == KEYS.lock]
        return self.all[held[0] : held[-1] + 1]


def test_a_commit_into_a_large_index_lists_nothing(tmp_path: Path, bucket: MemoryBucket) -> None:
    asked = Asked()
    ada = machine(tmp_path / "ada", bucket, before=asked)
    ada.write(OURS, "first")
    ada.push()
    ada.write(OURS, "changed")
    asked.all.clear()
    done = ada.push()
    assert (done.pushed, done.commit_seq) == (1, 3)
    ops = asked.under_lock
    assert not [key for op, key in ops if op == "list"]
    looked = sorted(key for op, key in ops if op == "head")
    assert looked == sorted([HOME, KEYS.meta, KEYS.meta])
    assert len(ops) <= 10
    meta = json.loads(contents(MemoryStore(bucket))[KEYS.meta])
    assert len(meta["partitions"]) == SHARDS
    assert OURS in json.loads(contents(MemoryStore(bucket))[HOME])["entries"]


def test_a_shard_that_is_written_over_behind_our_commit_gets_our_entry_back(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    """A plain client without the lock: it read before us and writes after us."""
    peer = MemoryStore(bucket)
    over = Once("put", KEYS.meta, lambda: peer.put(HOME, shard(0, 7)))
    ada = machine(tmp_path / "ada", bucket, before=over)
    ada.write(OURS, "mine")
    assert ada.push().pushed == 1
    assert over.done
    entries = json.loads(contents(peer)[HOME])["entries"]
    assert entries.keys() == {OURS, "data/t/m-0000/v/1/raw"}
    assert entries["data/t/m-0000/v/1/raw"]["size"] == 7


def test_a_commit_of_somebody_else_before_the_lock_is_merged(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    """Between our look and our lock: meta says so, and all is read again."""
    bob = machine(tmp_path / "bob", bucket)
    bob.write("data/t/m-0000/v/1/bob", "bob")
    first = Once("put", KEYS.lock, bob.push)
    ada = machine(tmp_path / "ada", bucket, before=first)
    ada.write(OURS, "mine")
    assert ada.push().commit_seq == 3
    entries = json.loads(contents(MemoryStore(bucket))[HOME])["entries"]
    assert {OURS, "data/t/m-0000/v/1/bob"} <= entries.keys()


def test_a_shard_that_moved_without_meta_is_told_by_the_compare_and_swap(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    """A client that died between its shard and its meta, or has not come to it yet."""
    peer = MemoryStore(bucket)
    first = Once("put", KEYS.lock, lambda: peer.put(HOME, shard(0, 9)))
    ada = machine(tmp_path / "ada", bucket, before=first)
    ada.write(OURS, "mine")
    assert ada.push().pushed == 1
    entries = json.loads(contents(peer)[HOME])["entries"]
    assert entries["data/t/m-0000/v/1/raw"]["size"] == 9
    assert OURS in entries


def test_a_removal_is_verified_before_its_object_goes(tmp_path: Path, bucket: MemoryBucket) -> None:
    ada = machine(tmp_path / "ada", bucket)
    ada.write(OURS, "mine")
    ada.push()
    (ada.cache / OURS).unlink()
    asked = Asked()
    gone = machine(tmp_path / "ada", bucket, before=asked).push(max_delete=1)
    assert gone.deleted_remote == 1
    order = [pair for pair in asked.all if pair in (("head", HOME), ("delete", OURS))]
    assert order == [("head", HOME), ("delete", OURS)]
    assert OURS not in contents(MemoryStore(bucket))


# --- between processes -------------------------------------------------------------------


def test_a_new_process_fetches_only_what_changed(tmp_path: Path, bucket: MemoryBucket) -> None:
    machine(tmp_path / "ada", bucket).status()
    MemoryStore(bucket).put(OTHER, shard(1, 5))
    asked = Asked()
    machine(tmp_path / "ada", bucket, before=asked).status()
    assert [key for op, key in asked.all if op == "get" and "_index/" in key] == [OTHER]


def test_a_kept_document_that_was_damaged_is_fetched_again_and_kept(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    machine(tmp_path / "ada", bucket).status()
    (path,) = (tmp_path / "ada" / "state").glob("*.sqlite")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE docs SET body = zeroblob(99) WHERE key = ?", (OTHER,))
    db.close()
    for expected in ([OTHER], []):
        asked = Asked()
        told = machine(tmp_path / "ada", bucket, before=asked).status()
        assert told.index.entries == SHARDS
        assert [key for op, key in asked.all if op == "get" and "_index/" in key] == expected


def test_the_bytes_of_a_large_index_are_put_away_and_there_when_asked_for(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    state = State(tmp_path / "state.sqlite")
    reader = IndexReader(MemoryStore(bucket), KEYS, shelf=state)
    index = reader.load()
    held = sum(doc.at_hand for doc in index.docs.values())
    assert held <= 2 * AT_ONCE
    assert {key: doc.body for key, doc in index.docs.items()} == contents(
        MemoryStore(bucket), KEYS.index_dir
    )
    state.close()


def test_what_may_not_be_kept_stays_in_memory(tmp_path: Path, bucket: MemoryBucket) -> None:
    State(tmp_path / "state.sqlite").close()
    state = State(tmp_path / "state.sqlite", read_only=True)
    asked = Asked()
    reader = IndexReader(MemoryStore(bucket, before=asked), KEYS, shelf=state)
    index = reader.load()
    asked.all.clear()
    assert index.docs[OTHER].body == shard(1)
    assert asked.all == []
    state.close()


def test_what_the_state_lost_meanwhile_is_not_asked_for_to_be_kept(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    machine(tmp_path / "ada", bucket).status()
    asked = Asked()
    engine = machine(tmp_path / "ada", bucket, before=asked).engine()
    (path,) = (tmp_path / "ada" / "state").glob("*.sqlite")
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM docs")
    db.close()
    engine.stop()
    assert asked.all == []


# --- merging -----------------------------------------------------------------------------


def test_a_merge_that_goes_on_from_the_last_is_the_merge_of_all() -> None:
    """Shards come, go, change, and now and then hold a path that is another shard's."""
    dice = Random(1)
    going, bodies = Decoded(KEYS), dict[str, bytes]()
    for step in range(400):
        key = KEYS.shard(f"data--t--m{dice.randrange(12)}")
        if key in bodies and dice.random() < 0.2:
            del bodies[key]
        else:
            homes = [int(key[len("_index/data--t--m") : -5])] * 4 + [dice.randrange(12)]
            rels = {f"data/t/m{dice.choice(homes)}/v/{n}/raw" for n in range(dice.randrange(4))}
            entries = {rel: entry(rel, step) for rel in rels}
            bodies[key] = json.dumps({"version": 1, "entries": entries}).encode()
            going.take(key, str(step), bodies[key])
        going.keep(bodies)
        afresh = Decoded(KEYS)
        for name, body in bodies.items():
            afresh.take(name, "", body)
        merged = going.merge(sorted(bodies))
        assert merged.entries == afresh.merge(sorted(bodies)).entries, f"step {step}"
        assert merged.blocked() == {}


def test_what_a_merge_gave_is_not_changed_by_the_next() -> None:
    decoded = Decoded(KEYS)
    for number in range(4):
        decoded.take(str(number), "1", shard(number))
    keys = [str(number) for number in range(4)]
    before = decoded.merge(keys).entries
    copy: dict[str, Entry] = dict(before)
    decoded.take("1", "2", shard(1, 8))
    after = decoded.merge(keys).entries
    assert before == copy
    assert after["data/t/m-0001/v/1/raw"].size == 8
