"""The control plane: conditions that hold, records that nobody loses, keys that are refused."""

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from s3dash.core.control import PUT_MOST, READ_MOST
from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.errors import (
    NotFound,
    PreconditionFailed,
    ReadOnly,
    S3DashError,
    Unreachable,
    UnsafeEndpoint,
    UsageError,
)
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities, ObjectStore, Stored
from tests.engine.clocks import QuickClock
from tests.engine.conftest import Join
from tests.engine.faults import Once
from tests.engine.world import Machine, contents

SAFE = Capabilities(create=True, replace=True, delete=True, races=True, dated=True)


def opened(
    home: Path,
    bucket: MemoryBucket,
    *,
    before: Hook | None = None,
    after: Hook | None = None,
    **settings: Any,
) -> Engine:
    store = MemoryStore(bucket, before=before, after=after)
    machine = Machine(home, lambda: store, **settings)
    return open_engine(machine.settings, store=store, clock=QuickClock(), proved=SAFE)


@pytest.mark.parametrize("namespace", [None, "infra"])
def test_a_record_is_written_read_listed_and_deleted(
    join: Join, store: Callable[[], ObjectStore], namespace: str | None
) -> None:
    engine = join("ada", namespace=namespace).engine()
    written = engine.control.put("jobs/one", b'{"n": 1}')
    assert (written.created, written.size) == (True, 8)
    root = "infra/" if namespace else ""
    assert contents(store(), f"{root}_control/jobs/") == {f"{root}_control/jobs/one": b'{"n": 1}'}
    found = engine.control.get("jobs/one")
    assert (found.text, found.record.etag, found.record.size) == ('{"n": 1}', written.etag, 8)
    again = engine.control.put("jobs/one", b"\xff\x00")
    assert not again.created
    assert engine.control.get("jobs/one").document() == {
        "key": "jobs/one",
        "etag": again.etag,
        "size": 2,
        "last_modified": engine.control.list()[0].last_modified,
        "base64": "/wA=",
    }
    engine.control.put("other", b"")
    assert [r.key for r in engine.control.list()] == ["jobs/one", "other"]
    assert [r.key for r in engine.control.list("jobs/")] == ["jobs/one"]
    assert engine.control.delete("jobs/one").etag == again.etag
    with pytest.raises(NotFound, match="no record jobs/one"):
        engine.control.get("jobs/one")
    with pytest.raises(NotFound):
        engine.control.delete("jobs/one")
    assert [row.text for row in engine.history() if row.operation == "control"] == [
        "created jobs/one, 8 bytes",
        "replaced jobs/one, 2 bytes",
        "created other, 0 bytes",
        "deleted jobs/one, 2 bytes",
    ]
    engine.stop()


