"""Reliability scenarios 43, 44 and 53: a bucket that lies, was emptied, or has other tenants.

In memory, where it can answer wrongly.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from s3dash.errors import InvalidResponse, OtherDatastore
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectInfo
from tests.engine.ends import all_have, data, entries, trash
from tests.engine.faults import machine, pair
from tests.engine.world import Machine, contents, digest

LOCK = ".datastore.lock"


class Short(MemoryStore):
    """Answers every listing without the keys that contain `hidden`."""

    hidden = ""

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectInfo]:
        found = super().list(prefix, start_after=start_after)
        return (info for info in found if self.hidden not in info.key)


@pytest.mark.parametrize("selection", [(), ("files/a",)])
def test_43_a_bucket_that_was_emptied_deletes_nothing_here(
    tmp_path: Path, memory: MemoryBucket, selection: tuple[str, ...]
) -> None:
    ada, bob = pair(tmp_path, memory, a="a", b="b", c="c")
    memory.clear()
    for user in (ada, bob):
        for operation in (user.pull, user.sync, user.push):
            with pytest.raises(OtherDatastore):
                operation(selection, max_delete=100)
        assert "emptied or replaced" in user.status().message
        assert user.files() == {"files/a": b"a", "files/b": b"b", "files/c": b"c"}
        assert trash(user) == []
    assert contents(MemoryStore(memory)) == {}


def test_43_a_bucket_that_was_replaced_by_another_datastore_deletes_nothing_here(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, _ = pair(tmp_path, memory, a="a", b="b", c="c")
    memory.clear()
    cyn = machine(tmp_path / "cyn", memory)
    for name in "bcdefg":
        cyn.write(f"files/{name}", name)
    cyn.push()
    with pytest.raises(OtherDatastore):
        ada.sync()
    assert ada.files() == {"files/a": b"a", "files/b": b"b", "files/c": b"c"}
    for path in (ada.home / "state").glob("*.sqlite*"):
        path.unlink()
    result = ada.sync()
    assert (result.pushed, result.pulled, result.deleted_local) == (1, 4, 0)
    cyn.sync()
    all_have(lambda: MemoryStore(memory), {f"files/{n}": n for n in "abcdefg"}, ada, cyn)


@pytest.mark.parametrize("hidden", ["_index/", "_index/_meta", "_index/files"])
def test_44_an_empty_or_short_listing_is_an_error_and_no_deletion(
    tmp_path: Path, memory: MemoryBucket, hidden: str
) -> None:
    """A stale version 1 index lies there too, as beside every migrated datastore."""
    _, bob = pair(tmp_path, memory, a="a", b="b")
    stale = b'{"version":1,"lastPulled":"","entries":{}}'
    MemoryStore(memory).put(".datastore-index.json", stale)
    before = contents(MemoryStore(memory))

    def short() -> MemoryStore:
        store = Short(memory)
        store.hidden = hidden
        return store

    fresh = Machine(tmp_path / "fresh", short)
    fresh.write("files/mine", "mine")
    lied_to = Machine(tmp_path / "bob", short)
    lied_to.write("files/a", "edited")
    for victim in (fresh, lied_to):
        for operation in (victim.pull, victim.sync, victim.push):
            with pytest.raises(InvalidResponse, match="which is there"):
                operation()
    assert contents(MemoryStore(memory)) == before
    assert bob.files() == {"files/a": b"edited", "files/b": b"b"}
    assert bob.push().pushed == 1


def test_44_a_listing_that_is_no_listing_stops_before_anything_is_done(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, _ = pair(tmp_path, memory, a="a")
    before = contents(MemoryStore(memory))

    def html(op: str, key: str) -> None:
        if op == "list":
            raise InvalidResponse("the answer is no ListBucketResult")

    lied_to = machine(tmp_path / "ada", memory, before=html)
    with pytest.raises(InvalidResponse):
        lied_to.sync()
    assert not lied_to.status().healthy
    assert contents(MemoryStore(memory)) == before
    assert ada.files() == {"files/a": b"a"}


def test_53_a_namespace_never_touches_another(tmp_path: Path, memory: MemoryBucket) -> None:
    infra = machine(tmp_path / "ada", memory, namespace="infra")
    web = machine(tmp_path / "bob", memory, namespace="web")
    solo = machine(tmp_path / "cyn", memory)
    for user in (infra, web):
        user.write("files/a", user.settings.namespace or "")
        user.push()
        name = user.settings.namespace
        MemoryStore(memory).put(f"{name}/.namespace.json", b"{}")
    others = {k: v for k, v in contents(MemoryStore(memory)).items() if not k.startswith("web/")}
    (web.base / "files/a").unlink()
    web.write("files/b", "web")
    web.write("../infra-like", "beside")
    web.push(max_delete=1)
    after = contents(MemoryStore(memory))
    assert {k: v for k, v in after.items() if not k.startswith("web/")} == others
    assert (infra.sync().deleted_local, infra.files()) == (0, {"files/a": b"infra"})
    solo.write("own", "own")
    solo.sync()
    assert solo.files() == {"own": b"own"}
    assert entries(lambda: MemoryStore(memory)) == {"own": digest(b"own")}
    left = data(lambda: MemoryStore(memory))
    assert (left["infra/files/a"], left["web/files/b"]) == (b"infra", b"web")
