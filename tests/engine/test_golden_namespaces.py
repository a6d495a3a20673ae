"""A bucket of namespaces that a real client wrote, shared with plain clients that go on there.

They put shards and meta without a look, and recompute `partitions` by their own rule.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.core.settings import Datastore
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.peer import PlainPeer
from tests.engine.world import Machine, contents, fill, golden_bucket, golden_cache

PREFIX = "team"
NAMESPACES = ("infra", "web")
"""The first has a version 1 index, the second version 2."""
ODD = "odd/place.txt"
"""No shard of the peers' own would hold it."""

Open = Callable[[str], ObjectStore]


@pytest.fixture(params=["memory", "seaweedfs", "moto"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """The golden bucket, at a prefix."""
    if request.param == "memory":
        bucket = MemoryBucket()
        opened: Open = lambda prefix: MemoryStore(bucket, prefix)  # noqa: E731
    else:
        from s3dash.objectstore.s3 import S3Store

        server = request.getfixturevalue("weed" if request.param == "seaweedfs" else "moto")
        name = server.make_bucket()

        def opened(prefix: str) -> ObjectStore:
            settings: Datastore = server.settings(name, tmp_path, prefix=prefix)
            return S3Store(settings, server.credentials)

    fill(opened(""), golden_bucket("gold-ns"))
    return opened


def machine(at: Open, home: Path, namespace: str) -> Machine:
    return Machine(home, lambda: at(PREFIX), namespace=namespace)


def joined(at: Open, home: Path, namespace: str) -> Machine:
    """On the cache that the real client left."""
    made = machine(at, home, namespace)
    for rel, body in golden_cache(f"gold-ns-{namespace}").items():
        path = made.cache / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    assert (made.sync().pulled, made.push().pushed) == (0, 0)
    return made


def peer_of(at: Open, namespace: str) -> PlainPeer:
    peer = PlainPeer(at(f"{PREFIX}/{namespace}"))
    peer.pull()
    return peer


def edit(ada: Machine) -> dict[str, bytes]:
    """A change, two new files, one where no peer has a shard, and a deletion."""
    ada.write("logs/app.log", "edited by ada")
    ada.write("files/of-ada.txt", "new")
    ada.write(ODD, "nobody else would index it")
    (ada.base / "telemetry/t.json").unlink()
    return dict(ada.files())


def elsewhere(at: Open, namespace: str) -> dict[str, bytes]:
    own = f"{PREFIX}/{namespace}/"
    found = contents(at("")).items()
    return {k: v for k, v in found if not k.startswith((own, f"{PREFIX}/.locks/"))}


def assert_all_there(at: Open, tmp_path: Path, namespace: str, want: dict[str, bytes]) -> None:
    """Whoever comes anew finds it all; what the index says is there, and all that is there is."""
    fresh = machine(at, tmp_path / "fresh", namespace)
    assert fresh.pull().failed == []
    assert fresh.files() == want
    peer = peer_of(at, namespace)
    assert peer.files.keys() >= want.keys() - {ODD}
    assert {rel: peer.files[rel] for rel in want if rel != ODD} == {
        rel: body for rel, body in want.items() if rel != ODD
    }


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_a_round_trip_leaves_all_that_was_not_touched_as_it_was(
    at: Open, tmp_path: Path, namespace: str
) -> None:
    before, others = contents(at("")), elsewhere(at, namespace)
    ada = joined(at, tmp_path / "ada", namespace)
    bob = machine(at, tmp_path / "bob", namespace)
    bob.pull()
    want = edit(ada)
    assert (ada.push().pushed, bob.pull().failed) == (3, [])
    assert bob.files() == want
    bob.write("logs/app.log", golden_cache(f"gold-ns-{namespace}")[f"{namespace}/logs/app.log"])
    bob.write(
        "telemetry/t.json", golden_cache(f"gold-ns-{namespace}")[f"{namespace}/telemetry/t.json"]
    )
    (bob.base / "files/of-ada.txt").unlink()
    (bob.base / ODD).unlink()
    bob.push()
    after = contents(at(""))
    data = [k for k in before if "/_index/" not in k and not k.rpartition("/")[2].startswith(".")]
    assert {k: after[k] for k in data} == {k: before[k] for k in data}
    assert elsewhere(at, namespace) == others
    ada.pull()
    assert ada.files() == bob.files()
    assert_all_there(at, tmp_path, namespace, bob.files())


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_a_plain_push_after_ours_loses_none_of_our_entries(
    at: Open, tmp_path: Path, namespace: str
) -> None:
    others = elsewhere(at, namespace)
    ada = joined(at, tmp_path / "ada", namespace)
    want = edit(ada)
    ada.push()
    peer = peer_of(at, namespace)
    peer.write("files/of-peer.txt", b"from the plain client")
    peer.push()
    if namespace == "web":  # its own rule has no shard for that path
        meta = json.loads(contents(at(f"{PREFIX}/{namespace}"))["_index/_meta.json"])
        assert "odd" not in meta["partitions"]
    result = ada.sync()
    assert (result.conflicts, result.failed, result.deleted_local) == ([], [], 0)
    want["files/of-peer.txt"] = b"from the plain client"
    assert ada.files() == want
    assert_all_there(at, tmp_path, namespace, want)
    assert elsewhere(at, namespace) == others


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_a_plain_push_from_an_index_read_before_ours_loses_none_of_our_entries(
    at: Open, tmp_path: Path, namespace: str
) -> None:
    """It writes back whole shards of what was there before our push."""
    ada = joined(at, tmp_path / "ada", namespace)
    peer = peer_of(at, namespace)
    peer.write("files/of-peer.txt", b"from the plain client")
    steps = peer.pushing()
    next(steps)
    want = edit(ada)
    ada.push()
    for _ in steps:
        continue
    result = ada.sync()
    assert (result.conflicts, result.failed, result.deleted_local) == ([], [], 0)
    want["files/of-peer.txt"] = b"from the plain client"
    assert ada.files() == want
    assert_all_there(at, tmp_path, namespace, want)
