"""The object-store port: all that s3dash asks of S3.

Keys are relative to the prefix of the store. ETags come and go without quotes; the adapter
knows the endpoint's dialect. Every failure is a class of `s3dash.errors`: NotFound,
BucketNotFound, PreconditionFailed, AccessDenied, Unreachable, Throttled, ServerFault,
Integrity, InvalidResponse, NotImplementedByEndpoint.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from s3dash.objectstore.metadata import Metadata
from s3dash.objectstore.source import Held

RECENT = 200
"""Requests whose times are kept."""

OnBytes = Callable[[int], None]
"""Called with the number of bytes just moved; may raise `Cancelled` to stop the transfer."""


class ObjectInfo(msgspec.Struct, frozen=True):
    """An object as a listing or a HEAD tells it. `last_modified` is the server's clock.

    `metadata` is what was put with it; a listing does not tell that.
    """

    key: str
    size: int
    etag: str
    last_modified: datetime | None = None
    server_time: datetime | None = None
    metadata: Metadata = ()


class Level(msgspec.Struct, frozen=True):
    """A page of what lies directly below a prefix that ends with a slash, or is empty.

    `dirs` are names without the slash, `objects` have whole keys. An object whose key is the
    prefix itself, a directory's marker, is among the objects.
    """

    dirs: tuple[str, ...]
    objects: tuple[ObjectInfo, ...]


class Fetched(msgspec.Struct, frozen=True):
    """An object with its bytes. `server_time` is the response's `Date`."""

    info: ObjectInfo
    body: bytes


class Stored(msgspec.Struct, frozen=True):
    """The version that a PUT made."""

    etag: str
    server_time: datetime | None = None


class Uploaded(msgspec.Struct, frozen=True):
    """A file as it was sent: its version, its length in bytes and its SHA-256, in hex."""

    etag: str
    size: int
    sha256: str


class Downloaded(msgspec.Struct, frozen=True):
    """A body as it arrived: its version, its length in bytes, its SHA-256, in hex, and what was
    put with it."""

    etag: str
    size: int
    sha256: str
    metadata: Metadata = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an upload, as the endpoint keeps it. Numbers begin at 1, sizes are bytes.

    `modified` is when it arrived, by the server's clock, where the endpoint tells.
    """

    number: int
    size: int
    etag: str
    modified: datetime | None = field(default=None, compare=False)


class OpenUpload(msgspec.Struct, frozen=True):
    """An upload in parts that is neither completed nor aborted. Both times are the server's."""

    key: str
    upload_id: str
    started: datetime | None = None
    server_time: datetime | None = None


class Begun(msgspec.Struct, frozen=True):
    """An upload in parts that was begun: what it takes to continue it.

    `nonce` is kept with the object that it becomes, so that a lost reply can be read back.
    """

    upload_id: str
    part_size: int
    nonce: str


class UploadLog(Protocol):
    """Where a caller remembers an upload in parts, so that a later one continues it.

    With a log, an upload that was cut off (no answer, a fault, a cancel) is left open; without,
    every failure aborts it.
    """

    def begun(self) -> Begun | None:
        """The upload of this very file that is to be continued, if any."""
        ...

    def intend(self) -> None:
        """Called before an upload is asked for: its name may never be learned."""
        ...

    def begin(self, begun: Begun) -> None:
        """Called once an upload is open, before a byte of it is sent."""
        ...

    def kept(self, count: int) -> None:
        """So many bytes are there already: they were compared, and are not sent."""
        ...

    def over(self) -> None:
        """The upload was completed, or aborted, or is gone."""
        ...


class Usage(msgspec.Struct):
    """What a store has asked of the endpoint so far. Counted by the adapters, thread-safe.

    `latency_ms` is the time from the latest small request to its answer, None before the first;
    `recent_ms` holds the times of the last ones, the newest last, and `answers` counts them all.
    `skew_s` is how far the server's clock is ahead of ours, to about half a second.
    """

    requests: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    latency_ms: float | None = None
    answers: int = 0
    recent_ms: tuple[float, ...] = ()
    skew_s: float | None = None


