"""The object store on S3: boto3 for control, obstore for whole bodies, behind the port."""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from s3dash import tracing
from s3dash.core.settings import CredentialSource, Datastore
from s3dash.errors import AccessDenied, Integrity, InvalidResponse, NotFound, PreconditionFailed
from s3dash.objectstore import s3_spans
from s3dash.objectstore.body import SliceBody
from s3dash.objectstore.gate import Gate
from s3dash.objectstore.metadata import checked
from s3dash.objectstore.metadata import told as told_metadata
from s3dash.objectstore.multipart import COPY_IN_PARTS_ABOVE, COPY_PART, PartSender
from s3dash.objectstore.parts import Goal
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import (
    Downloaded,
    Fetched,
    ObjectInfo,
    OnBytes,
    OpenUpload,
    Part,
    Stored,
    Uploaded,
    UploadLog,
)
from s3dash.objectstore.s3_answers import bare, confirmed, etag_of, looks_like_md5, size_of
from s3dash.objectstore.s3_bulk import CHUNK, Body, Bulk, Target, addressable
from s3dash.objectstore.s3_client import virtual_hosted
from s3dash.objectstore.s3_control import PAGE, S3Control
from s3dash.objectstore.s3_errors import Place, boto_translated, is_stale
from s3dash.objectstore.s3_multipart import S3Parts, as_file, checked_etag, sent
from s3dash.objectstore.source import Held, LocalSource

T = TypeVar("T")

HELD_WHOLE = 1 << 20
MULTIPART_ABOVE = 16 << 20
PART_SIZE = 8 << 20
PUTS = 3
MOST_IN_ONE = 5 << 30


