"""The requests of an upload in parts, on a bucket in memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress

import msgspec

from s3dash.errors import NotFound
from s3dash.objectstore.body import SliceBody
from s3dash.objectstore.memory_bucket import MemoryBucket
from s3dash.objectstore.metadata import told
from s3dash.objectstore.meter import Meter
from s3dash.objectstore.parts import Found, Goal
from s3dash.objectstore.port import Part

CHUNK = 1 << 20


class MemoryParts(msgspec.Struct, frozen=True):
    """Implements `PartStore`. `request` surrounds each one, given its name and its key."""

    bucket: MemoryBucket
    root: str
    meter: Meter
    request: Callable[[str, str], AbstractContextManager[None]]

    def create(self, goal: Goal, *, nonce: str) -> str:
        with self.request("create_upload", goal.key):
            full = self.root + goal.key
            return self.bucket.begin(
                full,
                content_type=goal.content_type,
                nonce=nonce,
                metadata=told(goal.metadata),
            )

    def send(self, key: str, upload_id: str, body: SliceBody) -> str:
        with self.request("send_part", key):
            body.sending()
            whole = b"".join(iter(lambda: body.read(CHUNK), b""))
            etag = self.bucket.add_part(self.root + key, upload_id, body.piece.number, whole)
            self.meter.up(len(whole))
            return etag

    def copy_part(
        self, source: str, key: str, upload_id: str, part: Part, *, start: int, if_match: str | None
    ) -> str:
        with self.request("copy_part", key):
            whole = self.bucket.read(self.root + source, if_match=if_match).body
            piece = whole[start : start + part.size]
            return self.bucket.add_part(self.root + key, upload_id, part.number, piece)

    def parts(self, key: str, upload_id: str) -> Iterator[Part]:
        with self.request("list_parts", key):
            found = self.bucket.parts(self.root + key, upload_id)
        yield from found

    def complete(self, goal: Goal, upload_id: str, parts: Sequence[Part]) -> str:
        with self.request("complete_upload", goal.key):
            return self.bucket.finish(
                self.root + goal.key,
                upload_id,
                parts,
                if_match=goal.if_match,
                if_none_match=goal.if_none_match,
            ).etag

    def abort(self, key: str, upload_id: str) -> None:
        with self.request("abort_upload", key), suppress(NotFound):  # gone, as it should be
            self.bucket.abort(self.root + key, upload_id)

    def find(self, key: str) -> Found:
        with self.request("head", key):
            kept = self.bucket.read(self.root + key)
            return Found(kept.etag, kept.nonce)
