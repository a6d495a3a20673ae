"""The object store on S3: boto3 for control, obstore for whole bodies, behind the port."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from s3dash.core.settings import Credentials, Datastore
from s3dash.errors import Integrity
from s3dash.objectstore.port import Downloaded, OnBytes, Uploaded
from s3dash.objectstore.s3_answers import bare, etag_of
from s3dash.objectstore.s3_bulk import CHUNK, Body, Bulk, Target, addressable
from s3dash.objectstore.s3_client import virtual_hosted
from s3dash.objectstore.s3_control import PAGE, S3Control
from s3dash.objectstore.s3_errors import Place, boto_translated
from s3dash.objectstore.s3_multipart import Multipart
from s3dash.objectstore.source import LocalSource

MULTIPART_ABOVE = 16 << 20
PART_SIZE = 8 << 20


class S3Store(S3Control):
    """Implements `ObjectStore` for one bucket and prefix. Nothing is sent before the first call.

    `credentials` None: boto3's default chain with the profile of the settings. A file of more
    than `multipart_above` bytes goes in parts of `part_size`, at least 5 MiB.
    """

    def __init__(
        self,
        settings: Datastore,
        credentials: Credentials | None,
        *,
        multipart_above: int = MULTIPART_ABOVE,
        part_size: int = PART_SIZE,
        page_size: int = PAGE,
    ) -> None:
        super().__init__(settings, credentials, page_size=page_size)
        self._multipart_above = multipart_above
        self._multipart = Multipart(self._clients, self._meter, self._bucket, part_size)
        self._virtual = virtual_hosted(settings)
        self._bulk: Bulk | None = None
        self._bulk_lock = threading.Lock()

    def close(self) -> None:
        super().close()
        with self._bulk_lock:
            self._bulk = None

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
        """Sent once, without a retry: a repeated conditional PUT would lose against itself."""
        tell = on_bytes or _nobody
        condition = self._condition(if_match, absent=if_none_match)
        place = self._place.at("write", key, conditional=bool(condition))
        with LocalSource(source) as local:
            if local.size > self._multipart_above:
                etag = self._multipart.send(
                    self._root + key,
                    local,
                    condition=condition,
                    content_type=content_type,
                    on_bytes=tell,
                    place=place,
                )
            else:
                body = local.read()
                tell(0)
                etag = self._put_whole(key, body, condition, content_type, place)
                tell(len(body))
            local.check()
            return Uploaded(bare(etag), local.size, local.sha256)

    def download(
        self,
        key: str,
        sink: BinaryIO,
        *,
        if_match: str | None = None,
        on_bytes: OnBytes | None = None,
    ) -> Downloaded:
        """Errors of `sink` are raised as they are."""
        tell = on_bytes or _nobody
        place = self._place.at("read", key)
        tell(0)
        body = self._open_body(key, if_match, place)
        digest, arrived = hashlib.sha256(), 0
        for piece in body.chunks:
            sink.write(piece)
            digest.update(piece)
            arrived += len(piece)
            self._meter.down(len(piece))
            tell(len(piece))
        if arrived != body.size:
            raise Integrity(f"{place}: {arrived} of {body.size} bytes arrived")
        return Downloaded(bare(body.etag), arrived, digest.hexdigest())

    def _put_whole(
        self, key: str, body: bytes, condition: dict[str, Any], content_type: str, place: Place
    ) -> str:
        """`condition` as boto3 takes it."""
        if not addressable(self._root + key):
            return self.put(
                key,
                body,
                if_match=condition.get("IfMatch"),
                if_none_match="IfNoneMatch" in condition,
                content_type=content_type,
            ).etag
        bulk = self._obstore()
        self._meter.request()
        etag = bulk.put(
            self._root + key,
            body,
            condition=condition.get("IfMatch") or condition.get("IfNoneMatch"),
            content_type=content_type,
            place=place,
        )
        self._meter.up(len(body))
        return etag

    def _open_body(self, key: str, if_match: str | None, place: Place) -> Body:
        condition = self._condition(if_match)
        if addressable(self._root + key):
            bulk = self._obstore()
            self._meter.request()
            return bulk.get(self._root + key, if_match=condition.get("IfMatch"), place=place)
        with boto_translated(place):
            found = self._clients.get("steady").get_object(
                Bucket=self._bucket, Key=self._root + key, **condition
            )
        stream = found["Body"]

        def chunks() -> Iterator[memoryview]:
            with boto_translated(place), closing(stream):
                while piece := stream.read(CHUNK):
                    yield memoryview(piece)

        return Body(etag_of(found, place), found["ContentLength"], chunks())

    def _obstore(self) -> Bulk:
        """Made when the first body moves; it goes where boto3 goes."""
        with self._bulk_lock:
            if self._bulk is None:
                self._bulk = Bulk(
                    Target(
                        bucket=self._bucket,
                        endpoint=self._clients.endpoint,
                        region=self._clients.region,
                        virtual=self._virtual,
                        signer=self._clients.signer(),
                        ca_bundle=self._clients.ca_bundle,
                    )
                )
            return self._bulk


def _nobody(_count: int) -> None:
    """Nobody asked to be told."""
