"""The requests of an upload in parts, through boto3."""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from s3dash.errors import Integrity, InvalidResponse, NotFound, PreconditionFailed
from s3dash.objectstore.body import SliceBody
from s3dash.objectstore.metadata import NONCE
from s3dash.objectstore.metadata import told as told_metadata
from s3dash.objectstore.meter import Meter
from s3dash.objectstore.parts import Found, Goal
from s3dash.objectstore.port import OpenUpload, Part
from s3dash.objectstore.s3_answers import Response, date_of, etag_of, told, utc
from s3dash.objectstore.s3_client import Clients
from s3dash.objectstore.s3_errors import Place, boto_translated, from_boto

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

M = TypeVar("M")

_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_OPAQUE = ("aws:kms", "aws:kms:dsse")

Condition = Callable[[str | None, bool], dict[str, Any]]
"""(if_match, if_none_match) as boto3 takes them, in the endpoint's dialect."""


class S3Parts(msgspec.Struct, frozen=True):
    """Implements `PartStore` for one bucket and prefix."""

    clients: Clients
    meter: Meter
    bucket: str
    root: str
    condition: Condition
    joins_on_condition: Callable[[], bool] = lambda: True

    def create(self, goal: Goal, *, nonce: str) -> str:
        """Asked once: a second answer would leave an upload behind whose name was lost."""
        place = self._at("write", goal.key)
        with boto_translated(place):
            begun = self.clients.get("part").create_multipart_upload(
                Bucket=self.bucket,
                Key=self.root + goal.key,
                ContentType=goal.content_type,
                Metadata={**goal.metadata, NONCE: nonce},
            )
        return str(told(begun, "UploadId", place))

    def send(self, key: str, upload_id: str, body: SliceBody) -> str:
        place = self._at("write", key)
        done = sent(
            body,
            place,
            lambda: self.clients.get("part").upload_part(
                Bucket=self.bucket,
                Key=self.root + key,
                UploadId=upload_id,
                PartNumber=body.piece.number,
                Body=as_file(body),
                ContentMD5=base64.b64encode(body.piece.md5).decode(),
            ),
        )
        self.meter.up(body.piece.size)
        return checked_etag(done, body, place)

    def copy_part(
        self, source: str, key: str, upload_id: str, part: Part, *, start: int, if_match: str | None
    ) -> str:
        place = self._at("copy", source)
        match = self.condition(if_match, False).get("IfMatch")
        pinned: dict[str, Any] = {} if match is None else {"CopySourceIfMatch": match}
        with boto_translated(place):
            done = self.clients.get("complete").upload_part_copy(
                Bucket=self.bucket,
                Key=self.root + key,
                UploadId=upload_id,
                PartNumber=part.number,
                CopySource={"Bucket": self.bucket, "Key": self.root + source},
                CopySourceRange=f"bytes={start}-{start + part.size - 1}",
                **pinned,
            )
        return etag_of(done.get("CopyPartResult", {}), place)

    def parts(self, key: str, upload_id: str) -> Iterator[Part]:
        """Raises NotFound when there is no such upload."""
        place = self._at("list the parts of", key)
        marker = 0
        while True:
            with boto_translated(place):
                page = self.clients.get("steady").list_parts(
                    Bucket=self.bucket,
                    Key=self.root + key,
                    UploadId=upload_id,
                    PartNumberMarker=marker,
                )
            for found in page.get("Parts", []):
                at = utc(found.get("LastModified"))
                number, size = told(found, "PartNumber", place), found.get("Size", 0)
                yield Part(number, size, etag_of(found, place), at)
            if not page.get("IsTruncated"):
                return
            marker = _onward(page.get("NextPartNumberMarker", 0), marker, place)

    def complete(self, goal: Goal, upload_id: str, parts: Sequence[Part]) -> str:
        """Asked once, and waited for long: an endpoint may take a minute to join parts."""
        condition = self.condition(goal.if_match, goal.if_none_match)
        place = self._at("write", goal.key, conditional=bool(condition))
        if condition and not self.joins_on_condition():
            self._look_first(goal, place)
        named: list[CompletedPartTypeDef] = [
            {"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts
        ]
        with boto_translated(place):
            done = self.clients.get("complete").complete_multipart_upload(
                Bucket=self.bucket,
                Key=self.root + goal.key,
                UploadId=upload_id,
                MultipartUpload={"Parts": named},
                **condition,
            )
        return etag_of(done, place)

    def _look_first(self, goal: Goal, place: Place) -> None:
        """Where a completion heeds no condition: all that is left between is a moment."""
        try:
            there = self.find(goal.key).etag
        except NotFound:
            there = None
        if there != goal.if_match:
            raise PreconditionFailed(f"{place} is not the version that was expected")

    def abort(self, key: str, upload_id: str) -> None:
        place = self._at("give up the upload of", key)
        try:
            with boto_translated(place):
                self.clients.get("steady").abort_multipart_upload(
                    Bucket=self.bucket, Key=self.root + key, UploadId=upload_id
                )
        except NotFound:
            return

    def find(self, key: str) -> Found:
        place = self._at("look at", key)
        with boto_translated(place):
            found = self.clients.get("steady").head_object(Bucket=self.bucket, Key=self.root + key)
        return Found(etag_of(found, place), found.get("Metadata", {}).get(NONCE, ""))

    def described(self, key: str, *, if_match: str | None) -> tuple[str, dict[str, str]]:
        """Content type and metadata. Raises PreconditionFailed when it is not this version."""
        place = self._at("look at", key)
        with boto_translated(place):
            found = self.clients.get("steady").head_object(Bucket=self.bucket, Key=self.root + key)
        if if_match is not None and etag_of(found, place) != if_match:
            raise PreconditionFailed(f"{place} is not the version that was expected")
        kind = found.get("ContentType", "application/octet-stream")
        return kind, dict(told_metadata(found.get("Metadata", {})))

    def uploads(self, prefix: str) -> Iterator[OpenUpload]:
        place = self._at("list the uploads of", prefix)
        more: dict[str, Any] = {}
        while True:
            with boto_translated(place):
                page = self.clients.get("steady").list_multipart_uploads(
                    Bucket=self.bucket, Prefix=self.root + prefix, **more
                )
            for found in page.get("Uploads", []):
                whole = told(found, "Key", place)
                if whole.startswith(self.root + prefix):
                    key, upload_id = whole[len(self.root) :], told(found, "UploadId", place)
                    yield OpenUpload(key, upload_id, utc(found.get("Initiated")), date_of(page))
            if not page.get("IsTruncated"):
                return
            onward = (page.get("NextKeyMarker", ""), page.get("NextUploadIdMarker", ""))
            key_marker, id_marker = _onward(onward, _markers(more), place)
            more = {"KeyMarker": key_marker, "UploadIdMarker": id_marker}

    def _at(self, action: str, key: str, *, conditional: bool = False) -> Place:
        return self.clients.place.at(action, key, conditional=conditional)


def as_file(body: SliceBody) -> IO[bytes]:
    """boto3 only reads and seeks; its types ask for a whole file object."""
    return cast("IO[bytes]", body)


def sent(body: SliceBody, place: Place, request: Callable[[], Response]) -> Response:
    """Make the request that carries `body`. What stopped the body is raised as it was."""
    from botocore.exceptions import BotoCoreError, ClientError  # late: it loads boto3

    try:
        return request()
    except (BotoCoreError, ClientError) as error:
        if body.error is not None:
            raise body.error from None
        raise from_boto(error, place) from error


def checked_etag(answer: Response, body: SliceBody, place: Place) -> str:
    """Raises Integrity when the endpoint tells that it has other bytes than we hashed.

    An ETag is the MD5 of a body, unless the endpoint encrypts with a key of the customer's, or
    has ETags of another form altogether.
    """
    etag = etag_of(answer, place)
    opaque = answer.get("SSECustomerAlgorithm") or answer.get("ServerSideEncryption") in _OPAQUE
    if not opaque and _MD5.fullmatch(etag) and etag.lower() != body.piece.md5.hex():
        raise Integrity(f"{place}: other bytes arrived than were sent")
    return etag


def _markers(more: dict[str, Any]) -> tuple[str, str]:
    return (more.get("KeyMarker", ""), more.get("UploadIdMarker", ""))


def _onward(new: M, old: M, place: Place) -> M:
    """Raises InvalidResponse when a listing is cut short and names no way on."""
    if not new or new == old:
        raise InvalidResponse(f"{place} cut a listing short and names no way on")
    return new
