"""A complete object store in memory, with S3's semantics: the fake that tests build on.

Several stores on one `MemoryBucket` are several machines on one bucket. Conditions, listing
order, pages, MD5 ETags (equal bytes, equal ETag) and times in whole seconds are as on S3.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from s3dash.clock import Clock, SystemClock
from s3dash.errors import NotFound, PreconditionFailed, StoreError
from s3dash.objectstore.meter import Meter
from s3dash.objectstore.port import (
    Downloaded,
    Fetched,
    ObjectInfo,
    OnBytes,
    Stored,
    Uploaded,
    Usage,
)
from s3dash.objectstore.source import LocalSource

PAGE = 1000
CHUNK = 1 << 20

Hook = Callable[[str, str], None]
"""Called with the operation's name and the key; may raise or block. See `MemoryStore`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One object as the bucket keeps it."""

    body: bytes
    etag: str
    last_modified: datetime
    content_type: str


class MemoryBucket:
    """The shared state. Every method is atomic. `clock` is the server's clock."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._objects: dict[str, Kept] = {}

    def now(self) -> datetime:
        """In whole seconds, as in a `Date` header."""
        return self._clock.now().replace(microsecond=0)

    def all_keys(self) -> list[str]:
        """All keys, in S3's order: that of their UTF-8 bytes."""
        with self._lock:
            return sorted(self._objects, key=str.encode)

    def clear(self) -> None:
        """The bucket was emptied by somebody."""
        with self._lock:
            self._objects.clear()

    def read(self, key: str, *, if_match: str | None = None) -> Kept:
        with self._lock:
            found = self._objects.get(key)
            if found is None:
                raise NotFound(f"there is no {key!r}")
            if if_match is not None and found.etag != if_match:
                raise _stale(key)
            return found

    def write(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str,
    ) -> Kept:
        with self._lock:
            found = self._objects.get(key)
            if if_none_match and found is not None:
                raise _stale(key)
            if if_match is not None and (found is None or found.etag != if_match):
                raise _stale(key)
            etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
            kept = self._objects[key] = Kept(body, etag, self.now(), content_type)
            return kept

    def remove(self, key: str, *, if_match: str | None = None) -> None:
        with self._lock:
            found = self._objects.get(key)
            if found is not None and if_match is not None and found.etag != if_match:
                raise _stale(key)
            self._objects.pop(key, None)

    def page(self, prefix: str, after: str) -> list[tuple[str, Kept]]:
        """At most `PAGE` objects below `prefix` whose keys come after `after`."""
        with self._lock:
            wanted = [k for k in self._objects if k.startswith(prefix) and _after(k, after)]
            return [(k, self._objects[k]) for k in sorted(wanted, key=str.encode)[:PAGE]]


