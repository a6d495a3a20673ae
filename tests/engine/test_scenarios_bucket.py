"""Reliability scenarios 43 and 44: a bucket that was emptied, replaced, or lies.

A bucket that lies is in memory; the reliability tests have a proxy that lies for a real one.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3dash.errors import InvalidResponse, OtherDatastore
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectInfo, ObjectStore
from tests.engine.ends import all_have, trash
from tests.engine.faults import machine, pair
from tests.engine.world import Machine, contents

Store = Callable[[], ObjectStore]

LOCK = ".datastore.lock"


class Short(MemoryStore):
    """Answers every listing without the keys that contain `hidden`."""

    hidden = ""

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectInfo]:
        found = super().list(prefix, start_after=start_after)
        return (info for info in found if self.hidden not in info.key)


def clear(store: Store) -> None:
    """The bucket was emptied by somebody."""
    store().delete_many(contents(store()))


@pytest.mark.parametrize("selection", [(), ("files/a",)])
def test_43_a_bucket_that_was_emptied_deletes_nothing_here(
    tmp_path: Path, store: Store, selection: tuple[str, ...]
) -> None:
    ada, bob = pair(tmp_path, store, a="a", b="b", c="c")
    clear(store)
    for user in (ada, bob):
        for operation in (user.pull, user.sync, user.push):
            with pytest.raises(OtherDatastore):
                operation(selection, max_delete=100)
        assert "emptied or replaced" in user.status().message
        assert user.files() == {"files/a": b"a", "files/b": b"b", "files/c": b"c"}
        assert trash(user) == []
    assert contents(store()) == {}


def test_43_a_bucket_that_was_replaced_by_another_datastore_deletes_nothing_here(
    tmp_path: Path, store: Store
) -> None:
    ada, _ = pair(tmp_path, store, a="a", b="b", c="c")
    clear(store)
    cyn = machine(tmp_path / "cyn", store)
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
    all_have(store, {f"files/{n}": n for n in "abcdefg"}, ada, cyn)


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
