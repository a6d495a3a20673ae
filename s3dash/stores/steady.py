"""Writes that come to an answer: sent again where that is safe, read back where it is not."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from s3dash.errors import NotFound, PreconditionFailed, S3DashError, StoreError
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore, OnBytes, Stored, Uploaded
from s3dash.objectstore.source import LocalSource

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

CHUNK = 1 << 20


class Steady(msgspec.Struct, frozen=True):
    """A store with the patience to write through what passes: a lost answer, a 503."""

    store: ObjectStore
    patience: Patience

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
        """As the port's, tried again. After an answer that was lost, a condition that fails is
        read back: these very bytes under the key are ours. Raises what the port raises."""
        conditional = if_none_match or if_match is not None
        tried = 0
        while True:
            try:
                return self.store.put(
                    key,
                    body,
                    if_match=if_match,
                    if_none_match=if_none_match,
                    content_type=content_type,
                    metadata=metadata,
                )
            except PreconditionFailed:
                if tried and (etag := self._there(key, body)):
                    return Stored(etag, self.store.server_time())
                raise
            except S3DashError as error:
                tried += 1
                if conditional and error.retryable and (etag := self._there(key, body)):
                    return Stored(etag, self.store.server_time())
                if not self.patience.again(tried, error):
                    raise

    def upload(
        self,
        key: str,
        source: Path,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        on_bytes: OnBytes | None = None,
    ) -> Uploaded:
        """As the port's, tried again like `put`; the bytes are read back and hashed."""
        conditional = if_none_match or if_match is not None
        tried = 0
        while True:
            try:
                return self.store.upload(
                    key,
                    source,
                    if_match=if_match,
                    if_none_match=if_none_match,
                    content_type=content_type,
                    metadata=metadata,
                    on_bytes=on_bytes,
                )
            except PreconditionFailed:
                if tried and (done := self._arrived(key, source)):
                    return done
                raise
            except StoreError as error:
                tried += 1
                if conditional and error.retryable and (done := self._arrived(key, source)):
                    return done
                if not self.patience.again(tried, error):
                    raise

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        """As the port's, tried again: what is gone stays gone."""
        tried = 0
        while True:
            try:
                return self.store.delete(key, if_match=if_match)
            except S3DashError as error:
                tried += 1
                if not self.patience.again(tried, error):
                    raise

    def _there(self, key: str, body: bytes) -> str:
        """The ETag of the object when it has these bytes, else empty."""
        try:
            found = self.store.head(key)
        except NotFound:
            return ""
        if found.size != len(body):
            return ""
        whole = self.store.get(key, if_match=found.etag)
        return found.etag if whole is not None and whole.body == body else ""

    def _arrived(self, key: str, source: Path) -> Uploaded | None:
        """The object, when it has the bytes of the file."""
        with LocalSource(source) as local:
            try:
                found = self.store.head(key)
            except NotFound:
                return None
            if found.size != local.size:
                return None
            for _ in local.chunks(CHUNK):
                self.patience.cancel.check()
            there = self.store.download(key, Nowhere(), if_match=found.etag)
        if there.sha256 != local.sha256:
            return None
        return Uploaded(there.etag, there.size, there.sha256)


class Nowhere(io.BytesIO):
    """Takes what is downloaded to be hashed, and holds nothing of it."""

    def write(self, data: "Buffer", /) -> int:
        return memoryview(data).nbytes