class MemoryStore:
    """Implements `ObjectStore` on a `MemoryBucket`.

    `before(op, key)` is called before each request takes effect, `after(op, key)` when it has
    taken effect and before the caller learns of it: raise there to lose a request or a reply,
    block to interleave. `op` is the method's name (`list` once for each page, with the prefix
    as the key; `delete_many` once for each key; `copy` with the target).
    """

    def __init__(
        self,
        bucket: MemoryBucket,
        prefix: str = "",
        *,
        before: Hook | None = None,
        after: Hook | None = None,
    ) -> None:
        self.etag_quotes = True
        self.bucket = bucket
        self.before = before
        self.after = after
        self._root = f"{prefix}/" if prefix else ""
        self._meter = Meter()

    @property
    def usage(self) -> Usage:
        return self._meter.usage

    def server_time(self) -> datetime | None:
        return self._meter.server_time

    def close(self) -> None:
        """Nothing is held open."""

    # --- looking ------------------------------------------------------------------------

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectInfo]:
        after = self._root + start_after if start_after else ""
        while True:
            self._begin("list", prefix)
            page = self.bucket.page(self._root + prefix, after)
            self._end("list", prefix)
            for key, kept in page:
                yield self._info(key.removeprefix(self._root), kept)
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def list_dirs(self, prefix: str = "") -> tuple[str, ...]:
        self._begin("list_dirs", prefix)
        root = self._root + prefix
        below = [k[len(root) :] for k in self.bucket.all_keys() if k.startswith(root)]
        self._end("list_dirs", prefix)
        return tuple(sorted({k.partition("/")[0] for k in below if "/" in k}))

    def head(self, key: str) -> ObjectInfo:
        self._begin("head", key)
        kept = self.bucket.read(self._root + key)
        self._end("head", key)
        return self._info(key, kept)

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Fetched | None:
        self._begin("get", key)
        kept = self.bucket.read(self._root + key, if_match=if_match)
        self._end("get", key)
        if if_none_match == kept.etag:
            return None
        self._meter.down(len(kept.body))
        return Fetched(self._info(key, kept), kept.body)

    def get_range(self, key: str, *, start: int, length: int, if_match: str | None = None) -> bytes:
        if length <= 0:
            return b""
        self._begin("get_range", key)
        kept = self.bucket.read(self._root + key, if_match=if_match)
        self._end("get_range", key)
        body = kept.body[start : start + length]
        self._meter.down(len(body))
        return body

    # --- changing -----------------------------------------------------------------------

    def put(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
    ) -> Stored:
        self._begin("put", key)
        kept = self.bucket.write(
            self._root + key,
            bytes(body),
            if_match=if_match,
            if_none_match=if_none_match,
            content_type=content_type,
        )
        self._end("put", key)
        self._meter.up(len(body))
        return Stored(kept.etag, self.server_time())

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        self._begin("delete", key)
        self.bucket.remove(self._root + key, if_match=if_match)
        self._end("delete", key)

    def delete_many(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._begin("delete_many", key)
            self.bucket.remove(self._root + key)
            self._end("delete_many", key)

    def copy(self, source: str, target: str, *, if_match: str | None = None) -> Stored:
        self._begin("copy", target)
        if source == target:
            raise StoreError(f"{source!r} cannot be copied onto itself")
        kept = self.bucket.read(self._root + source, if_match=if_match)
        copied = self.bucket.write(self._root + target, kept.body, content_type=kept.content_type)
        self._end("copy", target)
        return Stored(copied.etag, self.server_time())

    # --- whole files --------------------------------------------------------------------

    def upload(
        self,
        key: str,
        source: Path,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
        on_bytes: OnBytes | None = None,
    ) -> Uploaded:
        with LocalSource(source) as local:
            pieces = []
            self._begin("upload", key)
            for chunk in local.chunks(CHUNK):
                pieces.append(chunk)
                if on_bytes is not None:
                    on_bytes(len(chunk))
            kept = self.bucket.write(
                self._root + key,
                b"".join(pieces),
                if_match=if_match,
                if_none_match=if_none_match,
                content_type=content_type,
            )
            self._end("upload", key)
            self._meter.up(local.size)
            local.check()
            return Uploaded(kept.etag, local.size, local.sha256)

    def download(
        self,
        key: str,
        sink: BinaryIO,
        *,
        if_match: str | None = None,
        on_bytes: OnBytes | None = None,
    ) -> Downloaded:
        self._begin("download", key)
        kept = self.bucket.read(self._root + key, if_match=if_match)
        for start in range(0, len(kept.body), CHUNK):
            piece = kept.body[start : start + CHUNK]
            sink.write(piece)
            self._meter.down(len(piece))
            if on_bytes is not None:
                on_bytes(len(piece))
        self._end("download", key)
        return Downloaded(kept.etag, len(kept.body), hashlib.sha256(kept.body).hexdigest())

    # --- how ----------------------------------------------------------------------------

    def _begin(self, op: str, key: str) -> None:
        if self.before is not None:
            self.before(op, key)
        self._meter.request()
        self._meter.answer(200, self.bucket.now())

    def _end(self, op: str, key: str) -> None:
        if self.after is not None:
            self.after(op, key)

    def _info(self, key: str, kept: Kept) -> ObjectInfo:
        return ObjectInfo(key, len(kept.body), kept.etag, kept.last_modified, self.server_time())


def _stale(key: str) -> PreconditionFailed:
    return PreconditionFailed(f"{key!r} is not the version that was expected")


def _after(key: str, after: str) -> bool:
    return not after or key.encode() > after.encode()
