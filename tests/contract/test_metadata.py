"""What is put with an object comes back with it, whatever way it went and comes."""

import io
import os
from pathlib import Path

import pytest

from s3dash.errors import NotFound, UsageError
from s3dash.objectstore.port import ObjectStore
from s3dash.objectstore.source import Held
from tests.contract.conftest import PART, Backend

GIVEN = {"sha256": "ab" * 32, "made-by": "a test; with = odd/things?"}
TOLD = tuple(sorted(GIVEN.items()))


def whole(store: ObjectStore, key: str) -> bytes:
    sink = io.BytesIO()
    assert store.download(key, sink).metadata == TOLD
    return sink.getvalue()


def test_a_put_keeps_its_metadata(store: ObjectStore) -> None:
    etag = store.put("k", b"body", metadata=GIVEN).etag
    assert store.head("k").metadata == TOLD
    for found in (store.get("k"), store.get("k", if_match=etag)):
        assert found is not None
        assert (found.body, found.info.metadata) == (b"body", TOLD)
    assert whole(store, "k") == b"body"


def test_a_listing_does_not_tell_it(store: ObjectStore) -> None:
    store.put("d/k", b"body", metadata=GIVEN)
    assert [one.metadata for one in store.list()] == [()]
    assert [one.metadata for level in store.levels("d/") for one in level.objects] == [()]


def test_the_next_version_has_its_own(store: ObjectStore) -> None:
    store.put("k", b"1", metadata=GIVEN)
    store.put("k", b"2")
    assert store.head("k").metadata == ()


@pytest.mark.parametrize("size", [0, 10, (1 << 20) + 1, PART + 1])
def test_an_upload_keeps_its_metadata(store: ObjectStore, tmp_path: Path, size: int) -> None:
    body = os.urandom(size)
    (tmp_path / "f").write_bytes(body)
    store.upload("k", tmp_path / "f", metadata=GIVEN, if_none_match=True)
    assert store.head("k").metadata == TOLD
    assert whole(store, "k") == body


def test_what_is_held_keeps_its_metadata(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"body")
    held = Held.read(tmp_path / "f", at_most=100)
    assert held is not None
    store.upload("k", held, metadata=GIVEN)
    assert whole(store, "k") == b"body"


def test_metadata_of_an_upload_in_parts_hides_the_nonce(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(PART + 1))
    store.upload("k", tmp_path / "f")
    assert store.head("k").metadata == ()
    assert store.download("k", io.BytesIO()).metadata == ()


def test_a_copy_takes_it_along(backend: Backend, tmp_path: Path) -> None:
    store = backend.open(copy_in_parts_above=PART)
    body = os.urandom(PART + 1)
    (tmp_path / "f").write_bytes(body)
    store.upload("k", tmp_path / "f", metadata=GIVEN)
    store.copy("k", "plain")
    store.copy("k", "parts", size=PART + 1)
    assert whole(store, "plain") == whole(store, "parts") == body


@pytest.mark.parametrize("key", ["ctrl\x01", "50%"])
def test_odd_keys_have_metadata_too(store: ObjectStore, tmp_path: Path, key: str) -> None:
    (tmp_path / "f").write_bytes(b"body")
    store.upload(key, tmp_path / "f", metadata=GIVEN)
    assert whole(store, key) == b"body"


@pytest.mark.parametrize(
    "given",
    [
        {"": "v"},
        {"Upper": "v"},
        {"under_score": "v"},
        {"-x": "v"},
        {"name": ""},
        {"name": " v"},
        {"name": "ü"},
        {"name": "a\nb"},
        {"name": "v" * 2045},
        {"s3dash-upload": "v"},
    ],
)
def test_what_would_not_come_back_is_refused(
    store: ObjectStore, tmp_path: Path, given: dict[str, str]
) -> None:
    (tmp_path / "f").write_bytes(b"body")
    with pytest.raises(UsageError):
        store.put("k", b"body", metadata=given)
    with pytest.raises(UsageError):
        store.upload("k", tmp_path / "f", metadata=given)
    with pytest.raises(NotFound):
        store.head("k")
