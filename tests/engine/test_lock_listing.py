"""Which locks are found and by how many requests, and what a listed one says of its holder."""

from pathlib import Path

import msgspec
import pytest

from s3dash.core.keys import Keys
from s3dash.core.lock import LockBody, encode_lock
from s3dash.engine.locks import NEAR, list_all, look_around
from s3dash.errors import Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.faults import machine

GLOBAL = ".datastore.lock"


def test_a_lock_names_its_program_where_its_body_does() -> None:
    store = MemoryStore(MemoryBucket())
    ours = LockBody(holder="ann@vm", hostname="vm", pid=1, nonce="n", client="s3dash/1.0", seq=3)
    peers = LockBody(holder="bob@vm", hostname="vm", pid=2, nonce="m")
    store.put(".locks/infra.lock", encode_lock(ours))
    store.put("infra/data/t/id/.lock", encode_lock(peers))
    found = {info.key: info for info in list_all(store)}
    assert found[".locks/infra.lock"].client == "s3dash/1.0"
    model = found["infra/data/t/id/.lock"]
    assert (model.scope, model.namespace, model.client) == ("model", "infra", None)
    assert b"client" in msgspec.json.encode(found[".locks/infra.lock"])
    assert b"client" not in msgspec.json.encode(model)


def put(store: MemoryStore, key: str, holder: str = "bob@pc") -> None:
    store.put(key, encode_lock(LockBody(holder=holder, hostname="pc", pid=2, nonce=key)))


def test_all_locks_are_found_by_listing_data_and_nothing_else() -> None:
    bucket, asked = MemoryBucket(), list[tuple[str, str]]()
    store = MemoryStore(bucket, before=lambda op, key: asked.append((op, key)))
    locks = [GLOBAL, ".locks/infra.lock", "data/a/b/c/.lock", "infra/data/t/id/.lock"]
    for key in locks:
        put(store, key)
    for key in ("files/x/.lock", "data/.lock", "data/a/.locks", "infra/files/1", "logs/a/b/.lock"):
        store.put(key, b"{}")
    asked.clear()
    assert sorted(info.key for info in list_all(store)) == sorted(locks)
    listed = {key for op, key in asked if op == "list"}
    assert listed == {".locks/", "data/", "infra/data/"}


def test_a_round_lists_a_small_datastore_and_keeps_the_others_locks_in_sight() -> None:
    store, keys = MemoryStore(MemoryBucket()), Keys("infra")
    for key in ("infra/data/t/id/.lock", "web/data/t/id/.lock", ".locks/infra.lock"):
        put(store, key)
    known = list_all(store)
    store.delete("infra/data/t/id/.lock")
    put(store, "infra/data/t/new/.lock")
    found = look_around(store, keys, known=known, rels=(), lists=True)
    assert {info.key for info in found} == {
        ".locks/infra.lock",
        "infra/data/t/new/.lock",
        "web/data/t/id/.lock",
    }


def test_a_round_of_a_large_one_reads_what_is_known_and_what_is_edited_here() -> None:
    asked = list[tuple[str, str]]()
    store = MemoryStore(MemoryBucket(), before=lambda op, key: asked.append((op, key)))
    for number in range(20):
        put(store, f"data/t/m{number:02}/.lock")
    known = [info for info in list_all(store) if info.key == "data/t/m19/.lock"]
    rels = [f"data/t/m{number:02}/x/1/raw" for number in range(15)]
    asked.clear()
    found = look_around(store, Keys(), known=known, rels=rels, lists=False)
    expected = {f"data/t/m{number:02}/.lock" for number in (*range(NEAR), 19)}
    assert {info.key for info in found} == expected
    assert [key for op, key in asked if op == "list"] == [".locks/"]
    assert len(asked) == 2 + len(expected)


def test_a_listing_that_fails_is_an_error_and_not_no_locks() -> None:
    def fail(op: str, key: str) -> None:
        if key == "infra/data/":
            raise Unreachable("nobody answers")

    store = MemoryStore(MemoryBucket(), before=fail)
    put(store, "infra/data/t/id/.lock")
    with pytest.raises(Unreachable):
        list_all(store)


def test_the_snapshot_says_when_the_models_locks_were_listed(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    engine = machine(tmp_path / "ada", bucket).engine()
    assert engine.snapshot().locks_at == ""
    put(MemoryStore(bucket), "data/t/id/.lock")
    assert [info.model for info in engine.locks()] == ["t/id"]
    assert engine.snapshot().locks_at != ""
    engine.stop()
