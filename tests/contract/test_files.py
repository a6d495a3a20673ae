"""Whole files, up and down: hashed on the way, conditional, and never half there."""

import hashlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from s3dash.errors import Cancelled, LocalChanged, LocalError, NotFound, PreconditionFailed
from s3dash.objectstore.port import ObjectStore, OnBytes
from tests.contract.conftest import PART, Backend

SIZES = (0, 1, 1 << 20, (1 << 20) + 1, PART, PART + 1, 2 * PART + 17)
BIG = PART + 1


def make(path: Path, size: int) -> bytes:
    data = os.urandom(size)
    path.write_bytes(data)
    return data


def fetch(store: ObjectStore, key: str, *, if_match: str | None = None) -> bytes:
    sink = io.BytesIO()
    store.download(key, sink, if_match=if_match)
    return sink.getvalue()


def open_uploads(backend: Backend) -> list[str]:
    """As the store lists them and, where there is a server, as it says itself."""
    store = backend.opened[0] if backend.opened else backend.open()
    keys = sorted(upload.key for upload in store.list_uploads())
    if backend.server is not None:
        found = backend.server.client().list_multipart_uploads(
            Bucket=backend.bucket, Prefix=backend.prefix
        )
        seen = sorted(upload["Key"] for upload in found.get("Uploads", []))
        assert [f"{backend.prefix}/{key}" for key in keys] == seen
    return keys


