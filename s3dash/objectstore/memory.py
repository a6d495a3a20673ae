"""A complete object store in memory, with S3's semantics: the fake that tests build on.

Several stores on one `MemoryBucket` are several machines on one bucket. Conditions, listing
order, pages, MD5 ETags (equal bytes, equal ETag) and times in whole seconds are as on S3.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from s3dash.errors import StoreError
from s3dash.objectstore.memory_bucket import PAGE, Kept, MemoryBucket
from s3dash.objectstore.memory_parts import MemoryParts
from s3dash.objectstore.metadata import checked, told
from s3dash.objectstore.meter import Meter
from s3dash.objectstore.multipart import COPY_IN_PARTS_ABOVE, PartSender
from s3dash.objectstore.parts import Goal
from s3dash.objectstore.port import (
    Downloaded,
    Fetched,
    Level,
    ObjectInfo,
    OnBytes,
    OpenUpload,
    Part,
    Stored,
    Uploaded,
    UploadLog,
    Usage,
)
from s3dash.objectstore.source import Held, LocalSource

__all__ = ["PAGE", "Hook", "Kept", "MemoryBucket", "MemoryStore"]

CHUNK = 1 << 20
MULTIPART_ABOVE = 16 << 20
PART_SIZE = 8 << 20

Hook = Callable[[str, str], None]
"""Called with the operation's name and the key; may raise or block. See `MemoryStore`."""


