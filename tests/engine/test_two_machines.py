"""Two caches on one datastore: what one pushes the other pulls, and nothing is lost between."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.errors import AccessDenied
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.ends import all_have
from tests.engine.faults import Once, machine
from tests.engine.world import contents, digest

Store = Callable[[], ObjectStore]


def test_a_first_push_starts_a_version_2_index(join: Join, store: Store) -> None:
    ada = join("ada")
    ada.write("files/a.txt", "one")
    ada.write("data/t/id/name/1/raw", "two")
    ada.write("odd/place.txt", "three")
    ada.write("top", "four")
    result = ada.push()
    assert (result.pushed, result.commit_seq, result.failed) == (4, 1, [])
    bucket = contents(store())
    assert bucket["files/a.txt"] == b"one"
    meta = json.loads(bucket["_index/_meta.json"])
    assert meta["version"] == 2
    assert meta["partitions"] == ["_root", "data--t--id", "files", "odd"]
    entry = json.loads(bucket["_index/odd.json"])["entries"]["odd/place.txt"]
    assert (entry["key"], entry["size"], entry["sha256"]) == ("odd/place.txt", 5, digest(b"three"))
    assert ".datastore.lock" not in bucket


def test_two_first_pushes_at_once_make_one_index_and_no_conflict(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """Bob publishes the index while Ada's upload waits for the lock: he lists it with his own."""
    bob = machine(tmp_path / "bob", memory)
    bob.write("files/b", "bob")
    ada = machine(tmp_path / "ada", memory, before=Once("put", ".datastore.lock", bob.push))
    ada.write("files/a", "ada")
    result = ada.push()
    assert (result.pushed, result.conflicts) == (1, [])
    for each in (ada, bob):
        each.pull()
    all_have(lambda: MemoryStore(memory), {"files/a": "ada", "files/b": "bob"}, ada, bob)


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("listed", [False, True])
def test_a_first_push_that_was_cut_off_is_no_conflict_with_itself(
    tmp_path: Path, memory: MemoryBucket, edited: bool, listed: bool
) -> None:
    """Without an index the listing names the upload; so does the index that Bob then publishes."""

    def cut() -> None:
        raise AccessDenied("the credentials have expired")

    first = machine(tmp_path / "ada", memory, before=Once("put", ".datastore.lock", cut))
    first.write("files/a", "ada")
    with pytest.raises(AccessDenied):
        first.push()
    ada, bob = machine(tmp_path / "ada", memory), machine(tmp_path / "bob", memory)
    want: dict[str, bytes | str] = {"files/a": "edited" if edited else "ada"}
    if listed:
        bob.write("files/b", "bob")
        bob.push()
        want["files/b"] = "bob"
    ada.write("files/a", want["files/a"])
    result = ada.sync()
    assert (result.pushed, result.conflicts, result.failed) == (1, [], [])
    bob.pull()
    all_have(lambda: MemoryStore(memory), want, ada, bob)


def test_what_one_pushes_the_other_pulls(join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    ada.write("files/a.txt", "one")
    ada.write("files/b.txt", "two")
    ada.push()
    assert bob.pull().pulled == 2
    assert bob.files() == ada.files()
    assert (bob.pull().pulled, bob.push().pushed, ada.sync().pulled) == (0, 0, 0)


def test_the_policy_decides_a_conflict_and_keeps_what_loses(join: Join, store: Store) -> None:
    ada, bob = join("ada"), join("bob")
    for policy, here, there in (("remote", b"AAAA", b"AAAA"), ("local", b"BBBB", b"BBBB")):
        rel = f"files/{policy}"
        ada.write(rel, "base")
        ada.push()
        bob.pull()
        ada.write(rel, "AAAA")
        bob.write(rel, "BBBB")
        ada.push()
        result = bob.sync(policy=policy)
        assert result.conflicts == []
        assert bob.read(rel) == here
        assert contents(store())[rel] == there
        kept = [path.read_bytes() for path in (bob.home / "state/trash").glob("*.blob")]
        assert (b"BBBB" if policy == "remote" else b"AAAA") in kept
        ada.pull()


def test_only_the_selected_paths_move(join: Join, store: Store) -> None:
    ada = join("ada")
    ada.write("files/a", "a")
    ada.write("files/sub/b", "b")
    ada.write("logs/c", "c")
    assert ada.push(["files/sub", "logs/c"]).pushed == 2
    assert "files/a" not in contents(store())
    assert [row.path for row in ada.status().local.dirty] == ["files/a"]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(join: Join, store: Store) -> None:
    ada = join("ada")
    ada.write("files/a", "a")
    result = ada.push(dry_run=True)
    assert [(r.path, r.action) for r in result.plan] == [("files/a", "upload")]
    assert result.pushed == 0
    assert contents(store()) == {}