@pytest.mark.parametrize("size", SIZES)
def test_a_file_goes_up_and_comes_down_unchanged(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    data = make(tmp_path / "f", size)
    sent, arrived = list[int](), list[int]()
    up = store.upload("d/f", tmp_path / "f", if_none_match=True, on_bytes=sent.append)
    sink = io.BytesIO()
    down = store.download("d/f", sink, if_match=up.etag, on_bytes=arrived.append)
    assert sink.getvalue() == data
    assert up.sha256 == down.sha256 == hashlib.sha256(data).hexdigest()
    assert up.size == down.size == sum(sent) == sum(arrived) == size
    assert up.etag == down.etag == store.head("d/f").etag
    assert store.usage.bytes_up == store.usage.bytes_down == size


@pytest.mark.parametrize("key", ["sp ace/ü%2F+", "x/", "ctrl\x01", "50%"])
def test_files_have_odd_keys_too(backend: Backend, tmp_path: Path, key: str) -> None:
    if backend.lacks("any-key") and key == "x/":
        return  # SeaweedFS makes a directory of it
    store = backend.open()
    data = make(tmp_path / "f", 1000)
    etag = store.upload(key, tmp_path / "f", if_none_match=True).etag
    assert fetch(store, key, if_match=etag) == data
    with pytest.raises(PreconditionFailed):
        store.upload(key, tmp_path / "f", if_none_match=True)
    with pytest.raises(PreconditionFailed):
        fetch(store, key, if_match="0" * 32)
    store.upload(key, tmp_path / "f", if_match=etag)


def test_the_content_type_is_kept(backend: Backend, tmp_path: Path) -> None:
    if backend.server is None:
        return
    store = backend.open()
    for name, size in (("small", 10), ("big", BIG)):
        make(tmp_path / name, size)
        store.upload(name, tmp_path / name, content_type="text/x-test")
        found = backend.server.client().head_object(
            Bucket=backend.bucket, Key=f"{backend.prefix}/{name}"
        )
        assert found["ContentType"] == "text/x-test"


@pytest.mark.parametrize("size", [10, BIG])
def test_an_upload_never_replaces_what_it_was_not_told_to(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    make(tmp_path / "f", size)
    store.put("f", b"theirs")
    with pytest.raises(PreconditionFailed):
        store.upload("f", tmp_path / "f", if_none_match=True)
    assert fetch(store, "f") == b"theirs"


@pytest.mark.parametrize("size", [10, BIG])
def test_an_upload_replaces_the_version_it_was_told_to(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    data = make(tmp_path / "f", size)
    etag = store.put("f", b"ours, old").etag
    store.upload("f", tmp_path / "f", if_match=etag)
    assert fetch(store, "f") == data


@pytest.mark.parametrize("size", [10, BIG])
def test_an_upload_over_a_stale_version_is_refused(
    backend: Backend, tmp_path: Path, size: int
) -> None:
    store = backend.open()
    data = make(tmp_path / "f", size)
    old = store.put("f", b"1").etag
    store.put("f", b"2")
    if size == BIG and backend.lacks("complete-if-match"):
        store.upload("f", tmp_path / "f", if_match=old)
        assert fetch(store, "f") == data
        return
    with pytest.raises(PreconditionFailed):
        store.upload("f", tmp_path / "f", if_match=old)
    assert fetch(store, "f") == b"2"
    with pytest.raises(PreconditionFailed):
        store.upload("missing", tmp_path / "f", if_match=old)
    assert open_uploads(backend) == []


def test_many_parts_keep_their_order(backend: Backend, tmp_path: Path) -> None:
    if backend.server is None:
        return
    store = backend.open(multipart_above=1 << 20)
    data = make(tmp_path / "f", 4 * PART + 5)
    up = store.upload("f", tmp_path / "f", if_none_match=True)
    assert up.sha256 == hashlib.sha256(data).hexdigest()
    assert fetch(store, "f") == data


class StopAfter:
    """An `on_bytes` that cancels once so many bytes have moved."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.moved = 0

    def __call__(self, count: int) -> None:
        self.moved += count
        if self.moved >= self.limit:
            raise Cancelled("enough")


def test_a_cancelled_upload_leaves_nothing_behind(backend: Backend, tmp_path: Path) -> None:
    store = backend.open()
    make(tmp_path / "f", 3 * PART)
    with pytest.raises(Cancelled):
        store.upload("f", tmp_path / "f", if_none_match=True, on_bytes=StopAfter(PART))
    with pytest.raises(NotFound):
        store.head("f")
    assert open_uploads(backend) == []


@pytest.mark.parametrize("size", [BIG - 1, 3 * PART])
def test_an_upload_is_stopped_in_the_middle_of_a_request(
    backend: Backend, tmp_path: Path, size: int
) -> None:
    """Not at the end of a part or of a file: what was told of is little more than the limit."""
    store, stop = backend.open(), StopAfter(1 << 20)
    make(tmp_path / "f", size)
    with pytest.raises(Cancelled):
        store.upload("f", tmp_path / "f", if_none_match=True, on_bytes=stop)
    assert stop.moved < PART
    assert store.usage.bytes_up == 0
    assert open_uploads(backend) == []


def test_a_cancelled_small_upload_sends_nothing(backend: Backend, tmp_path: Path) -> None:
    store = backend.open()
    make(tmp_path / "f", 10)
    with pytest.raises(Cancelled):
        store.upload("f", tmp_path / "f", on_bytes=StopAfter(0))
    assert store.usage.bytes_up == 0
    with pytest.raises(NotFound):
        store.head("f")


def test_a_cancelled_download_stops_and_the_store_goes_on(
    store: ObjectStore, tmp_path: Path
) -> None:
    data = make(tmp_path / "f", 3 * PART)
    store.upload("f", tmp_path / "f")
    sink = io.BytesIO()
    with pytest.raises(Cancelled):
        store.download("f", sink, on_bytes=StopAfter(1 << 20))
    assert 0 < len(sink.getvalue()) < len(data)
    assert fetch(store, "f") == data


def test_a_missing_object_downloads_nothing(store: ObjectStore) -> None:
    store.put("there", b"")
    sink = io.BytesIO()
    with pytest.raises(NotFound):
        store.download("missing", sink)
    assert sink.getvalue() == b""


def test_a_download_is_pinned_to_its_version(store: ObjectStore) -> None:
    old = store.put("f", b"1").etag
    store.put("f", b"2")
    with pytest.raises(PreconditionFailed):
        fetch(store, "f", if_match=old)


class FullDisk(io.BytesIO):
    def write(self, data: object) -> int:
        raise OSError(28, "No space left on device")


def test_an_error_of_the_sink_is_raised_as_it_is(store: ObjectStore) -> None:
    store.put("f", b"content")
    sink: BinaryIO = FullDisk()
    with pytest.raises(OSError, match="No space left"):
        store.download("f", sink)


@pytest.mark.parametrize("size", [1000, 2 * PART])
def test_a_file_that_grows_during_its_upload_is_told(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "f"
    make(path, size)
    with pytest.raises(LocalChanged):
        store.upload("f", path, on_bytes=_once(lambda: _append(path)))


@pytest.mark.parametrize("size", [1000, 2 * PART])
def test_a_file_that_is_replaced_during_its_upload_is_told(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    path, other = tmp_path / "f", tmp_path / "other"
    make(path, size)
    make(other, size)
    with pytest.raises(LocalChanged):
        store.upload("f", path, on_bytes=_once(lambda: other.replace(path)))


def test_a_file_that_shrinks_between_parts_makes_no_object(
    store: ObjectStore, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    make(path, 4 * PART)
    with pytest.raises(LocalChanged):
        store.upload("f", path, on_bytes=_once(lambda: os.truncate(path, PART)))
    with pytest.raises(NotFound):
        store.head("f")


def test_what_is_no_regular_file_is_not_read(store: ObjectStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / "link").symlink_to("target")
    for name, kind in (("fifo", LocalError), ("link", LocalChanged), ("gone", LocalChanged)):
        with pytest.raises(kind, match=name):
            store.upload("f", tmp_path / name)
    with pytest.raises(LocalError):
        store.upload("f", tmp_path)
    assert list(store.list()) == []


def test_one_of_many_creations_wins(store: ObjectStore, tmp_path: Path) -> None:
    barrier = threading.Barrier(4)
    won: list[bytes] = []

    def race(number: int) -> None:
        path = tmp_path / f"f{number}"
        data = make(path, 100)
        barrier.wait()
        try:
            store.upload("raced", path, if_none_match=True)
        except PreconditionFailed:
            return
        won.append(data)

    racers = [threading.Thread(target=race, args=(i,)) for i in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [fetch(store, "raced")] == won


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _once(change: Callable[[], object]) -> OnBytes:
    """Calls `change` at the first report, and never again."""
    left = [change]

    def on_bytes(_count: int) -> None:
        if left:
            left.pop()()

    return on_bytes
