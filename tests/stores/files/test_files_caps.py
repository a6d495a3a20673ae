"""FS-16: what an endpoint does natively is tried on it, and what is claimed follows from that."""

from typing import Any

import pytest

from s3dash.errors import ReadOnly, Unreachable
from s3dash.objectstore.port import ObjectInfo
from s3dash.objectstore.sealed import Sealed
from s3dash.stores.files.caps import TRIALS, prove
from s3dash.stores.files.files import Files
from s3dash.stores.files.filesystem import S3DashFileSystem
from s3dash.stores.files.model import Caps
from s3dash.stores.opened import Opened
from tests.stores.files.conftest import Place


def test_fs_16_every_flag_is_proved(place: Place) -> None:
    files = place.files()
    proved, tried = prove(files, nonce="n")
    assert proved == Caps() == S3DashFileSystem.caps
    assert [one.name for one in tried] == list(Caps.__struct_fields__) == list(TRIALS)
    assert all(one.seen for one in tried)
    assert list(files.store.list()) == []


class Bent:
    """An endpoint that is wrong in one way; all else is the store's."""

    def __init__(self, store: Any, **ways: Any) -> None:
        self.__dict__.update(ways)
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def bent(place: Place, **ways: Any) -> Files:
    opened = place.open()
    return Files(Opened(opened.settings, Bent(opened.store, **ways), opened.patience))


def test_fs_16_a_range_that_comes_as_a_whole_is_no_random_read(memory: Place) -> None:
    store = memory.open().store

    def whole(key: str, *, start: int, length: int, if_match: str | None = None) -> bytes:
        found = store.get(key)
        assert found is not None
        return found.body[start : start + length]

    proved, _ = prove(bent(memory, get_range=whole, usage=store.usage), nonce="n")
    assert not proved.random_read


def test_fs_16_names_that_are_one_are_not_case_sensitive(memory: Place) -> None:
    store = memory.open().store

    def put(key: str, body: bytes, **more: Any) -> Any:
        return store.put(key.replace("Name", "name"), body, **more)

    def get(key: str, **more: Any) -> Any:
        return store.get(key.replace("Name", "name"), **more)

    proved, _ = prove(bent(memory, put=put, get=get), nonce="n")
    assert not proved.case_sensitive


def test_fs_16_a_time_that_is_not_told_is_none(memory: Place) -> None:
    store = memory.open().store

    def head(key: str) -> ObjectInfo:
        found = store.head(key)
        return ObjectInfo(found.key, found.size, found.etag)

    proved, _ = prove(bent(memory, head=head), nonce="n")
    assert not proved.mtime


def test_fs_16_nothing_is_left_and_nothing_claimed_when_it_fails(memory: Place) -> None:
    def fails(op: str, key: str) -> None:
        if op == "put" and key.endswith("/name"):
            raise Unreachable("gone")

    with pytest.raises(Unreachable):
        prove(memory.files(hooks={"before": fails}), nonce="n")
    assert list(memory.files().store.list()) == []


def test_fs_16_where_nothing_may_be_written_nothing_is_tried(memory: Place) -> None:
    opened = memory.open()
    files = Files(Opened(opened.settings, Sealed(opened.store), opened.patience))
    with pytest.raises(ReadOnly):
        prove(files, nonce="n")
