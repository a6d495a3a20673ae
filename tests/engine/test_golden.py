"""Buckets that a real client wrote: pulled byte for byte, and left as they are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.paths import is_data
from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.world import Machine, contents, fill, golden_bucket, golden_cache

Store = Callable[[], ObjectStore]

CASES = [
    ("gold-solo-v1", "gold-solo-v1", "", None),
    ("gold-solo-v2", "gold-solo-v2", "", None),
    ("gold-ns", "gold-ns-infra", "team", "infra"),
    ("gold-ns", "gold-ns-web", "team", "web"),
]


def data_of(cache: str, namespace: str | None) -> dict[str, bytes]:
    lead = f"{namespace}/" if namespace else ""
    files = golden_cache(cache)
    own = {k[len(lead) :]: v for k, v in files.items() if k.startswith(lead)}
    return {rel: body for rel, body in own.items() if is_data(rel)}


@pytest.fixture(params=["memory", "seaweedfs", "moto"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], ObjectStore]:
    """A fresh bucket; the argument is the prefix."""
    from s3dash.objectstore.memory import MemoryBucket, MemoryStore

    if request.param == "memory":
        bucket = MemoryBucket()
        return lambda prefix: MemoryStore(bucket, prefix)
    server = request.getfixturevalue("weed" if request.param == "seaweedfs" else "moto")
    name = server.make_bucket()
    from s3dash.objectstore.s3 import S3Store

    return lambda prefix: S3Store(
        server.settings(name, tmp_path, prefix=prefix), server.credentials
    )


@pytest.mark.parametrize(("bucket", "cache", "prefix", "namespace"), CASES)
def test_a_pull_into_an_empty_cache_is_the_real_clients_cache(
    endpoint: Callable[[str], ObjectStore],
    tmp_path: Path,
    bucket: str,
    cache: str,
    prefix: str,
    namespace: str | None,
) -> None:
    fill(endpoint(""), golden_bucket(bucket))
    before = contents(endpoint(""))
    ada = Machine(tmp_path / "ada", lambda: endpoint(prefix), namespace=namespace)
    want = data_of(cache, namespace)
    assert ada.pull().pulled == len(want)
    assert ada.files() == want
    assert (ada.pull().pulled, ada.push().pushed, ada.sync().deleted_remote) == (0, 0, 0)
    assert contents(endpoint("")) == before


def test_one_edit_one_new_file_and_one_deletion_in_version_2(join: Join, store: Store) -> None:
    fill(store(), golden_bucket("gold-solo-v2"))
    before = contents(store())
    ada = join("ada")
    ada.pull()
    ada.write("logs/app.log", "edited\n")
    ada.write("files/added.txt", "new\n")
    (ada.cache / "audit/2026/01.jsonl").unlink()
    result = ada.push()
    assert (result.pushed, result.deleted_remote, result.commit_seq) == (2, 1, 3)
    after = contents(store())
    touched = {k for k in after if k.startswith("_index/") and after[k] != before.get(k)}
    assert touched == {f"_index/{n}.json" for n in ("_meta", "logs", "files", "audit")}
    assert json.loads(after["_index/audit.json"])["entries"] == {}
    assert "audit/2026/01.jsonl" not in after
    old = entries(before["_index/files.json"])
    new = entries(after["_index/files.json"])
    assert {rel: new[rel] for rel in old} == old
    assert set(new) - set(old) == {"files/added.txt"}


def test_untouched_entries_stay_byte_for_byte(join: Join, store: Store) -> None:
    odd = (
        b'{"key" : "files/x","size":1 ,"lastModified":"2026-01-01T00:00:00.000Z","mine":{"a":[1]}}'
    )
    fill(
        store(),
        {
            "files/x": b"1",
            "_index/_meta.json": b'{"version":2,"partitions":["files"],"commitSeq":7,"own":true}',
            "_index/files.json": b'{"version":1,"note":"n","entries":{"files/x":' + odd + b"}}",
        },
    )
    ada = join("ada")
    ada.pull()
    ada.write("files/y", "2")
    assert ada.push().commit_seq == 8
    shard = contents(store())["_index/files.json"]
    assert odd in shard
    assert json.loads(shard)["note"] == "n"


def test_a_version_1_push_keeps_monolith_and_shards_in_step(join: Join, store: Store) -> None:
    fill(store(), golden_bucket("gold-solo-v1"))
    ada, bob = join("ada"), join("bob")
    ada.pull()
    bob.pull()
    ada.write("logs/app.log", "HELLO\n")
    ada.write("odd/place.txt", "x")
    (ada.cache / "files/empty").unlink()
    result = ada.push()
    assert (result.pushed, result.deleted_remote, result.commit_seq) == (2, 1, None)
    after = contents(store())
    monolith = json.loads(after[".datastore-index.json"])
    assert monolith["version"] == 1
    assert "odd/place.txt" in monolith["entries"]
    assert "files/empty" not in monolith["entries"]
    shard = entries(after["_index/logs.json"])
    assert shard["logs/app.log"]["sha256"] == monolith["entries"]["logs/app.log"]["sha256"]
    assert json.loads(after["_index/_meta.json"])["version"] == 1
    assert "_index/odd.json" not in after
    assert bob.pull().pulled == 2
    assert bob.files() == ada.files()


@pytest.mark.parametrize(("bucket", "cache", "prefix", "namespace"), CASES)
def test_a_cache_of_a_real_client_is_joined_without_a_transfer(
    store: Store, tmp_path: Path, bucket: str, cache: str, prefix: str, namespace: str | None
) -> None:
    if prefix:
        objects = golden_bucket(bucket).items()
        fill(store(), {k[len(prefix) + 1 :]: v for k, v in objects})
    else:
        fill(store(), golden_bucket(bucket))
    ada = Machine(tmp_path / "ada", store, namespace=namespace)
    for rel, content in golden_cache(cache).items():
        path = ada.cache / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    result = ada.sync()
    assert (result.pulled, result.pushed, result.conflicts) == (0, 0, [])
    status = ada.status()
    assert (status.local.dirty, status.remote.changed) == ([], [])


def test_the_locks_that_a_dead_process_left_are_listed(store: Store, tmp_path: Path) -> None:
    fill(store(), golden_bucket("gold-locks"))
    ada = Machine(tmp_path / "ada", store)
    found = {info.key: info for info in ada.locks()}
    assert {info.scope for info in found.values()} == {"global", "model"}
    model = found["infra/data/short/model-a/.lock"]
    assert (model.namespace, model.model, model.holder) == ("infra", "short/model-a", "ada@vm")
    assert model.ttl_ms == 15000
    assert 0 <= model.age_s < 60


def entries(raw: bytes) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(raw)["entries"]
    return found
