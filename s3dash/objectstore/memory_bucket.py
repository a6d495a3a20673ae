"""What the stores in memory share: objects and unfinished uploads, changed one at a time."""

import hashlib
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from s3dash.clock import Clock, SystemClock
from s3dash.errors import NotFound, PreconditionFailed, StoreError
from s3dash.objectstore.metadata import Metadata
from s3dash.objectstore.parts import composite_etag
from s3dash.objectstore.port import Part

PAGE = 1000


class Kept(msgspec.Struct, frozen=True):
    """One object as the bucket keeps it."""

    body: bytes
    etag: str
    last_modified: datetime
    content_type: str
    nonce: str = ""
    metadata: Metadata = ()


class Unfinished(msgspec.Struct, frozen=True):
    """An upload in parts, by number: the bytes of each."""

    key: str
    content_type: str
    nonce: str
    started: datetime
    metadata: Metadata = ()
    parts: dict[int, bytes] = msgspec.field(default_factory=dict)


class MemoryBucket:
    """The shared state. Every method is atomic. `clock` is the server's clock.

    `objects` is what is in it at the start. `heeds_copies`: whether a copy can want its target
    absent, as on few endpoints.
    """

    def __init__(
        self, *, clock: Clock | None = None, objects: Mapping[str, Kept] | None = None
    ) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._objects: dict[str, Kept] = dict(objects or {})
        self._uploads: dict[str, Unfinished] = {}
        self.heeds_copies = True

    def now(self) -> datetime:
        """In whole seconds, as in a `Date` header."""
        return self._clock.now().replace(microsecond=0)

    def all_keys(self) -> list[str]:
        """All keys, in S3's order: that of their UTF-8 bytes."""
        with self._lock:
            return sorted(self._objects, key=str.encode)

    def objects(self) -> dict[str, Kept]:
        """All that is in it now, by key."""
        with self._lock:
            return dict(self._objects)

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
        metadata: Metadata = (),
    ) -> Kept:
        with self._lock:
            self._expect(key, if_match, absent=if_none_match)
            etag = _md5(body).hex()
            kept = Kept(body, etag, self.now(), content_type, metadata=metadata)
            self._objects[key] = kept
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

    # --- uploads in parts ---------------------------------------------------------------

    def begin(self, key: str, *, content_type: str, nonce: str, metadata: Metadata = ()) -> str:
        """The id of a new upload."""
        with self._lock:
            upload_id = uuid.uuid4().hex
            self._uploads[upload_id] = Unfinished(key, content_type, nonce, self.now(), metadata)
            return upload_id

    def uploads(self) -> dict[str, Unfinished]:
        """All that are not finished, by id."""
        with self._lock:
            return dict(self._uploads)

    def add_part(self, key: str, upload_id: str, number: int, body: bytes) -> str:
        """The part's ETag."""
        with self._lock:
            self._upload(key, upload_id).parts[number] = body
            return _md5(body).hex()

    def parts(self, key: str, upload_id: str) -> list[Part]:
        with self._lock:
            found = sorted(self._upload(key, upload_id).parts.items())
        return [Part(number, len(body), _md5(body).hex()) for number, body in found]

    def finish(
        self,
        key: str,
        upload_id: str,
        parts: Sequence[Part],
        *,
        if_match: str | None,
        if_none_match: bool,
    ) -> Kept:
        with self._lock:
            upload = self._upload(key, upload_id)
            self._expect(key, if_match, absent=if_none_match)
            bodies = [upload.parts.get(part.number, b"") for part in parts]
            digests = [_md5(body) for body in bodies]
            if not parts or [digest.hex() for digest in digests] != [p.etag for p in parts]:
                raise StoreError(f"{key!r}: a part is missing, or is another one (InvalidPart)")
            etag = composite_etag(digests)
            kept = Kept(
                b"".join(bodies),
                etag,
                self.now(),
                upload.content_type,
                upload.nonce,
                upload.metadata,
            )
            self._objects[key] = kept
            del self._uploads[upload_id]
            return kept

    def abort(self, key: str, upload_id: str) -> None:
        with self._lock:
            self._upload(key, upload_id)
            del self._uploads[upload_id]

    def _upload(self, key: str, upload_id: str) -> Unfinished:
        found = self._uploads.get(upload_id)
        if found is None or found.key != key:
            raise NotFound(f"there is no such upload of {key!r}")
        return found

    def _expect(self, key: str, if_match: str | None, *, absent: bool) -> None:
        found = self._objects.get(key)
        if absent and found is not None:
            raise _stale(key)
        if if_match is not None and (found is None or found.etag != if_match):
            raise _stale(key)


def _md5(body: bytes) -> bytes:
    return hashlib.md5(body, usedforsecurity=False).digest()


def _stale(key: str) -> PreconditionFailed:
    return PreconditionFailed(f"{key!r} is not the version that was expected")


def _after(key: str, after: str) -> bool:
    return not after or key.encode() > after.encode()