class MemoryStore:
    """Implements `ObjectStore` on a `MemoryBucket`.

    `before(op, key)` is called before each request takes effect, `after(op, key)` when it has
    taken effect and before the caller learns of it: raise there to lose a request or a reply,
    block to interleave. `op` is the method's name (`list` once for each page, with the prefix
    as the key; `delete_many` once for each key; `copy` with the target). A file of more than
    `multipart_above` bytes is no `upload`: it goes by `create_upload`, `send_part` for each of
    `part_size` bytes, `complete_upload`, and `abort_upload`; a large `copy` by `copy_part`.
    """

    def __init__(
        self,
        bucket: MemoryBucket,
        prefix: str = "",
        *,
        before: Hook | None = None,
        after: Hook | None = None,
        multipart_above: int = MULTIPART_ABOVE,
        part_size: int = PART_SIZE,
        copy_in_parts_above: int = COPY_IN_PARTS_ABOVE,
    ) -> None:
        self.etag_quotes = True
        self.bucket = bucket
        self.before = before
        self.after = after
        self._root = f"{prefix}/" if prefix else ""
        self._meter = Meter()
        self._multipart_above = multipart_above
        self._copy_in_parts_above = copy_in_parts_above
        self._requests = MemoryParts(bucket, self._root, self._meter, self._request)
        self._parts = PartSender(self._requests, part_size)

    @property
    def usage(self) -> Usage:
        return self._meter.usage

    def server_time(self) -> datetime | None:
        return self._meter.server_time

    def twin(self) -> "MemoryStore":
        prefix = self._root.removesuffix("/")
        return MemoryStore(self.bucket, prefix, before=self.before, after=self.after)

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
                yield self._listed(key, kept)
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def first(self, prefix: str = "", *, most: int = 1) -> tuple[ObjectInfo, ...]:
        return tuple(islice(self.list(prefix), most))

    def list_dirs(self, prefix: str = "") -> tuple[str, ...]:
        self._begin("list_dirs", prefix)
        root = self._root + prefix
        below = [k[len(root) :] for k in self.bucket.all_keys() if k.startswith(root)]
        self._end("list_dirs", prefix)
        return tuple(sorted({k.partition("/")[0] for k in below if "/" in k}))

    def levels(self, prefix: str = "", *, start_after: str = "") -> Iterator[Level]:
        after = self._root + start_after if start_after else ""
        root = self._root + prefix
        named = ""
        while True:
            self._begin("list", prefix)
            page = self.bucket.page(root, after)
            self._end("list", prefix)
            found = [(key, key[len(root) :].partition("/"), kept) for key, kept in page]
            dirs = dict.fromkeys(head for _, (head, slash, _), _ in found if slash)
            dirs.pop(named, None)  # it began on the page before
            here = [(key, kept) for key, (_, slash, _), kept in found if not slash]
            yield Level(tuple(dirs), tuple(self._listed(key, kept) for key, kept in here))
            if len(page) < PAGE:
                return
            after = page[-1][0]
            head, slash, _ = after[len(root) :].partition("/")
            named = head if slash else ""

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
        metadata: Mapping[str, str] | None = None,
    ) -> Stored:
        given = told(checked(metadata))
        self._begin("put", key)
        kept = self.bucket.write(
            self._root + key,
            bytes(body),
            if_match=if_match,
            if_none_match=if_none_match,
            content_type=content_type,
            metadata=given,
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

    def copy(
        self,
        source: str,
        target: str,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        size: int | None = None,
        log: UploadLog | None = None,
    ) -> Stored:
        if size is not None and size > self._copy_in_parts_above:
            like = self.bucket.read(self._root + source, if_match=if_match)
            length = self._parts.part_size
            goal = Goal(
                target,
                like.content_type,
                if_none_match=if_none_match,
                metadata=dict(like.metadata),
            )
            etag = self._parts.copy(
                source, goal, size=size, if_match=if_match, log=log, part_size=length
            )
            return Stored(etag, self.server_time())
        self._begin("copy", target)
        if source == target:
            raise StoreError(f"{source!r} cannot be copied onto itself")
        kept = self.bucket.read(self._root + source, if_match=if_match)
        copied = self.bucket.write(
            self._root + target,
            kept.body,
            if_none_match=if_none_match and self.bucket.heeds_copies,
            content_type=kept.content_type,
            metadata=kept.metadata,
        )
        self._end("copy", target)
        return Stored(copied.etag, self.server_time())

    # --- whole files --------------------------------------------------------------------

    def upload(
        self,
        key: str,
        source: Path | Held,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        on_bytes: OnBytes | None = None,
        log: UploadLog | None = None,
    ) -> Uploaded:
        goal = Goal(key, content_type, if_match, if_none_match, checked(metadata))
        if isinstance(source, Held) and source.size <= self._multipart_above:
            return self._store(goal, source, [source.body], on_bytes)
        with LocalSource(source.path if isinstance(source, Held) else source) as local:
            if local.size > self._multipart_above:
                etag = self._parts.send(goal, local, on_bytes=on_bytes or _nobody, log=log)
                return Uploaded(etag, local.size, local.sha256)
            return self._store(goal, local, local.chunks(CHUNK), on_bytes)

    def _store(
        self,
        goal: Goal,
        source: LocalSource | Held,
        chunks: Iterable[bytes],
        on_bytes: OnBytes | None,
    ) -> Uploaded:
        pieces = []
        self._begin("upload", goal.key)
        for chunk in chunks:
            pieces.append(chunk)
            if on_bytes is not None:
                on_bytes(len(chunk))
        source.check()
        kept = self.bucket.write(
            self._root + goal.key,
            b"".join(pieces),
            if_match=goal.if_match,
            if_none_match=goal.if_none_match,
            content_type=goal.content_type,
            metadata=told(goal.metadata),
        )
        self._end("upload", goal.key)
        self._meter.up(source.size)
        source.check()
        return Uploaded(kept.etag, source.size, source.sha256)

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
        sha256 = hashlib.sha256(kept.body).hexdigest()
        return Downloaded(kept.etag, len(kept.body), sha256, kept.metadata)

    # --- uploads in parts ---------------------------------------------------------------

    def list_uploads(self, prefix: str = "") -> Iterator[OpenUpload]:
        self._begin("list_uploads", prefix)
        found = sorted(self.bucket.uploads().items(), key=lambda item: item[1].key.encode())
        self._end("list_uploads", prefix)
        for upload_id, upload in found:
            if upload.key.startswith(self._root + prefix):
                key = upload.key.removeprefix(self._root)
                yield OpenUpload(key, upload_id, upload.started, self.server_time())

    def list_parts(self, key: str, upload_id: str) -> Iterator[Part]:
        return self._requests.parts(key, upload_id)

    def abort_upload(self, key: str, upload_id: str) -> None:
        self._requests.abort(key, upload_id)

    # --- how ----------------------------------------------------------------------------

    @contextmanager
    def _request(self, op: str, key: str) -> Iterator[None]:
        self._begin(op, key)
        yield
        self._end(op, key)

    def _begin(self, op: str, key: str) -> None:
        if self.before is not None:
            self.before(op, key)
        self._meter.request()
        self._meter.answer(200, self.bucket.now())

    def _end(self, op: str, key: str) -> None:
        if self.after is not None:
            self.after(op, key)

    def _listed(self, whole: str, kept: Kept) -> ObjectInfo:
        key = whole.removeprefix(self._root)
        return ObjectInfo(key, len(kept.body), kept.etag, kept.last_modified, self.server_time())

    def _info(self, key: str, kept: Kept) -> ObjectInfo:
        return replace(self._listed(key, kept), metadata=kept.metadata)


def _nobody(_count: int) -> None:
    """Nobody asked to be told."""
