"""A large file in parts: a few at a time, one pass over the file, and nothing left behind."""

import math
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from s3dash.errors import InvalidResponse
from s3dash.objectstore.meter import Meter
from s3dash.objectstore.port import OnBytes
from s3dash.objectstore.s3_client import Clients
from s3dash.objectstore.s3_errors import Place, boto_translated
from s3dash.objectstore.source import LocalSource

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PARTS_PER_FILE = 3
PARTS_IN_MEMORY = 12
MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Multipart:
    """Sends files in parts. All uploads of a store share the parts that are held in memory."""

    clients: Clients
    meter: Meter
    bucket: str
    part_size: int
    slots: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(PARTS_IN_MEMORY)
    )

    def send(
        self,
        key: str,
        local: LocalSource,
        *,
        condition: dict[str, Any],
        content_type: str,
        on_bytes: OnBytes,
        place: Place,
    ) -> str:
        """Returns the ETag. `condition`: arguments of the completion, which alone is conditional.

        However it fails, the upload is aborted. Raises what `LocalSource` and `on_bytes` raise.
        """
        steady = self.clients.get("steady")
        with boto_translated(place):
            begun = steady.create_multipart_upload(
                Bucket=self.bucket, Key=key, ContentType=content_type
            )
        with self._aborted_on_failure(key, begun["UploadId"]):
            parts = self._parts(key, begun["UploadId"], local, on_bytes, place)
            on_bytes(0)
            with boto_translated(place):
                done = self.clients.get("complete").complete_multipart_upload(
                    Bucket=self.bucket,
                    Key=key,
                    UploadId=begun["UploadId"],
                    MultipartUpload={"Parts": parts},
                    **condition,
                )
        if not done.get("ETag"):
            raise InvalidResponse(f"{place} was stored, but the answer names no ETag")
        return done["ETag"]

    @contextmanager
    def _aborted_on_failure(self, key: str, upload_id: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            # The first error is the one to tell; an upload that is gone needs no abort.
            with suppress(BotoCoreError, ClientError):
                self.clients.get("steady").abort_multipart_upload(
                    Bucket=self.bucket, Key=key, UploadId=upload_id
                )
            raise

    def _parts(
        self, key: str, upload_id: str, local: LocalSource, on_bytes: OnBytes, place: Place
    ) -> "list[CompletedPartTypeDef]":
        """All parts in order. No part is on its way any more when this returns or raises."""
        done: list[CompletedPartTypeDef] = []
        waiting: deque[tuple[int, Future[CompletedPartTypeDef]]] = deque()

        def collect() -> None:
            size, part = waiting.popleft()
            done.append(part.result())
            on_bytes(size)

        pool = ThreadPoolExecutor(PARTS_PER_FILE, thread_name_prefix="s3dash-part")
        try:
            for number, chunk in enumerate(self._chunks(local), 1):
                part = pool.submit(self._part, key, upload_id, number, chunk, place)
                part.add_done_callback(lambda _: self.slots.release())
                waiting.append((len(chunk), part))
                if len(waiting) >= PARTS_PER_FILE:
                    collect()
                on_bytes(0)
            while waiting:
                collect()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return done

    def _chunks(self, local: LocalSource) -> Iterator[bytes]:
        """Each chunk holds a slot; the part that carries it gives the slot back."""
        chunks = local.chunks(max(self.part_size, math.ceil(local.size / MOST_PARTS)))
        while True:
            self.slots.acquire()
            try:
                chunk = next(chunks, None)
            except BaseException:
                self.slots.release()
                raise
            if chunk is None:
                self.slots.release()
                return
            yield chunk

    def _part(
        self, key: str, upload_id: str, number: int, body: bytes, place: Place
    ) -> "CompletedPartTypeDef":
        with boto_translated(place):
            part = self.clients.get("steady").upload_part(
                Bucket=self.bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=body
            )
        self.meter.up(len(body))
        return {"PartNumber": number, "ETag": part["ETag"]}
