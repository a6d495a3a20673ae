"""A commit that is interrupted, raced or lied to: replayed, healed, and nothing lost."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from s3dash.errors import Integrity, S3DashError, Unreachable
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from tests.engine.world import Machine, contents


class Plug:
    """Pulled at the n-th operation: from then on every call fails, as after a crash."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, op: str, key: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise Integrity("the plug was pulled")


def machine(home: Path, bucket: MemoryBucket) -> Machine:
    return Machine(home, lambda: MemoryStore(bucket))


def through(
    home: Path, bucket: MemoryBucket, *, before: Hook | None = None, after: Hook | None = None
) -> Machine:
    return Machine(home, lambda: MemoryStore(bucket, before=before, after=after))


def world(tmp_path: Path, bucket: MemoryBucket) -> tuple[Machine, Machine]:
    """Ada has edited, added and deleted; Bob has what was before."""
    ada, bob = machine(tmp_path / "ada", bucket), machine(tmp_path / "bob", bucket)
    for rel in ("files/edit", "files/gone", "files/stay", "logs/stay"):
        ada.write(rel, "base")
    ada.push()
    bob.pull()
    ada.write("files/edit", "edit")
    ada.write("data/t/id/new/1/raw", "new")
    (ada.cache / "files/gone").unlink()
    return ada, bob


def count_operations(tmp_path: Path) -> int:
    bucket, seen = MemoryBucket(), []
    world(tmp_path, bucket)
    through(tmp_path / "ada", bucket, before=lambda op, key: seen.append(op)).push()
    return len(seen)


@pytest.mark.parametrize("when", ["before", "after"])
def test_49_a_crash_at_each_operation_is_recovered(tmp_path: Path, when: str) -> None:
    total = count_operations(tmp_path / "count")
    assert total >= 10
    for at in range(total):
        bucket, home = MemoryBucket(), tmp_path / f"{when}-{at}"
        ada, bob = world(home, bucket)
        with suppress(S3DashError):  # the last ones only fail to clean up
            plug = Plug(at)
            hooks = {"before": plug} if when == "before" else {"after": plug}
            through(home / "ada", bucket, **hooks).push()
        MemoryStore(bucket).delete(".datastore.lock")  # the dead process's lock has run out
        bob.sync()
        ada.sync()
        bob.sync()
        want = {
            "files/edit": b"edit",
            "files/stay": b"base",
            "logs/stay": b"base",
            "data/t/id/new/1/raw": b"new",
        }
        assert ada.files() == bob.files() == want, f"operation {at}"
        data = {k: v for k, v in contents(MemoryStore(bucket)).items() if not k.startswith("_")}
        assert data == want, f"operation {at}"
        assert ada.status().local.dirty == bob.status().local.dirty == []


def test_46_a_lost_reply_to_any_put_is_read_back(tmp_path: Path) -> None:
    total = count_operations(tmp_path / "count")
    for at in range(total):
        bucket, home = MemoryBucket(), tmp_path / str(at)
        ada, bob = world(home, bucket)
        seen = iter(range(1000))

        def lose(op: str, key: str, at: int = at, seen: Iterator[int] = seen) -> None:
            if next(seen) == at and op in ("put", "delete", "upload"):
                raise Unreachable("the reply was lost")

        result = through(home / "ada", bucket, after=lose).push()
        assert (result.pushed, result.deleted_remote, result.failed) == (2, 1, []), at
        bob.pull()
        assert bob.files() == ada.files()


def test_51_a_plain_peer_that_overwrites_our_shard_is_healed(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    ada, bob = machine(tmp_path / "ada", bucket), machine(tmp_path / "bob", bucket)
    ada.write("files/a", "a")
    ada.push()
    bob.pull()
    store = MemoryStore(bucket)
    old_shard, old_meta = contents(store)["_index/files.json"], contents(store)["_index/_meta.json"]
    ada.write("files/b", "b")
    ada.write("odd/c", "c")
    ada.push()
    store.put("_index/files.json", old_shard)
    store.put("_index/_meta.json", old_meta)
    assert bob.sync().deleted_local == 0
    status = ada.status()
    assert "odd" in status.message
    healed = ada.sync()
    assert (healed.deleted_local, healed.pushed) == (0, 0)
    after = contents(store)
    assert "files/b" in json.loads(after["_index/files.json"])["entries"]
    meta = json.loads(after["_index/_meta.json"])
    assert meta["partitions"] == ["files", "odd"]
    assert meta["commitSeq"] == 2
    bob.sync()
    assert bob.files() == ada.files()


def test_31_a_commit_that_loses_a_race_for_a_shard_merges(tmp_path: Path) -> None:
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

    assert through(tmp_path / "ada", bucket, before=race).push().pushed == 1
    bob.pull()
    assert bob.files() == {"files/a": b"a", "files/b": b"b", "files/p": b"p"}


def test_28_an_object_that_is_not_what_the_index_names_is_not_installed(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    ada, bob = machine(tmp_path / "ada", bucket), machine(tmp_path / "bob", bucket)
    ada.write("files/a", "good")
    ada.write("files/b", "good")
    ada.push()
    MemoryStore(bucket).put("files/a", b"evil")
    result = bob.pull()
    assert [b.path for b in result.blocked] == ["files/a"]
    assert bob.files() == {"files/b": b"good"}


def test_29_somebody_elses_object_is_never_overwritten(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    ada = machine(tmp_path / "ada", bucket)
    ada.write("files/a", "base")
    ada.push()
    MemoryStore(bucket).put("files/a", b"theirs, not yet in the index")
    ada.write("files/a", "mine")
    result = ada.push()
    assert ([c.path for c in result.conflicts], result.pushed) == (["files/a"], 0)
    assert contents(MemoryStore(bucket))["files/a"] == b"theirs, not yet in the index"
    assert ada.read("files/a") == b"mine"


def test_42_an_emptied_cache_deletes_nothing_unasked(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    ada = machine(tmp_path / "ada", bucket)
    for n in range(6):
        ada.write(f"files/{n}", "x")
    ada.push()
    before = contents(MemoryStore(bucket))
    for n in range(6):
        (ada.cache / f"files/{n}").unlink()
    with pytest.raises(S3DashError, match="would delete 6 of 6"):
        ada.push()
    assert contents(MemoryStore(bucket)) == before
    assert ada.push(max_delete=6).deleted_remote == 6


def test_12_a_lost_state_is_a_first_sync(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    ada = machine(tmp_path / "ada", bucket)
    ada.write("files/a", "a")
    ada.push()
    for path in (ada.home / "state").glob("*.sqlite*"):
        path.write_bytes(b"no database")
    ada.write("files/b", "b")
    result = ada.sync()
    assert (result.pushed, result.conflicts, result.deleted_remote) == (1, [], 0)
    assert any("unusable" in row.text for row in ada.history())


def test_33_a_second_engine_on_a_cache_only_reads(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    ada = machine(tmp_path / "ada", bucket)
    ada.write("files/a", "a")
    first, second = ada.engine(), ada.engine()
    try:
        assert [r.path for r in second.status().local.dirty] == ["files/a"]
        with pytest.raises(S3DashError, match="belongs to another s3dash"):
            second.push()
        assert first.push().pushed == 1
    finally:
        second.stop()
        first.stop()


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
