"""The fake's own tools: hooks, a clock to hand in, and a bucket that several stores share."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s3dash.errors import NotFound, PreconditionFailed, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore


class SetClock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.is_set()


def test_several_stores_share_a_bucket_each_below_its_prefix() -> None:
    bucket = MemoryBucket()
    one, other, root = MemoryStore(bucket, "one"), MemoryStore(bucket, "two"), MemoryStore(bucket)
    one.put("k", b"1")
    other.put("k", b"2")
    assert [i.key for i in root.list()] == ["one/k", "two/k"]
    assert [i.key for i in one.list()] == ["k"]
    assert root.list_dirs() == ("one", "two")


def test_times_are_the_bucket_s_clock_in_whole_seconds() -> None:
    clock = SetClock()
    store = MemoryStore(MemoryBucket(clock=clock))
    stored = store.put("k", b"")
    assert stored.server_time == clock.moment.replace(microsecond=0)
    clock.moment += timedelta(hours=1)
    info = store.head("k")
    assert info.last_modified == stored.server_time
    assert info.server_time == clock.moment.replace(microsecond=0)


def test_before_can_refuse_a_request_so_that_nothing_happens() -> None:
    bucket = MemoryBucket()

    def before(op: str, key: str) -> None:
        if (op, key) == ("put", "k"):
            raise Unreachable("no way there")

    store = MemoryStore(bucket, before=before)
    with pytest.raises(Unreachable):
        store.put("k", b"")
    assert bucket.all_keys() == []
    store.put("other", b"")


def test_after_can_lose_a_reply_so_that_it_has_happened(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    (tmp_path / "f").write_bytes(b"content")

    def after(op: str, key: str) -> None:
        raise Unreachable("no way back")

    store, calm = MemoryStore(bucket, after=after), MemoryStore(bucket)
    with pytest.raises(Unreachable):
        store.put("k", b"")
    with pytest.raises(Unreachable):
        store.upload("f", tmp_path / "f")
    assert bucket.all_keys() == ["f", "k"]
    with pytest.raises(PreconditionFailed):
        calm.put("k", b"", if_none_match=True)
    with pytest.raises(Unreachable):
        store.delete("k")
    with pytest.raises(NotFound):
        calm.head("k")


def test_before_can_let_another_store_in_between() -> None:
    bucket = MemoryBucket()
    peer = MemoryStore(bucket)
    old = peer.put("k", b"old").etag

    def before(op: str, key: str) -> None:
        if op == "put":
            peer.put("k", b"the peer's")

    with pytest.raises(PreconditionFailed):
        MemoryStore(bucket, before=before).put("k", b"ours", if_match=old)
    fetched = peer.get("k")
    assert fetched is not None
    assert fetched.body == b"the peer's"


def test_every_operation_is_told_to_the_hook_with_its_key(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    store = MemoryStore(MemoryBucket(), "team", before=lambda op, key: told.append((op, key)))
    (tmp_path / "f").write_bytes(b"x")
    store.put("a", b"x")
    store.get("a")
    store.head("a")
    store.get_range("a", start=0, length=1)
    store.copy("a", "b")
    store.upload("c", tmp_path / "f")
    with (tmp_path / "g").open("wb") as sink:
        store.download("c", sink)
    list(store.list("x"))
    store.list_dirs("y")
    store.delete("a")
    store.delete_many(["b", "c"])
    assert told == [
        ("put", "a"),
        ("get", "a"),
        ("head", "a"),
        ("get_range", "a"),
        ("copy", "b"),
        ("upload", "c"),
        ("download", "c"),
        ("list", "x"),
        ("list_dirs", "y"),
        ("delete", "a"),
        ("delete_many", "b"),
        ("delete_many", "c"),
    ]
    assert store.usage.requests == len(told)
