"""The small calls: listings, single objects, conditions and deletions, all through boto3."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from botocore.exceptions import ClientError

from s3dash.core.settings import CredentialSource, Datastore
from s3dash.errors import (
    AccessDenied,
    InvalidResponse,
    NotFound,
    PreconditionFailed,
    S3DashError,
    ServerFault,
)
from s3dash.objectstore.meter import Meter
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import Fetched, ObjectInfo, Stored, Usage
from s3dash.objectstore.s3_answers import (
    Response,
    bare,
    confirmed,
    date_of,
    etag_of,
    info_of,
    md5_header,
    size_of,
    utc,
)
from s3dash.objectstore.s3_client import Clients
from s3dash.objectstore.s3_errors import Answer, Place, boto_translated, refused

if TYPE_CHECKING:
    from s3dash.objectstore.s3_examination import S3Examination

PAGE = 1000
DELETED = 204
T = TypeVar("T")


class S3Control:
    """All of `ObjectStore` but the transfer of files. Nothing is sent before the first call.

    `page_size` keys make a page of a listing, and a bulk delete.
    """

    def __init__(
        self,
        settings: Datastore,
        credentials: CredentialSource,
        *,
        page_size: int = PAGE,
        patience: Patience | None = None,
    ) -> None:
        self.etag_quotes = True
        self.patience = patience or Patience()
        self._settings = settings
        self._credentials = credentials
        self._bucket = settings.bucket
        self._root = f"{settings.prefix}/" if settings.prefix else ""
        self._page_size = page_size
        self._meter = Meter()
        self._clients = Clients(settings, credentials, self._meter, self.patience)
        self._place = self._clients.place

    @property
    def usage(self) -> Usage:
        return self._meter.usage

    def server_time(self) -> datetime | None:
        return self._meter.server_time

    def identity(self) -> str:
        return self._clients.identity()

    def examination(self) -> "S3Examination":
        """The doctor's way to ask what the port has no words for."""
        from s3dash.objectstore.s3_examination import S3Examination

        return S3Examination(self._settings, self._credentials, self._clients, tag=self._tag)

    def close(self) -> None:
        """Closes idle connections; the store opens new ones when it is used again."""
        self._clients.close()

    # --- looking ------------------------------------------------------------------------

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectInfo]:
        """In the endpoint's order: by key on S3, segment by segment on SeaweedFS.

        An object that is listed without an ETag has the empty one, which no condition meets.
        """
        options = {"StartAfter": self._root + start_after} if start_after else {}
        for page in self._pages(prefix, options):
            date = date_of(page)
            for entry in page.get("Contents", []):
                yield ObjectInfo(
                    self._relative(entry["Key"], prefix),
                    entry["Size"],
                    bare(entry.get("ETag", "")),
                    utc(entry.get("LastModified")),
                    date,
                )

    def list_dirs(self, prefix: str = "") -> tuple[str, ...]:
        """SeaweedFS goes on naming a directory after its last object is gone."""
        names = set()
        for page in self._pages(prefix, {"Delimiter": "/"}):
            for entry in page.get("CommonPrefixes", []):
                below = self._relative(entry.get("Prefix", ""), prefix)
                names.add(below[len(prefix) :].removesuffix("/"))
        return tuple(sorted(names))

    def head(self, key: str) -> ObjectInfo:
        place = self._place.at("look at", key)
        try:
            with boto_translated(place):
                found = self._clients.get("steady").head_object(
                    Bucket=self._bucket, Key=self._root + key
                )
        except NotFound:
            self._prove_bucket()
            raise
        return info_of(key, size_of(found, place), found, place)

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Fetched | None:
        place = self._place.at("read", key)
        options = self._condition(if_match)
        if if_none_match is not None:
            options["IfNoneMatch"] = self._tag(if_none_match)
        return confirmed(lambda: self._patiently(lambda: self._get(key, options, place)), place)

    def _get(self, key: str, options: dict[str, Any], place: Place) -> Fetched | None:
        with self._reading(place, unless="304") as unchanged:
            found = self._clients.get("steady").get_object(
                Bucket=self._bucket, Key=self._root + key, **options
            )
            with closing(found["Body"]) as stream:
                body = stream.read()
        if unchanged:
            return None
        self._meter.down(len(body))
        return Fetched(info_of(key, len(body), found, place), body)

    def get_range(self, key: str, *, start: int, length: int, if_match: str | None = None) -> bytes:
        """Fewer bytes, or none, where the object ends before."""
        if length <= 0:
            return b""
        place = self._place.at("read", key)
        return self._patiently(lambda: self._get_range(key, start, length, if_match, place))

    def _get_range(
        self, key: str, start: int, length: int, if_match: str | None, place: Place
    ) -> bytes:
        with self._reading(place, unless="InvalidRange") as beyond:
            found = self._clients.get("steady").get_object(
                Bucket=self._bucket,
                Key=self._root + key,
                Range=f"bytes={start}-{start + length - 1}",
                **self._condition(if_match),
            )
            skip = 0 if found.get("ContentRange") else start  # the endpoint may ignore the range
            with closing(found["Body"]) as stream:
                body = stream.read(skip + length)
        if beyond:
            return b""
        self._meter.down(len(body))
        return body[skip:]

    # --- changing -----------------------------------------------------------------------

    def put(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
    ) -> Stored:
        condition = self._condition(if_match, absent=if_none_match)
        place = self._place.at("write", key, conditional=bool(condition))
        with boto_translated(place):
            done = self._clients.get("once").put_object(
                Bucket=self._bucket,
                Key=self._root + key,
                Body=body,
                ContentMD5=md5_header(body),
                ContentType=content_type,
                **condition,
            )
        self._meter.up(len(body))
        return Stored(etag_of(done, place), date_of(done))

    def put_checked(
        self, key: str, body: bytes, *, algorithm: Literal["SHA256", "CRC32"], value: str
    ) -> None:
        """A PUT with a checksum, in base64, that the endpoint is to verify; see the probe."""
        checksum: dict[str, Any] = {f"Checksum{algorithm}": value}
        with boto_translated(self._place.at("write", key)):
            self._clients.get("once").put_object(
                Bucket=self._bucket, Key=self._root + key, Body=body, **checksum
            )

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        """With `if_match` on a missing key the endpoints differ; here that is fine on all.

        Whoever stands before the endpoint may say yes to anything: only S3's own 204 is believed.
        """
        place = self._place.at("delete", key)
        try:
            with boto_translated(place):
                done = self._clients.get("steady" if if_match is None else "once").delete_object(
                    Bucket=self._bucket, Key=self._root + key, **self._condition(if_match)
                )
        except NotFound:
            return
        except PreconditionFailed:
            if self._exists(key):
                raise
            return
        if done["ResponseMetadata"]["HTTPStatusCode"] != DELETED and self._exists(key):
            raise InvalidResponse(f"{place}: the endpoint said yes, and it is still there")

    def delete_many(self, keys: Iterable[str]) -> None:
        batch: list[str] = []
        for key in keys:
            if not key.isprintable():
                self.delete(key)  # a control character has no form in the request's XML
                continue
            batch.append(key)
            if len(batch) == self._page_size:
                self._delete_batch(batch)
                batch.clear()
        if batch:
            self._delete_batch(batch)

    def copy(self, source: str, target: str, *, if_match: str | None = None) -> Stored:
        """At most 5 GB, S3's limit for one copy. Onto itself is refused by S3."""
        place = self._place.at("copy", source)
        options: dict[str, Any] = {}
        if if_match is not None:
            options["CopySourceIfMatch"] = self._tag(if_match)
        with boto_translated(place):
            done = self._clients.get("steady").copy_object(
                Bucket=self._bucket,
                Key=self._root + target,
                CopySource={"Bucket": self._bucket, "Key": self._root + source},
                **options,
            )
        return Stored(etag_of(done.get("CopyObjectResult", {}), place), date_of(done))

    # --- how ----------------------------------------------------------------------------

    def _pages(self, prefix: str, options: dict[str, Any]) -> Iterator[Response]:
        place = self._place.at("list")
        more: dict[str, Any] = {}
        while True:
            with boto_translated(place):
                page: Response = self._clients.get("steady").list_objects_v2(
                    Bucket=self._bucket,
                    Prefix=self._root + prefix,
                    MaxKeys=self._page_size,
                    **options,
                    **more,
                )
            if "IsTruncated" not in page or not page.get("Name"):
                raise InvalidResponse(f"{place} answered a listing without its name or its end")
            yield page
            if not page["IsTruncated"]:
                return
            token = page.get("NextContinuationToken")
            if not token or token == more.get("ContinuationToken"):
                raise InvalidResponse(f"{place} cut a listing short and names no way on")
            more = {"ContinuationToken": token}

    def _delete_batch(self, keys: Sequence[str]) -> None:
        with boto_translated(self._place.at("delete", keys[0])):
            done = self._clients.get("steady").delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": self._root + k} for k in keys], "Quiet": True},
            )
        for failed in done.get("Errors", []):
            code = failed.get("Code", "unknown error")
            if code != "NoSuchKey":
                key = failed.get("Key", "").removeprefix(self._root)
                answer = Answer(0, code, failed.get("Message", ""))
                raise refused(answer, self._place.at("delete", key))

    def _exists(self, key: str) -> bool:
        try:
            self.head(key)
        except NotFound:
            return False
        return True

    def _prove_bucket(self) -> None:
        """A HEAD has no body: its 404 does not say whether the key or the bucket is missing."""
        if self._meter.answered:
            return
        place = self._place.at("look at")
        try:
            with boto_translated(place):
                self._clients.get("steady").head_bucket(Bucket=self._bucket)
        except NotFound as error:
            raise refused(Answer(404, "NoSuchBucket"), place) from error
        except AccessDenied:
            return  # it is there; we may list below our prefix only

    @contextmanager
    def _reading(self, place: Place, *, unless: str) -> Iterator[set[str]]:
        """Failures become ours; the answer `unless` is none, and fills the set instead."""
        met: set[str] = set()
        try:
            with boto_translated(place, but=unless):
                yield met
        except ClientError:
            met.add(unless)
        except AttributeError as error:
            # botocore stumbles over a 500 on GET that carries a checksum header.
            raise ServerFault(f"the endpoint failed to {place.action} {place}") from error

    def _patiently(self, read: Callable[[], T]) -> T:
        """A body that breaks off is read again, like an answer that never came."""
        tried = 0
        while True:
            try:
                return read()
            except S3DashError as error:
                tried += 1
                if not self.patience.again(tried, error):
                    raise

    def _condition(self, if_match: str | None, *, absent: bool = False) -> dict[str, Any]:
        if if_match is not None:
            return {"IfMatch": self._tag(if_match)}
        return {"IfNoneMatch": "*"} if absent else {}

    def _tag(self, etag: str) -> str:
        """In the endpoint's dialect."""
        return f'"{bare(etag)}"' if self.etag_quotes else bare(etag)

    def _relative(self, key: str, prefix: str) -> str:
        if not key.startswith(self._root + prefix):
            raise InvalidResponse(f"{self._place} listed {key!r}, which was not asked for")
        return key[len(self._root) :]
