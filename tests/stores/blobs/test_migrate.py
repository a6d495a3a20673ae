"""Moving to another store, and reading over both."""

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.errors import AccessDenied, Cancelled, Integrity, NotFound, Unreachable, UsageError
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.stores.blobs import control, sri
from s3dash.stores.blobs.fallback import Fallback
from s3dash.stores.blobs.migrate import migrate
from s3dash.stores.blobs.store import BlobStore
from tests.stores.blobs.conftest import Place, in_memory

BODIES = [b"", b"a", b"b" * 1000, b"c" * ((8 << 20) + 1)]


def elsewhere(place: Place) -> BlobStore:
    """Another store on the same server."""
    return BlobStore(place.open(), prefix="moved/here")


def other(bucket: MemoryBucket | None = None, **hooks: Hook) -> BlobStore:
    """A store in memory with a bucket of its own."""
    place = in_memory(bucket, **hooks)
    place.settings = replace(place.settings, bucket="other")
    return place.blobs()


def test_bl_13_all_is_copied_read_back_and_recorded(place: Place, tmp_path: Path) -> None:
    source, target = place.blobs(), elsewhere(place)
    for body in BODIES:
        source.put(body)
    source.put(b"named", "left-pad@1.3.0", opaque=True)
    done = migrate(source, target, staging=tmp_path)
    assert (done.blobs, done.copied, done.there, done.mended) == (5, 5, 0, 0)
    assert done.bytes == sum(map(len, BODIES)) + 5
    assert (done.failed, done.complete, done.record) == ([], True, control.MIGRATED)
    assert set(target) == set(source)
    assert target.get("left-pad@1.3.0") == b"named"
    found = target.opened.store.get(control.MIGRATED)
    assert found is not None
    record = json.loads(found.body)
    assert (record["blobs"], record["bytes"]) == (5, done.bytes)
    assert record["prefix"].endswith("script-packages/blobs")
    assert [*tmp_path.iterdir()] == []


def test_bl_13_what_was_stopped_goes_on(tmp_path: Path) -> None:
    source, cancel = in_memory().blobs(), CancelToken()
    for number in range(30):
        source.put(b"%d" % number)
    puts = list[str]()

    def stopping(op: str, key: str) -> None:
        if op == "put" and key != control.MIGRATED:
            puts.append(key)
            if len(puts) == 10:
                cancel.cancel()

    target = other(before=stopping)
    source.opened.patience.begin(cancel)
    with pytest.raises(Cancelled):
        migrate(source, target, staging=tmp_path)
    there = len(target)
    assert 0 < there < 30
    assert control.MIGRATED not in bucket_of(target).objects()
    source.opened.patience.begin(CancelToken())
    done = migrate(source, target, staging=tmp_path)
    assert (done.copied, done.there, done.complete) == (30 - there, there, True)
    assert len(puts) == len(set(puts)) == 30


def test_bl_13_what_the_target_has_is_compared_and_mended() -> None:
    source, target = in_memory().blobs(), other()
    for body in (b"right", b"same"):
        source.put(body)
    target.put(b"same")
    bent = MemoryStore(bucket_of(target))
    bent.put(target.key(sri.of(b"right")), b"wrong")
    done = migrate(source, target)
    assert (done.there, done.mended, done.copied, done.complete) == (1, 1, 0, True)
    assert target.get(sri.of(b"right")) == b"right"


def test_bl_13_two_contents_of_one_opaque_name_are_told_and_left_alone() -> None:
    source, target = in_memory().blobs(), other()
    source.put(b"ours", "left-pad@1.3.0", opaque=True)
    target.put(b"theirs", "left-pad@1.3.0", opaque=True)
    done = migrate(source, target)
    assert (len(done.failed), done.complete, done.record) == (1, False, "")
    assert target.get("left-pad@1.3.0") == b"theirs"
    assert control.MIGRATED not in bucket_of(target).objects()


def test_bl_13_an_opaque_blob_of_another_writer_moves_and_can_be_verified_then() -> None:
    source, target = in_memory().blobs(), other()
    MemoryStore(bucket_of(source)).put(source.key("legacy@1"), b"x")
    assert migrate(source, target).complete
    assert target.get("legacy@1") == b"x"