class S3Store(S3Control):
    """Implements `ObjectStore` for one bucket and prefix. Nothing is sent before the first call.

    `credentials` None: boto3's default chain with the profile of the settings. A file of more
    than `multipart_above` bytes goes in parts of `part_size`, at least 5 MiB. Only files of at
    most 1 MiB are held in memory as a whole; larger ones are read while they are sent. An object
    of more than `copy_in_parts_above` bytes is copied in parts of `copy_part`.

    `joins_on_condition`: whether the completion of parts heeds conditions; the probe finds out.
    Where it does not, a file of at most `most_in_one` bytes goes in one request, which does.
    """

    def __init__(
        self,
        settings: Datastore,
        credentials: CredentialSource,
        *,
        multipart_above: int = MULTIPART_ABOVE,
        part_size: int = PART_SIZE,
        page_size: int = PAGE,
        copy_in_parts_above: int = COPY_IN_PARTS_ABOVE,
        copy_part: int = COPY_PART,
        most_in_one: int = MOST_IN_ONE,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(settings, credentials, page_size=page_size, patience=patience)
        self.joins_on_condition = True
        self.multipart_above = multipart_above
        self._copy_in_parts_above = copy_in_parts_above
        self._copy_part = copy_part
        self._most_in_one = most_in_one
        self._requests = S3Parts(
            self._clients,
            self._meter,
            self._bucket,
            self._root,
            lambda if_match, absent: self._condition(if_match, absent=absent),
            lambda: self.joins_on_condition,
        )
        self._parts = PartSender(self._requests, part_size, self.patience.again)
        self._virtual = virtual_hosted(settings)
        self._gate = Gate()
        self._opaque = False
        self._bulk: Bulk | None = None
        self._bulk_lock = threading.Lock()

    def twin(self) -> "S3Store":
        return S3Store(self._settings, self._credentials)

    def close(self) -> None:
        super().close()
        with self._bulk_lock:
            self._bulk = None

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
        """Sent once, without a retry: a repeated conditional PUT would lose against itself."""
        tell = on_bytes or _nobody
        condition = self._condition(if_match, absent=if_none_match)
        place = self._place.at("write", key, conditional=bool(condition))
        goal = Goal(key, content_type, if_match, if_none_match, checked(metadata))
        with self._gate.turn(self.patience.cancel):
            held = source if isinstance(source, Held) else Held.read(source, at_most=HELD_WHOLE)
            if held is not None and not self._in_parts(held.size, condition):
                tell(0)
                held.check()  # what changed already is not sent: the retry would meet it there
                etag = self._put_whole(goal, held, condition, place)
                tell(held.size)
                held.check()
                return Uploaded(bare(etag), held.size, held.sha256)
            path = source.path if isinstance(source, Held) else source
            with LocalSource(path) as local:
                if self._in_parts(local.size, condition):
                    etag = self._parts.send(goal, local, on_bytes=tell, log=log)
                else:
                    etag = self._put_streaming(goal, local, condition, tell, place)
                local.check()
                return Uploaded(bare(etag), local.size, local.sha256)

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
        if size is None or size <= self._copy_in_parts_above:
            return super().copy(source, target, if_match=if_match, if_none_match=if_none_match)
        kind, metadata = self._requests.described(source, if_match=if_match)
        etag = self._parts.copy(
            source,
            Goal(target, kind, if_none_match=if_none_match, metadata=metadata),
            size=size,
            if_match=if_match,
            log=log,
            part_size=self._copy_part,
        )
        return Stored(etag, self.server_time())

    def list_uploads(self, prefix: str = "") -> Iterator[OpenUpload]:
        return self._requests.uploads(prefix)

    def list_parts(self, key: str, upload_id: str) -> Iterator[Part]:
        return self._requests.parts(key, upload_id)

    def abort_upload(self, key: str, upload_id: str) -> None:
        self._requests.abort(key, upload_id)

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Fetched | None:
        """A version that was named by its ETag may be one of thousands: it comes through obstore,
        and does not tell its times."""
        if if_match is None or if_none_match is not None or not addressable(self._root + key):
            return super().get(key, if_match=if_match, if_none_match=if_none_match)
        place = self._place.at("read", key)
        return confirmed(lambda: self._patiently(lambda: self._whole(key, if_match, place)), place)

    def _whole(self, key: str, if_match: str, place: Place) -> Fetched:
        with self._gate.turn(self.patience.cancel), self._span("GetObject", key):
            body = self._open_body(key, if_match, place)
            data = b"".join(body.chunks)
        if len(data) != body.size:
            raise Integrity(f"{place}: {len(data)} of {body.size} bytes arrived")
        self._meter.down(len(data))
        info = ObjectInfo(key, len(data), bare(body.etag), metadata=body.metadata)
        return Fetched(info, data)

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
        digest, arrived = hashlib.sha256(), 0
        with self._gate.turn(self.patience.cancel), self._span("GetObject", key):
            tell(0)
            body = self._open_body(key, if_match, place)
            for piece in body.chunks:
                sink.write(piece)
                digest.update(piece)
                arrived += len(piece)
                self._meter.down(len(piece))
                tell(len(piece))
        if arrived != body.size:
            raise Integrity(f"{place}: {arrived} of {body.size} bytes arrived")
        return Downloaded(bare(body.etag), arrived, digest.hexdigest(), body.metadata)

    def _in_parts(self, size: int, condition: dict[str, Any]) -> bool:
        if condition and not self.joins_on_condition and size <= self._most_in_one:
            return False
        return size > self.multipart_above

    def _put_streaming(
        self,
        goal: Goal,
        local: LocalSource,
        condition: dict[str, Any],
        tell: OnBytes,
        place: Place,
    ) -> str:
        """One request whose body is read from the file as it goes, and can be stopped."""
        (piece,) = local.slices(local.size, check=lambda: tell(0))
        body = SliceBody(local, piece, tell)
        done = sent(
            body,
            place,
            lambda: self._clients.get("part").put_object(
                Bucket=self._bucket,
                Key=self._root + goal.key,
                Body=as_file(body),
                ContentMD5=base64.b64encode(body.piece.md5).decode(),
                ContentType=goal.content_type,
                Metadata=goal.metadata,
                **condition,
            ),
        )
        self._meter.up(local.size)
        return checked_etag(done, body, place)

    def _put_whole(self, goal: Goal, held: Held, condition: dict[str, Any], place: Place) -> str:
        """`condition` as boto3 takes it. Metadata may have names that obstore takes for its own."""
        key = goal.key
        if goal.metadata or not addressable(self._root + key):
            return self.put(
                key,
                held.body,
                if_match=goal.if_match,
                if_none_match=goal.if_none_match,
                content_type=goal.content_type,
                metadata=goal.metadata,
            ).etag
        wanted = condition.get("IfMatch") or condition.get("IfNoneMatch")
        for _ in range(PUTS):
            etag = self._put_once(key, held.body, wanted, goal.content_type, place)
            if self._is_proved(key, held, etag, place):
                return etag
            wanted = self._tag(bare(etag))  # damaged on its way; it is ours, and goes again
        raise Integrity(f"{place}: it arrives damaged each time")

    def _put_once(
        self, key: str, body: bytes, wanted: str | None, content_type: str, place: Place
    ) -> str:
        with self._span("PutObject", key):
            etag = self._through_obstore(
                lambda bulk: bulk.put(
                    self._root + key, body, condition=wanted, content_type=content_type, place=place
                )
            )
        self._meter.up(len(body))
        return etag

    def _is_proved(self, key: str, held: Held, etag: str, place: Place) -> bool:
        """Whether what is there is what was sent: obstore sends no checksum that all verify.

        It also follows redirects, and believes whoever answers with an ETag. One that is the MD5
        of what was sent is proof enough. Where it looks like an MD5 and is another, the object is
        read again; any other form is asked for: until it is known that this endpoint has ETags of
        another kind.
        """
        if self._opaque or bare(etag) == held.md5:
            return True
        with suppress(NotFound, PreconditionFailed):  # told below
            if not looks_like_md5(bare(etag)):
                self._opaque = self.head(key).etag == bare(etag)
            elif (found := self.get(key, if_match=bare(etag))) is not None:
                self._opaque = found.body == held.body
                return self._opaque
        if not self._opaque:
            raise InvalidResponse(f"{place} was answered, but is not there in that version")
        return True

    def _open_body(self, key: str, if_match: str | None, place: Place) -> Body:
        condition = self._condition(if_match)
        if addressable(self._root + key):
            wanted = condition.get("IfMatch")
            return self._through_obstore(
                lambda bulk: bulk.get(self._root + key, if_match=wanted, place=place)
            )
        with boto_translated(place):
            found = self._clients.get("steady").get_object(
                Bucket=self._bucket, Key=self._root + key, **condition
            )
        stream = found["Body"]

        def chunks() -> Iterator[memoryview]:
            with boto_translated(place), closing(stream):
                while piece := stream.read(CHUNK):
                    yield memoryview(piece)

        given = told_metadata(found.get("Metadata", {}))
        return Body(etag_of(found, place), size_of(found, place), chunks(), given)

    def _span(self, method: str, key: str) -> AbstractContextManager[None]:
        """What boto3 sends instead of obstore, for a key that this cannot name, tells itself."""
        if not tracing.is_on() or not addressable(self._root + key):
            return nullcontext()
        where = self._clients.endpoint
        return s3_spans.bulk(method, endpoint=where, bucket=self._bucket, key=self._root + key)

    def _through_obstore(self, do: Callable[[Bulk], T]) -> T:
        """Credentials that ran out are renewed: what was refused goes once more."""
        bulk = self._obstore()
        self._meter.request()
        try:
            done = do(bulk)
        except AccessDenied as error:
            if not (is_stale(error) and self._clients.signers().renew(bulk.signed_by)):
                raise
            with self._bulk_lock:
                if self._bulk is bulk:
                    self._bulk = None
            self._meter.request()
            done = do(self._obstore())
        self.patience.answered()
        return done

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
                        signer=self._clients.signers().signer,
                        read_s=self._settings.request_timeout_ms / 1000,
                        ca_bundle=self._clients.ca_bundle,
                    )
                )
            return self._bulk


def _nobody(_count: int) -> None:
    """Nobody asked to be told."""
