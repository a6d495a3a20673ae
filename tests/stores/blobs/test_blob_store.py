"""The contract of a store of blobs, on every kind of store."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.errors import (
    Cancelled,
    Integrity,
    LocalChanged,
    LocalError,
    Unreachable,
    Unverifiable,
)
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.stores.blobs import sri
from s3dash.stores.blobs.keys import encode
from s3dash.stores.blobs.store import BlobStore
from s3dash.testing.blobs import BlobStoreTests
from tests.stores.blobs.conftest import Place, in_memory


class TestBlobStore(BlobStoreTests):
    @pytest.fixture
    def blobs(self, place: Place) -> BlobStore:
        return place.blobs()

    @pytest.fixture
    def many(self, request: pytest.FixtureRequest) -> int:
        """moto takes 4 ms of our time for each: there two pages are enough."""
        return 1001 if "moto" in request.node.name else 2500


class Counting:
    """What is asked of a store in memory."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, op: str, key: str) -> None:
        self.asked.append(op)


class Failing:
    """Loses the first requests of a kind."""

    def __init__(self, op: str, count: int = 1) -> None:
        self.op, self.left = op, count

    def __call__(self, op: str, key: str) -> None:
        if op == self.op and self.left:
            self.left -= 1
            raise Unreachable("lost")


def bent(blobs: BlobStore) -> MemoryStore:
    """The same bucket, behind the back of the store."""
    assert isinstance(blobs.opened.store, MemoryStore)
    return MemoryStore(blobs.opened.store.bucket)


def test_bl_04_a_blob_that_is_there_is_not_sent_again() -> None:
    counting = Counting()
    blobs = in_memory(before=counting).blobs()
    blobs.put(b"x")
    assert counting.asked == ["head", "put"]
    blobs.put(b"x")
    assert counting.asked == ["head", "put", "head"]


@pytest.mark.parametrize("lost", ["request", "answer"])
@pytest.mark.parametrize("op", ["put", "upload"])
def test_a_put_comes_to_an_answer(tmp_path: Path, lost: str, op: str) -> None:
    failing = Failing(op)
    place = in_memory(before=failing) if lost == "request" else in_memory(after=failing)
    blobs = place.blobs()
    (tmp_path / "f").write_bytes(bytes(9 << 20))
    if op == "upload":
        assert blobs.put_file(tmp_path / "f").outcome == "created"
    else:
        assert blobs.put(b"x").outcome == "created"
    assert failing.left == 0


@pytest.mark.parametrize("op", ["head", "get", "download", "delete"])
def test_what_only_looks_is_asked_again(tmp_path: Path, op: str) -> None:
    failing = Failing(op)
    failing.left = 0
    blobs = in_memory(before=failing).blobs()
    put = blobs.put(b"x")
    failing.left = 1
    calls: dict[str, Callable[[], object]] = {
        "head": lambda: blobs.has(put.integrity),
        "get": lambda: blobs.get(put.integrity),
        "download": lambda: blobs.save(put.integrity, tmp_path / "f"),
        "delete": lambda: blobs.delete(put.integrity),
    }
    calls[op]()
    assert failing.left == 0


def test_somebody_elses_put_of_the_same_bytes_is_as_good() -> None:
    bucket, key = MemoryBucket(), encode(sri.of(b"x"))

    def first(op: str, _: str) -> None:
        if op == "put":
            bucket.write(key, b"x", content_type="")

    assert in_memory(bucket, before=first).blobs().put(b"x").outcome == "there"


def test_bytes_that_were_damaged_on_their_way_are_read_again() -> None:
    bucket = MemoryBucket()
    blobs = in_memory(bucket).blobs()
    put = blobs.put(b"right")
    bent(blobs).put(put.key, b"wrong")
    looks = Counting()

    def mended(op: str, key: str) -> None:
        looks(op, key)
        if looks.asked == ["get", "get"]:
            bucket.write(put.key, b"right", content_type="")

    assert in_memory(bucket, before=mended).blobs().get(put.integrity) == b"right"


