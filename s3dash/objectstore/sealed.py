"""A store that cannot write: what `readonly` means at the bucket's door."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, NoReturn

from s3dash.errors import ReadOnly
from s3dash.objectstore.port import (
    Downloaded,
    Fetched,
    Level,
    ObjectInfo,
    ObjectStore,
    OnBytes,
    OpenUpload,
    Part,
    Stored,
    Uploaded,
    Usage,
)

_HARMLESS = ("identity",)


class Sealed:
    """An ObjectStore that passes reads on, and raises ReadOnly for everything else.

    It holds no method that could write: what is added to the port later is refused as well.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.__store = store

    def __getattr__(self, name: str) -> Any:
        """What the port does not name: facts, and who we are. Never what could write."""
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self.__store, name)
        if callable(found) and name not in _HARMLESS:
            raise AttributeError(f"{name} is not for a store that only reads")
        return found

    @property
    def etag_quotes(self) -> bool:
        return self.__store.etag_quotes

    @etag_quotes.setter
    def etag_quotes(self, quoted: bool) -> None:
        self.__store.etag_quotes = quoted

    @property
    def usage(self) -> Usage:
        return self.__store.usage

    # --- reading ------------------------------------------------------------------------

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectInfo]:
        return self.__store.list(prefix, start_after=start_after)

    def first(self, prefix: str = "", *, most: int = 1) -> tuple[ObjectInfo, ...]:
        return self.__store.first(prefix, most=most)

    def list_dirs(self, prefix: str = "") -> tuple[str, ...]:
        return self.__store.list_dirs(prefix)

    def levels(self, prefix: str = "", *, start_after: str = "") -> Iterator[Level]:
        return self.__store.levels(prefix, start_after=start_after)

    def head(self, key: str) -> ObjectInfo:
        return self.__store.head(key)

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Fetched | None:
        return self.__store.get(key, if_match=if_match, if_none_match=if_none_match)

    def get_range(self, key: str, *, start: int, length: int, if_match: str | None = None) -> bytes:
        return self.__store.get_range(key, start=start, length=length, if_match=if_match)

    def download(
        self,
        key: str,
        sink: BinaryIO,
        *,
        if_match: str | None = None,
        on_bytes: OnBytes | None = None,
    ) -> Downloaded:
        return self.__store.download(key, sink, if_match=if_match, on_bytes=on_bytes)

    def list_uploads(self, prefix: str = "") -> Iterator[OpenUpload]:
        return self.__store.list_uploads(prefix)

    def list_parts(self, key: str, upload_id: str) -> Iterator[Part]:
        return self.__store.list_parts(key, upload_id)

    def server_time(self) -> datetime | None:
        return self.__store.server_time()

    def close(self) -> None:
        self.__store.close()

    # --- writing ------------------------------------------------------------------------

    def put(self, *_: Any, **__: Any) -> Stored:
        _refuse("writing an object")

    def delete(self, *_: Any, **__: Any) -> None:
        _refuse("deleting an object")

    def delete_many(self, *_: Any, **__: Any) -> None:
        _refuse("deleting objects")

    def copy(self, *_: Any, **__: Any) -> Stored:
        _refuse("copying an object")

    def upload(self, *_: Any, **__: Any) -> Uploaded:
        _refuse("uploading a file")

    def abort_upload(self, *_: Any, **__: Any) -> None:
        _refuse("aborting an upload")


def _refuse(what: str) -> NoReturn:
    raise ReadOnly(f"{what} is refused: this datastore was opened to look only")