class Capabilities(msgspec.Struct, frozen=True):
    """What the probe proved about an endpoint; nothing is taken for granted.

    `create`: If-None-Match:* on PUT; `replace`: If-Match on PUT; `delete`: If-Match on DELETE;
    `races`: one winner each under contention; `dated`: answers carry a usable `Date`;
    `complete`: both conditions on CompleteMultipartUpload; `copies`: If-None-Match:* on CopyObject,
    and If-Match on its source.
    """

    create: bool = False
    replace: bool = False
    delete: bool = False
    races: bool = False
    dated: bool = False
    complete: bool = False
    copies: bool = False

    @property
    def safe(self) -> bool:
        """True when a lock on this endpoint can be trusted."""
        return self.create and self.replace and self.races


class ObjectStore(Protocol):
    """Blocking and thread-safe; all options are keyword-only.

    `etag_quotes`: whether conditions are sent quoted, the endpoint's dialect; the probe sets it.
    """

    etag_quotes: bool

    @property
    def usage(self) -> Usage: ...

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key starts with `prefix`, page by page, in the endpoint's own order.

        That order is by key on S3, by path segment on SeaweedFS; `start_after` follows it.
        """
        ...

    def first(self, prefix: str = "", *, most: int = 1) -> tuple[ObjectInfo, ...]:
        """The first objects below `prefix`, in one request that asks for no more than `most`."""
        ...

    def list_dirs(self, prefix: str = "") -> tuple[str, ...]:
        """The names one level below `prefix` (delimiter `/`), without slash, sorted."""
        ...

    def levels(self, prefix: str = "", *, start_after: str = "") -> Iterator[Level]:
        """What lies directly below `prefix`, a page at a time: the next is asked for when it is.

        SeaweedFS goes on naming a directory after its last object is gone: one that is to be
        believed is one that a `list` finds something in.
        """
        ...

    def head(self, key: str) -> ObjectInfo: ...

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Fetched | None:
        """A small object at once; None when `if_none_match` still holds (304)."""
        ...

    def get_range(
        self, key: str, *, start: int, length: int, if_match: str | None = None
    ) -> bytes: ...

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
        """A small object at once, tried exactly once: its loss must be read back, not retried.

        `metadata` is kept with it: names of a-z, 0-9 and dashes, values of printable ASCII, else
        UsageError is raised.
        """
        ...

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        """Delete one object, tried exactly once when conditional; a missing one is fine."""
        ...

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete without conditions, in batches; proved by nothing: list again to be sure."""
        ...

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
        """Copy on the server, with the metadata; `if_match` pins the source's version,
        `if_none_match` wants a target that is not there, which few endpoints heed.

        One request copies at most 5 GB: with its `size` in bytes given, a larger object is copied
        in parts. `log` is told of that; a copy is never continued.
        """
        ...

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
        """Hash a file and send it, piece by piece; `on_bytes` may be called from several threads.

        One that is held already is not read again. `metadata`: as with `put`.

        Raises LocalChanged when the file's stat moved meanwhile; then nothing of it may be
        committed. Large files go in parts, with the condition on the completion; an upload that
        `log` knows is continued from the parts that are there.
        """
        ...

    def download(
        self,
        key: str,
        sink: BinaryIO,
        *,
        if_match: str | None = None,
        on_bytes: OnBytes | None = None,
    ) -> Downloaded:
        """Stream a body into `sink` and hash it. The caller compares the hash."""
        ...

    def list_uploads(self, prefix: str = "") -> Iterator[OpenUpload]:
        """The uploads in parts below `prefix` that are neither completed nor aborted."""
        ...

    def list_parts(self, key: str, upload_id: str) -> Iterator[Part]:
        """The parts that are there, by number. Raises NotFound when there is no such upload."""
        ...

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Give an upload up, with all its parts; one that is gone already is fine."""
        ...

    def server_time(self) -> datetime | None:
        """The server's clock as of its latest answer, or None before the first."""
        ...

    def close(self) -> None: ...