def test_bl_13_a_damaged_source_is_told_and_nothing_of_it_arrives() -> None:
    source, target = in_memory().blobs(), other()
    source.put(b"fine")
    MemoryStore(bucket_of(source)).put(source.key(sri.of(b"right")), b"wrong")
    done = migrate(source, target)
    assert (done.copied, done.complete) == (1, False)
    assert [one.integrity for one in done.failed] == [sri.of(b"right")]
    assert list(target) == [sri.of(b"fine")]


def test_bl_13_what_arrived_damaged_is_found_by_reading_it_back() -> None:
    bucket = MemoryBucket()

    def bending(op: str, key: str) -> None:
        if op == "put" and key.startswith("script-packages"):
            bucket.write(key, b"wrong", content_type="")

    source, target = in_memory().blobs(), other(bucket=bucket, after=bending)
    source.put(b"right")
    done = migrate(source, target)
    assert not done.complete
    assert sri.of(b"wrong") in done.failed[0].error


def test_bl_13_what_is_put_meanwhile_is_copied_too() -> None:
    late = b"late"
    source = in_memory().blobs()
    source.put(b"x")

    def putting(op: str, key: str) -> None:
        if op == "download":
            MemoryStore(bucket_of(source)).put(source.key(sri.of(late)), late)

    target = other(before=putting)
    done = migrate(source, target)
    assert (done.blobs, done.copied, done.complete) == (2, 2, True)
    assert target.get(sri.of(late)) == late


def test_bl_13_a_store_is_not_moved_onto_itself() -> None:
    place = in_memory()
    with pytest.raises(UsageError):
        migrate(place.blobs(), place.blobs())


# --- fallback ------------------------------------------------------------------------------


def failing(op: str, _: str) -> None:
    if op != "put":
        raise AccessDenied("no")


def test_bl_14_the_first_store_that_has_it_is_read() -> None:
    first, second = in_memory().blobs(), other()
    first.put(b"both")
    second.put(b"both")
    second.put(b"second")
    both = Fallback(first, second)
    assert both.get(sri.of(b"both")) == both[sri.of(b"both")] == b"both"
    assert both.get(sri.of(b"second")) == b"second"
    with both.open(sri.of(b"second")) as file:
        assert file.read() == b"second"
    assert sri.of(b"second") in both


def test_bl_14_a_failing_store_hides_no_other_copy(tmp_path: Path) -> None:
    second = other()
    put = second.put(b"x")
    both = Fallback(in_memory(before=failing).blobs(), second)
    assert both.get(put.integrity) == b"x"
    assert both.has(put.integrity)
    assert both.save(put.integrity, tmp_path / "f").size == 1
    with both.open(put.integrity) as file:
        assert file.read() == b"x"


def test_bl_14_a_damaged_copy_hides_no_sound_one() -> None:
    first, second = in_memory().blobs(), other()
    put = second.put(b"right")
    MemoryStore(bucket_of(first)).put(put.key, b"wrong")
    assert Fallback(first, second).get(put.integrity) == b"right"
    with pytest.raises(Integrity):
        Fallback(first).get(put.integrity)


def test_bl_14_nobody_has_it() -> None:
    both, name = Fallback(in_memory().blobs(), other()), sri.of(b"x")
    assert both.get(name) is None
    assert name not in both
    with pytest.raises(KeyError):
        both[name]
    with pytest.raises(NotFound), both.open(name):
        pass


def test_bl_14_where_one_failed_and_no_other_has_it_that_is_told() -> None:
    both = Fallback(in_memory(before=failing).blobs(), other())
    with pytest.raises(AccessDenied):
        both.get(sri.of(b"x"))


def test_bl_14_an_error_of_who_reads_is_theirs() -> None:
    store = in_memory().blobs()
    put = store.put(os.urandom(10))
    with pytest.raises(Unreachable, match="mine"), Fallback(store).open(put.integrity):
        raise Unreachable("mine")


def bucket_of(blobs: BlobStore) -> MemoryBucket:
    assert isinstance(blobs.opened.store, MemoryStore)
    return blobs.opened.store.bucket
