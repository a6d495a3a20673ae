"""What an upload in parts asks of an endpoint, and how long its parts are."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from s3dash.errors import LocalError
from s3dash.objectstore.body import SliceBody
from s3dash.objectstore.port import Part

MOST_PARTS = 10_000
LARGEST = 5 << 40
_ROUND = 1 << 20


class Goal(msgspec.Struct, frozen=True):
    """What an upload is to become, and the condition on its completion."""

    key: str
    content_type: str
    if_match: str | None = None
    if_none_match: bool = False
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict)


class Found(msgspec.Struct, frozen=True):
    """The object at a key: its version, and the nonce of the upload that made it, if any."""

    etag: str
    nonce: str


class PartStore(Protocol):
    """The requests of an upload in parts. ETags without quotes, errors of ours only."""

    def create(self, goal: Goal, *, nonce: str) -> str: ...

    def send(self, key: str, upload_id: str, body: SliceBody) -> str:
        """Returns the part's ETag. Raises Integrity when that tells of other bytes."""
        ...

    def copy_part(
        self, source: str, key: str, upload_id: str, part: Part, *, start: int, if_match: str | None
    ) -> str: ...

    def parts(self, key: str, upload_id: str) -> Iterator[Part]: ...

    def complete(self, goal: Goal, upload_id: str, parts: Sequence[Part]) -> str: ...

    def abort(self, key: str, upload_id: str) -> None: ...

    def find(self, key: str) -> Found: ...


def part_size_for(size: int, wanted: int) -> int:
    """The length of a part such that S3's 10,000 suffice. Raises LocalError above 5 TB."""
    if size > LARGEST:
        raise LocalError(f"{size} bytes are more than an S3 object can hold (5 TB)")
    needed = math.ceil(size / MOST_PARTS)
    return wanted if needed <= wanted else math.ceil(needed / _ROUND) * _ROUND


def composite_etag(digests: Sequence[bytes]) -> str:
    """The ETag that S3 gives to an object of parts with these MD5s."""
    whole = hashlib.md5(b"".join(digests), usedforsecurity=False)
    return f"{whole.hexdigest()}-{len(digests)}"
