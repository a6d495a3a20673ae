"""A plain client works in the same cache: its sidecar and its index are read and kept true."""

import json
from collections.abc import Callable

from s3dash.core.sidecar import Sidecar, encode
from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.world import Machine, contents, fill, golden_bucket, golden_cache

Store = Callable[[], ObjectStore]


def joined(join: Join, store: Store) -> Machine:
    """A machine whose cache a plain client pulled from the golden version 2 bucket."""
    fill(store(), golden_bucket("gold-solo-v2"))
    ada = join("ada")
    for rel, content in golden_cache("sidecar-clean-v2").items():
        path = ada.cache / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return ada


def mark(ada: Machine, *rels: str) -> None:
    path = ada.cache / ".datastore-sync-state.json"
    path.write_bytes(encode(Sidecar(localDirty=True, dirtyPaths=rels, commitSeq=2)))


def test_an_edit_that_the_peer_marked_is_pushed_not_a_conflict(join: Join, store: Store) -> None:
    ada = joined(join, store)
    ada.write("logs/app.log", "edited by the peer\n")
    mark(ada, "logs")
    result = ada.push()
    assert (result.pushed, result.conflicts) == (1, [])
    assert contents(store())["logs/app.log"] == b"edited by the peer\n"
    assert ada.sidecar()["dirtyPaths"] == []


def test_an_unmarked_difference_is_nobodys_edit_for_sure(join: Join, store: Store) -> None:
    ada = joined(join, store)
    ada.write("logs/app.log", "HELLO AGAIN\n")
    result = ada.sync()
    assert [c.path for c in result.conflicts] == ["logs/app.log"]


def test_a_marked_path_that_is_gone_is_a_deletion(join: Join, store: Store) -> None:
    ada = joined(join, store)
    (ada.cache / "files/new.bin").unlink()
    (ada.cache / "root-note.txt").unlink()
    mark(ada, "files/new.bin")
    result = ada.sync()
    assert (result.deleted_remote, result.pulled) == (1, 1)
    assert "files/new.bin" not in contents(store())
    assert ada.read("root-note.txt") == b"at the root\n"


def test_after_a_pull_the_sidecar_says_which_commit_the_cache_is_at(
    join: Join, store: Store
) -> None:
    fill(store(), golden_bucket("gold-solo-v2"))
    ada = join("ada")
    ada.pull()
    side = ada.sidecar()
    assert (side["commitSeq"], side["localDirty"], side["bulkInvalidated"]) == (2, False, False)
    local = json.loads((ada.cache / ".datastore-index.json").read_text())
    assert set(local["entries"]) == set(ada.files())


def test_a_cache_that_lacks_something_does_not_claim_the_commit(join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    ada.write("files/a", "1")
    ada.write("files/b", "1")
    ada.push()
    bob.pull()
    ada.write("files/a", "2")
    ada.push()
    bob.write("files/b", "2")
    bob.push()
    assert bob.sidecar()["commitSeq"] == 1
    bob.pull()
    assert bob.sidecar()["commitSeq"] == 3


def test_a_change_that_is_seen_and_not_pushed_is_marked_for_the_peer(join: Join) -> None:
    ada = join("ada", namespace="infra")
    ada.write("files/a", "1")
    ada.push()
    ada.write("files/b", "2")
    ada.status()
    side = ada.sidecar()
    assert (side["localDirty"], side["dirtyPaths"]) == (True, ["infra/files/b"])
    ada.push()
    side = ada.sidecar()
    assert (side["localDirty"], side["dirtyPaths"]) == (False, [])


def test_what_is_left_out_of_a_push_stays_marked(join: Join) -> None:
    ada = join("ada")
    ada.write("files/a", "1")
    ada.write("logs/b", "2")
    ada.push(["files"])
    assert ada.sidecar()["dirtyPaths"] == ["logs/b"]


def test_raw_files_of_a_lazy_cache_are_not_deletions(join: Join, store: Store) -> None:
    fill(store(), golden_bucket("gold-solo-v1"))
    ada = join("ada")
    for rel, content in golden_cache("sidecar-lazy").items():
        path = ada.cache / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    before = contents(store())
    result = ada.sync()
    assert (result.pulled, result.deleted_remote, result.pushed) == (0, 0, 0)
    assert contents(store()) == before
    assert ada.status().local.lazy