def test_a_file_that_changes_between_hash_and_upload_is_not_put(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(9 << 20))

    def changing(op: str, _: str) -> None:
        if op == "head":
            path.write_bytes(bytes(9 << 20) + b"more")

    blobs = in_memory(before=changing).blobs()
    with pytest.raises(LocalChanged):
        blobs.put_file(path)
    assert list(blobs.list()) == []


def test_bl_03_an_opaque_blob_of_another_writer_gets_its_sha256_with_the_next_put() -> None:
    blobs = in_memory().blobs()
    bent(blobs).put(blobs.key("left-pad@1.3.0"), b"x")
    with pytest.raises(Unverifiable):
        blobs.get("left-pad@1.3.0")
    with pytest.raises(Integrity):
        blobs.put(b"y", "left-pad@1.3.0", opaque=True)
    blobs.put(b"x", "left-pad@1.3.0", opaque=True)
    assert blobs.get("left-pad@1.3.0") == b"x"


def test_bl_03_opaque_or_not_a_digest_is_compared() -> None:
    blobs = in_memory().blobs()
    with pytest.raises(Integrity):
        blobs.put(b"x", sri.of(b"y"), opaque=True)


def test_a_large_body_is_staged_and_not_held_twice(tmp_path: Path) -> None:
    blobs = in_memory().blobs(staging=tmp_path)
    body = os.urandom((8 << 20) + 1)
    seen: list[int] = []

    class Slow(io.BytesIO):
        """Gives less than it was asked for, and looks at what is staged."""

        def read(self, count: int | None = -1, /) -> bytes:
            seen.append(len([*tmp_path.iterdir()]))
            return super().read(min(count or -1, 300_000))

    assert blobs.put_stream(Slow(body)).integrity == sri.of(body)
    assert max(seen) == 1
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("how", ["hash", "upload", "download"])
def test_a_large_transfer_stops_between_two_pieces(tmp_path: Path, how: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(9 << 20))
    blobs, cancel, pieces = in_memory().blobs(), CancelToken(), list[int]()
    name = blobs.put_file(path).integrity if how == "download" else ""
    blobs.opened.patience.begin(cancel)

    def moved(count: int) -> None:
        pieces.append(count)
        cancel.cancel()

    class Endless(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            pieces.append(1)
            if len(pieces) == 20:
                cancel.cancel()
            return bytes(count or 1)

    calls: dict[str, Callable[[], object]] = {
        "hash": lambda: blobs.put_stream(Endless()),
        "upload": lambda: blobs.put_file(path, on_bytes=moved),
        "download": lambda: blobs.save(name, tmp_path / "copy", on_bytes=moved),
    }
    with pytest.raises(Cancelled):
        calls[how]()
    assert len(pieces) == (20 if how == "hash" else 1)
    assert [one.name for one in tmp_path.iterdir()] == ["f"]
    assert len(bent(blobs).bucket.objects()) == (1 if how == "download" else 0)


def test_a_stopped_put_stops(tmp_path: Path) -> None:
    blobs = in_memory().blobs()
    cancel = CancelToken()
    blobs.opened.patience.begin(cancel)
    cancel.cancel()
    with pytest.raises(Cancelled):
        blobs.put(b"x")
    with pytest.raises(Cancelled):
        blobs.get(sri.of(b"x"))


def test_a_target_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    blobs = in_memory().blobs()
    put = blobs.put(b"x")
    with pytest.raises(LocalError):
        blobs.save(put.integrity, tmp_path / "missing" / "f")
    (tmp_path / "d").mkdir()
    with pytest.raises(LocalError):
        blobs.save(put.integrity, tmp_path / "d")
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_the_prefix_is_that_of_the_settings() -> None:
    place = in_memory()
    place.settings = replace(place.settings, blob_prefix="packages")
    assert place.blobs().put(b"x").key.startswith("packages/")
    assert place.blobs(prefix="").put(b"x").key == sri.of(b"x").encode().hex()
