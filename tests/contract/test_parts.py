"""Uploads in parts: continued from what is there, given up whole, read back after a lost reply."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from s3dash.errors import (
    Cancelled,
    LocalError,
    NotFound,
    PreconditionFailed,
)
from s3dash.objectstore.body import TELL_EVERY, SliceBody
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.parts import MOST_PARTS, composite_etag, part_size_for
from s3dash.objectstore.port import Begun, ObjectStore
from s3dash.objectstore.probe_base import Broken, Probe
from s3dash.objectstore.probe_bucket import unfinished
from s3dash.objectstore.source import LocalSource
from tests.contract.conftest import PART, Backend
from tests.contract.test_files import StopAfter, fetch, make, open_uploads
from tests.engine.clocks import TestClock

MOST = 3 * PART + TELL_EVERY + 1
"""Three parts are on their way at a time: when the fourth has begun, one has arrived."""


@dataclass
class Notes:
    """A log that a test can look into."""

    known: Begun | None = None
    kept_bytes: int = 0
    told: list[str] = field(default_factory=list)

    def begun(self) -> Begun | None:
        return self.known

    def intend(self) -> None:
        self.told.append("intend")

    def begin(self, begun: Begun) -> None:
        self.told.append("begin")
        self.known = begun

    def kept(self, count: int) -> None:
        self.kept_bytes += count

    def over(self) -> None:
        self.told.append("over")
        self.known = None


def cut_off(store: ObjectStore, path: Path, notes: Notes, *, after: int) -> None:
    with pytest.raises(Cancelled):
        store.upload("d/f", path, if_none_match=True, on_bytes=StopAfter(after), log=notes)


def test_an_upload_that_was_cut_off_goes_on_with_the_parts_that_are_missing(
    store: ObjectStore, backend: Backend, tmp_path: Path
) -> None:
    data, notes, sent = make(tmp_path / "f", 4 * PART + 5), Notes(), list[int]()
    cut_off(store, tmp_path / "f", notes, after=MOST)
    (left,) = store.list_uploads("d/")
    assert notes.known is not None
    assert (left.key, left.upload_id) == ("d/f", notes.known.upload_id)
    there = sum(part.size for part in store.list_parts("d/f", left.upload_id))
    assert there >= PART
    before = store.usage.bytes_up
    up = store.upload("d/f", tmp_path / "f", if_none_match=True, on_bytes=sent.append, log=notes)
    assert fetch(store, "d/f", if_match=up.etag) == data
    assert up.sha256 == hashlib.sha256(data).hexdigest()
    assert notes.kept_bytes == there
    assert sum(sent) == store.usage.bytes_up - before == len(data) - there
    assert notes.told == ["intend", "begin", "over"]
    assert open_uploads(backend) == []


def test_a_part_that_is_there_counts_only_when_it_is_our_bytes(
    store: ObjectStore, tmp_path: Path
) -> None:
    path, notes = tmp_path / "f", Notes()
    make(path, 4 * PART)
    cut_off(store, path, notes, after=MOST)
    data = make(path, 4 * PART)
    store.upload("d/f", path, if_none_match=True, log=notes)
    assert fetch(store, "d/f") == data
    assert notes.kept_bytes == 0


def test_an_upload_that_the_endpoint_lost_begins_anew(store: ObjectStore, tmp_path: Path) -> None:
    data, notes = make(tmp_path / "f", PART + 1), Notes()
    cut_off(store, tmp_path / "f", notes, after=PART)
    assert notes.known is not None
    store.abort_upload("d/f", notes.known.upload_id)
    before = store.usage.bytes_up
    store.upload("d/f", tmp_path / "f", if_none_match=True, log=notes)
    assert fetch(store, "d/f") == data
    assert store.usage.bytes_up - before == len(data)
    assert notes.told == 2 * ["intend", "begin", "over"]


def test_an_upload_that_goes_while_it_is_under_way_begins_anew(tmp_path: Path) -> None:
    data, notes, bucket = make(tmp_path / "f", 5500), Notes(), MemoryBucket()
    seen: list[str] = []

    def lose_it(op: str, key: str) -> None:
        seen.append(op)
        if op == "send_part" and seen.count(op) == 3:
            for upload_id in bucket.uploads():
                bucket.abort(key, upload_id)

    store = MemoryStore(bucket, before=lose_it, multipart_above=1000, part_size=1000)
    store.upload("f", tmp_path / "f", if_none_match=True, log=notes)
    assert fetch(store, "f") == data
    assert notes.told == 2 * ["intend", "begin", "over"]
    assert bucket.uploads() == {}


def test_an_upload_that_was_completed_without_our_knowing_is_not_sent_again(
    store: ObjectStore, tmp_path: Path
) -> None:
    make(tmp_path / "f", PART + 1)
    notes = Notes()
    cut_off(store, tmp_path / "f", notes, after=PART)
    again = Notes(notes.known)
    first = store.upload("d/f", tmp_path / "f", if_none_match=True, log=notes)
    before = store.usage.bytes_up
    second = store.upload("d/f", tmp_path / "f", if_none_match=True, log=again)
    assert (second.etag, second.sha256) == (first.etag, first.sha256)
    assert store.usage.bytes_up == before
    assert again.told == ["over"]


def test_an_object_of_another_upload_is_not_taken_for_ours(
    store: ObjectStore, backend: Backend, tmp_path: Path
) -> None:
    """The same bytes, even: they were written under a condition of somebody else."""
    make(tmp_path / "f", PART + 1)
    store.upload("d/f", tmp_path / "f", if_none_match=True)
    notes = Notes(Begun("gone", PART, "other"))
    with pytest.raises(PreconditionFailed):
        store.upload("d/f", tmp_path / "f", if_none_match=True, log=notes)
    assert open_uploads(backend) == []


def test_a_refused_completion_gives_the_upload_up(
    store: ObjectStore, backend: Backend, tmp_path: Path
) -> None:
    make(tmp_path / "f", PART + 1)
    notes = Notes()
    store.put("d/f", b"theirs")
    with pytest.raises(PreconditionFailed):
        store.upload("d/f", tmp_path / "f", if_none_match=True, log=notes)
    assert notes.told == ["intend", "begin", "over"]
    assert open_uploads(backend) == []
    assert fetch(store, "d/f") == b"theirs"


def test_uploads_are_listed_by_prefix_with_the_servers_times(
    store: ObjectStore, backend: Backend, tmp_path: Path
) -> None:
    make(tmp_path / "f", PART + 1)
    for key in ("a/x", "b/x"):
        with pytest.raises(Cancelled):
            store.upload(key, tmp_path / "f", on_bytes=StopAfter(TELL_EVERY), log=Notes())
    assert sorted(upload.key for upload in store.list_uploads()) == ["a/x", "b/x"]
    (found,) = store.list_uploads("b/")
    assert found.key == "b/x"
    assert found.started is not None
    assert found.server_time is not None
    if backend.kind != "moto":  # it says 2010 of every upload
        assert abs((found.server_time - found.started).total_seconds()) < 60
    for upload in store.list_uploads():
        store.abort_upload(upload.key, upload.upload_id)
    assert open_uploads(backend) == []


def test_the_doctor_shows_what_nobody_finished(tmp_path: Path) -> None:
    clock = TestClock()
    bucket = MemoryBucket(clock=clock)
    probe = Probe(MemoryStore(bucket, "team"), "n")
    for key in ("team/old", f"team/{probe.root}young", "other/f"):
        bucket.begin(key, content_type="x", nonce="n")
    clock.advance(7 * 86_400)
    assert "nobody" in unfinished(probe)
    clock.advance(1)
    with pytest.raises(Broken, match="bucket: old; a lifecycle rule"):
        unfinished(probe)
    assert len(bucket.uploads()) == 3


def test_an_upload_that_is_gone_has_no_parts_and_needs_no_abort(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        list(store.list_parts("d/f", "nothing"))
    store.abort_upload("d/f", "nothing")


def test_a_large_object_is_copied_in_parts_of_one_version(backend: Backend, tmp_path: Path) -> None:
    data = make(tmp_path / "f", PART + 7)
    store = backend.open(copy_in_parts_above=PART, copy_part=PART)
    etag = store.upload("from", tmp_path / "f", content_type="text/x-test").etag
    stored = store.copy("from", "to", if_match=etag, size=len(data))
    assert fetch(store, "to", if_match=stored.etag) == data
    if backend.server is not None:
        found = backend.server.client().head_object(
            Bucket=backend.bucket, Key=f"{backend.prefix}/to"
        )
        assert found["ContentType"] == "text/x-test"
    with pytest.raises(PreconditionFailed):
        store.copy("from", "to", if_match="0" * 32, size=len(data))
    with pytest.raises(NotFound):
        store.copy("missing", "to", size=len(data))
    assert open_uploads(backend) == []
    assert fetch(store, "to") == data


def test_a_copy_whose_source_is_replaced_in_the_middle_is_given_up(tmp_path: Path) -> None:
    """Each part is pinned to the version: parts of two versions never make one object."""
    bucket, old = MemoryBucket(), b"a" * 5500

    def replace_it(op: str, key: str) -> None:
        if op == "copy_part":
            bucket.write("from", b"b" * 5500, content_type="x")

    store = MemoryStore(bucket, before=replace_it, copy_in_parts_above=1000, part_size=1000)
    etag = store.put("from", old).etag
    with pytest.raises(PreconditionFailed):
        store.copy("from", "to", if_match=etag, size=len(old))
    assert bucket.all_keys() == ["from"]
    assert bucket.uploads() == {}


# --- the pieces -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size", [1, PART, 80 << 30, (80 << 30) + 1, 5 << 40, (5 << 40) - 1, 1_234_567_890_123]
)
def test_ten_thousand_parts_hold_every_size_that_s3_holds(size: int) -> None:
    part = part_size_for(size, 8 << 20)
    assert -(-size // part) <= MOST_PARTS
    assert 8 << 20 <= part <= 5 << 30


def test_more_than_s3_holds_is_refused_before_a_byte_moves(tmp_path: Path) -> None:
    with (tmp_path / "f").open("wb") as file:
        file.truncate((5 << 40) + 1)
    store = MemoryStore(MemoryBucket())
    with pytest.raises(LocalError, match="5 TB"):
        store.upload("f", tmp_path / "f")
    assert store.usage.requests == 0


def test_a_composite_etag_is_that_of_s3(backend: Backend, tmp_path: Path) -> None:
    data = make(tmp_path / "f", 2 * PART + 1)
    digests = [hashlib.md5(data[at : at + PART]).digest() for at in range(0, len(data), PART)]
    assert backend.open().upload("f", tmp_path / "f").etag == composite_etag(digests)


def test_a_body_tells_only_what_leaves_and_no_byte_twice(tmp_path: Path) -> None:
    data, told = make(tmp_path / "f", 3 * TELL_EVERY + 5), list[int]()
    with LocalSource(tmp_path / "f") as local:
        first, second = local.slices(2 * TELL_EVERY, check=lambda: None)
        body = SliceBody(local, second, told.append)
        assert len(body) == body.seek(0, os.SEEK_END) == TELL_EVERY + 5
        assert body.seek(0) == 0
        assert body.read() == data[first.size :]
        assert told == []
        for _ in range(2):
            body.again()
            body.sending()
            read = b"".join(iter(lambda: body.read(1000), b""))
            assert read == data[first.size :]
        assert sum(told) == TELL_EVERY + 5
        assert body.read(10) == b""
