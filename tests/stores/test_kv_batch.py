"""Batches on a bucket that fails, and on one that was opened to look only."""

from collections import Counter
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.errors import AccessDenied, Cancelled, ReadOnly, ServerFault, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.sealed import Sealed
from s3dash.stores.kv.datastore import Datastore
from s3dash.stores.kv.query import Query
from tests.stores.opening import in_memory, opened


class Failing:
    """Fails the first `count` requests of each kind and key, before they take effect."""

    def __init__(self, *ops: str, count: int = 1, error: Exception | None = None) -> None:
        self.ops = ops
        self.count = count
        self.error = error or Unreachable("no answer")
        self.seen: Counter[tuple[str, str]] = Counter()

    def __call__(self, op: str, key: str) -> None:
        self.seen[op, key] += 1
        if op in self.ops and self.seen[op, key] <= self.count:
            raise self.error


def test_what_passes_is_tried_again(tmp_path: Path) -> None:
    failing = Failing("put", "delete_many", "upload")
    datastore = in_memory(MemoryStore(MemoryBucket(), before=failing))
    with datastore.batch() as batch:
        for n in range(30):
            batch.put(f"/{n}", b"x")
        batch.delete("/gone")
    source = tmp_path / "source"
    source.write_bytes(b"large")
    datastore.upload("/file", source)
    assert len(datastore) == 31
    assert failing.seen["put", "7"] == failing.seen["delete_many", "gone"] == 2


def test_a_batch_that_failed_may_be_repeated() -> None:
    failing = Failing("put", error=AccessDenied("no"))
    datastore = in_memory(MemoryStore(MemoryBucket(), before=failing), push_concurrency=1)
    batch = datastore.batch()
    batch.put("/a", b"1")
    batch.put("/b", b"2")
    for _ in range(2):
        with pytest.raises(AccessDenied):
            batch.commit()
    batch.commit()
    assert dict(datastore) == {"/a": b"1", "/b": b"2"}


def test_a_batch_that_failed_begins_nothing_more() -> None:
    failing = Failing("put", count=9, error=ServerFault("500"))
    datastore = in_memory(MemoryStore(MemoryBucket(), before=failing), push_concurrency=2)
    batch = datastore.batch()
    for n in range(100):
        batch.put(f"/{n}", b"")
    with pytest.raises(ServerFault):
        batch.commit()
    assert len(failing.seen) <= 4


def test_an_exception_forgets_the_batch() -> None:
    def stopped(datastore: Datastore) -> None:
        with datastore.batch() as batch:
            batch.put("/a", b"1")
            raise RuntimeError("stop")

    datastore = in_memory()
    with pytest.raises(RuntimeError, match="stop"):
        stopped(datastore)
    assert not datastore


def test_a_cancel_ends_a_batch_before_the_next_change() -> None:
    found = opened(MemoryStore(MemoryBucket()))
    datastore = Datastore(found)
    batch = datastore.batch()
    batch.put("/a", b"1")
    cancel = CancelToken()
    found.patience.begin(cancel)
    cancel.cancel()
    with pytest.raises(Cancelled):
        batch.commit()
    found.patience.begin(CancelToken())
    assert not datastore


def test_one_that_is_opened_to_look_only_refuses_every_change(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    in_memory(MemoryStore(bucket)).put("/a", b"1")
    datastore = Datastore(opened(Sealed(MemoryStore(bucket)), readonly=True))
    source = tmp_path / "source"
    source.write_bytes(b"x")
    batch = datastore.batch()
    batch.delete("/a")
    for change in (
        lambda: datastore.put("/b", b""),
        lambda: datastore.delete("/a"),
        lambda: datastore.upload("/b", source),
        batch.commit,
        datastore.clear,
    ):
        with pytest.raises(ReadOnly):
            change()
    assert [one.key for one in datastore.query(Query())] == ["/a"]
