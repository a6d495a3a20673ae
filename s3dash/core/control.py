"""Records of the control plane: small, any bytes, by key. Pure."""

from base64 import b64decode, b64encode
from typing import Any

import msgspec

from s3dash.core.paths import CONTROL_DIR, MAX_KEY_BYTES, blocked_reason
from s3dash.errors import UsageError

PUT_MOST = 2**20
"""Bytes of a record that is written; what is larger is no record."""
READ_MOST = 16 * 2**20
"""Bytes of a record that is read into memory, whoever wrote it."""
OWN = "s3dash"
"""The first segment of what s3dash keeps for itself."""


class Record(msgspec.Struct, frozen=True):
    """`last_modified` is an ISO time by the server's clock, empty where it told none."""

    key: str
    size: int
    last_modified: str
    etag: str


class Content(msgspec.Struct, frozen=True):
    """A record with its bytes: as `text` where they are UTF-8, else as `base64`."""

    record: Record
    text: str | None = None
    base64: str | None = None

    @property
    def body(self) -> bytes:
        return self.text.encode() if self.text is not None else b64decode(self.base64 or "")

    def document(self) -> dict[str, Any]:
        """The JSON shape, with one of `text` and `base64`."""
        record = self.record
        known = {"key": record.key, "etag": record.etag, "size": record.size}
        body = {"text": self.text} if self.text is not None else {"base64": self.base64}
        return {**known, "last_modified": record.last_modified, **body}


class Written(msgspec.Struct, frozen=True):
    """What a put made; `created`: there was none before."""

    key: str
    etag: str
    size: int
    created: bool


def content_of(record: Record, body: bytes) -> Content:
    try:
        return Content(record, text=body.decode())
    except UnicodeDecodeError:
        return Content(record, base64=b64encode(body).decode())


def is_own(key: str) -> bool:
    return key.partition("/")[0] == OWN


def check_key(key: str, *, root: str, writes: bool = False, force: bool = False) -> None:
    """Raises UsageError for what can be no key, and for a write into what is ours.

    `root` stands before `_control/` in the object's key.
    """
    lead = len(f"{root}{CONTROL_DIR}/".encode())
    reason = blocked_reason(key, key_prefix_bytes=lead, max_segment_bytes=MAX_KEY_BYTES)
    if reason:
        raise UsageError(f"{key!r} is no key of a record: {reason}")
    if writes and is_own(key) and not force:
        raise UsageError(
            f"{key} is s3dash's own: commits, proofs and marks lie there",
            hint="another key, or --force if you know what it means",
        )


def check_size(key: str, size: int) -> None:
    """Raises UsageError for more than a record may have."""
    if size > PUT_MOST:
        raise UsageError(
            f"{key}: {size:,} bytes are no record, which has {PUT_MOST:,} at most",
            hint="files belong into the datastore",
        )