def test_of_many_who_put_if_absent_one_wins(join: Join) -> None:
    engines = [join(f"m{number}").engine() for number in range(4)]
    start, won, lost = Barrier(len(engines)), list[str](), list[Exception]()

    def race(engine: Engine, name: str) -> None:
        start.wait(20)
        try:
            engine.control.put("leader", b"the same bytes", if_absent=True)
            won.append(name)
        except PreconditionFailed as error:
            lost.append(error)

    threads = [Thread(target=race, args=(e, str(n))) for n, e in enumerate(engines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for engine in engines:
        engine.stop()
    assert (len(won), len(lost)) == (1, 3)
    assert "is there already; nothing was changed" in str(lost[0])


def test_conditions_are_held_to_and_quotes_do_not_matter(join: Join) -> None:
    engine = join("ada").engine()
    first = engine.control.put("k", b"one")
    with pytest.raises(PreconditionFailed, match="there already"):
        engine.control.put("k", b"two", if_absent=True)
    second = engine.control.put("k", b"two", if_match=f'"{first.etag}"')
    with pytest.raises(PreconditionFailed, match="another version"):
        engine.control.put("k", b"three", if_match=first.etag)
    with pytest.raises(PreconditionFailed, match="another version"):
        engine.control.delete("k", if_match=first.etag)
    assert engine.control.get("k").body == b"two"
    engine.control.delete("k", if_match=second.etag)
    with pytest.raises(PreconditionFailed, match="is gone"):
        engine.control.put("k", b"x", if_match=second.etag)
    with pytest.raises(UsageError):
        engine.control.put("k", b"x", if_absent=True, if_match="e")
    engine.stop()


def test_a_plain_put_wins_over_one_that_came_between(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    key = "_control/k"
    MemoryStore(bucket).put(key, b"old")
    between = Once("put", key, lambda: MemoryStore(bucket).put(key, b"between"))
    engine = opened(tmp_path / "ada", bucket, before=between)
    assert not engine.control.put("k", b"mine").created
    assert contents(MemoryStore(bucket), "_control/") == {key: b"mine"}
    engine.stop()


def test_a_conditional_put_loses_to_one_that_came_between(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    key = "_control/k"
    between = Once("put", key, lambda: MemoryStore(bucket).put(key, b"between"))
    engine = opened(tmp_path / "ada", bucket, before=between)
    with pytest.raises(PreconditionFailed, match="there already"):
        engine.control.put("k", b"mine", if_absent=True)
    assert contents(MemoryStore(bucket), "_control/") == {key: b"between"}
    engine.stop()


def lose() -> None:
    raise Unreachable("the answer was lost")


def test_a_lost_answer_of_a_plain_put_is_put_right(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    engine = opened(tmp_path / "ada", bucket, after=Once("put", "_control/k", lose))
    assert engine.control.put("k", b"mine").created
    assert contents(MemoryStore(bucket), "_control/") == {"_control/k": b"mine"}
    engine.stop()


def test_a_lost_answer_of_a_put_if_absent_is_never_taken_for_a_win(tmp_path: Path) -> None:
    """Somebody may have written the same bytes: a mutex must have one holder at most."""
    bucket = MemoryBucket()
    engine = opened(tmp_path / "ada", bucket, after=Once("put", "_control/k", lose))
    with pytest.raises(PreconditionFailed, match="these very bytes"):
        engine.control.put("k", b"locked", if_absent=True)
    engine.stop()


def test_a_request_that_was_lost_on_its_way_is_sent_again(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    engine = opened(tmp_path / "ada", bucket, before=Once("put", "_control/k", lose))
    assert engine.control.put("k", b"mine", if_absent=True).created
    engine.stop()


def test_a_lost_answer_of_a_deletion_is_a_deletion(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    MemoryStore(bucket).put("_control/k", b"x")
    engine = opened(tmp_path / "ada", bucket, after=Once("delete", "_control/k", lose))
    assert engine.control.delete("k").size == 1
    assert bucket.all_keys() == []
    engine.stop()


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/..", ".", "a\nb", "a\x1bb", "\udc80", "k" * 1100]
)
def test_what_can_be_no_key_is_refused_and_nothing_is_asked(tmp_path: Path, key: str) -> None:
    asked: list[str] = []
    engine = opened(tmp_path / "ada", MemoryBucket(), before=lambda op, key: asked.append(op))
    asked.clear()
    for call in (
        lambda: engine.control.get(key),
        lambda: engine.control.put(key, b"x"),
        lambda: engine.control.delete(key),
    ):
        with pytest.raises(UsageError, match="no key of a record"):
            call()
    assert asked == []
    engine.stop()


def test_what_is_ours_is_neither_listed_nor_written_unasked(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    engine = opened(tmp_path / "ada", bucket)
    (tmp_path / "ada" / "cache" / "files").mkdir(parents=True)
    (tmp_path / "ada" / "cache" / "files" / "a").write_text("a")
    engine.push()
    engine.control.put("mine", b"x")
    assert [r.key for r in engine.control.list()] == ["mine"]
    own = [r.key for r in engine.control.list("s3dash/")]
    assert "s3dash/datastore-id" in own
    assert len(engine.control.list(own=True)) == len(own) + 1
    before = engine.control.get("s3dash/datastore-id").body
    for call in (
        lambda: engine.control.put("s3dash/datastore-id", b"x"),
        lambda: engine.control.put("s3dash", b"x"),
        lambda: engine.control.delete("s3dash/datastore-id"),
    ):
        with pytest.raises(UsageError, match="s3dash's own"):
            call()
    assert engine.control.get("s3dash/datastore-id").body == before
    assert engine.control.put("s3dash/x", b"x", force=True).created
    engine.stop()


def test_records_are_small(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    engine = opened(tmp_path / "ada", bucket)
    assert engine.control.put("k", b"x" * PUT_MOST).size == PUT_MOST
    with pytest.raises(UsageError, match="are no record"):
        engine.control.put("k", b"x" * (PUT_MOST + 1))
    MemoryStore(bucket).put("_control/big", b"x" * (READ_MOST + 1))
    with pytest.raises(UsageError, match="is no record"):
        engine.control.get("big")
    engine.stop()


def test_a_readonly_datastore_refuses_writes_and_shows_records(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    MemoryStore(bucket).put("_control/k", b"x")
    engine = opened(tmp_path / "ada", bucket, readonly=True)
    assert engine.control.get("k").text == "x"
    for call in (
        lambda: engine.control.put("k", b"y"),
        lambda: engine.control.put("new", b"y", if_absent=True),
        lambda: engine.control.delete("k"),
    ):
        with pytest.raises(ReadOnly):
            call()
    assert contents(MemoryStore(bucket)) == {"_control/k": b"x"}
    engine.stop()


def test_it_works_beside_the_owner_of_the_cache(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    owner, second = opened(tmp_path / "ada", bucket), opened(tmp_path / "ada", bucket)
    assert second.read_only
    assert second.control.put("k", b"x", if_absent=True).created
    assert owner.control.get("k").text == "x"
    second.stop()
    owner.stop()


class Careless(MemoryStore):
    """An endpoint that takes conditions and does not look at them."""

    def put(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Stored:
        return super().put(key, body, content_type=content_type, metadata=metadata)

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        super().delete(key)


@pytest.mark.parametrize("locking", ["safe", "unsafe"])
def test_where_conditions_are_ignored_a_condition_is_refused(tmp_path: Path, locking: str) -> None:
    bucket = MemoryBucket()
    store = Careless(bucket)
    machine = Machine(tmp_path / "ada", lambda: store, locking=locking)
    engine = machine.engine()
    etag = engine.control.put("k", b"plain").etag
    calls: list[Callable[[], object]] = [
        lambda: engine.control.put("k2", b"x", if_absent=True),
        lambda: engine.control.put("k", b"x", if_match=etag),
    ]
    for call in calls:
        if locking == "unsafe":
            call()
        else:
            with pytest.raises(UnsafeEndpoint):
                call()
    with pytest.raises(S3DashError):
        engine.control.put("k", b"y", if_absent=True)
    expected = b"x" if locking == "unsafe" else b"plain"
    assert engine.control.get("k").body == expected
    if locking == "safe":
        with pytest.raises(UnsafeEndpoint):
            engine.control.delete("k", if_match=etag)
    assert engine.control.delete("k").key == "k"
    engine.stop()
