"""Reading every blob again: what is damaged is found, what is foreign is told."""

import os

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.errors import AccessDenied, Cancelled
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.stores.blobs import control, sri
from s3dash.stores.blobs.scrub import scrub
from tests.stores.blobs.conftest import Place, in_memory


def test_bl_06_a_scrub_finds_what_is_damaged_foreign_and_unverifiable(place: Place) -> None:
    blobs = place.blobs()
    bodies = [b"", b"a", os.urandom(300_000)]
    for body in bodies:
        blobs.put(body)
    blobs.put(b"named", "left-pad@1.3.0", opaque=True)
    raw = blobs.opened.store
    raw.put(blobs.key(sri.of(b"right")), b"wrong")
    raw.put(blobs.key("legacy@1"), b"nothing vouches")
    raw.put(f"{blobs.prefix}/zzz", b"foreign")
    raw.put("elsewhere", b"of no concern")
    told = list[int]()
    found = scrub(blobs, on_bytes=lambda count, name: told.append(count))
    assert (found.blobs, found.verified, found.unverifiable, found.foreign) == (6, 4, 1, 1)
    assert found.bytes == sum(map(len, bodies)) + len(b"named")
    (damaged,) = found.damaged
    assert damaged.integrity == damaged.expected == sri.of(b"right")
    assert damaged.actual == sri.of(b"wrong")
    assert found.unverifiable_names == ["legacy@1"]
    assert found.foreign_keys == [f"{blobs.prefix}/zzz"]
    assert found.failed == []
    assert sum(told) >= found.bytes


def test_a_scrub_goes_on_where_one_blob_cannot_be_read() -> None:
    def failing(op: str, key: str) -> None:
        if op == "download" and key.endswith(sri.of(b"a").encode().hex()):
            raise AccessDenied("no")

    blobs = in_memory(before=failing).blobs()
    blobs.put(b"a")
    blobs.put(b"b")
    found = scrub(blobs)
    assert (found.blobs, found.verified) == (2, 1)
    assert [(one.integrity, one.error) for one in found.failed] == [(sri.of(b"a"), "no")]


def test_a_blob_that_is_deleted_meanwhile_is_no_finding() -> None:
    bucket = MemoryBucket()

    def deleting(op: str, key: str) -> None:
        if op == "download":
            bucket.remove(key)

    blobs = in_memory(bucket, before=deleting).blobs()
    blobs.put(b"a")
    found = scrub(blobs)
    assert (found.blobs, found.failed, found.damaged) == (0, [], [])


def test_our_own_records_are_not_foreign_where_blobs_have_no_prefix() -> None:
    blobs = in_memory().blobs(prefix="")
    blobs.put(b"a")
    MemoryStore(bucket_of(blobs.opened.store)).put(control.MIGRATED, b"{}")
    assert scrub(blobs).foreign == 0


def test_a_stopped_scrub_stops() -> None:
    cancel = CancelToken()
    blobs = in_memory(before=lambda op, key: cancel.cancel() if op == "download" else None).blobs()
    for number in range(10):
        blobs.put(b"%d" % number)
    blobs.opened.patience.begin(cancel)
    with pytest.raises(Cancelled):
        scrub(blobs)


def bucket_of(store: object) -> MemoryBucket:
    assert isinstance(store, MemoryStore)
    return store.bucket
