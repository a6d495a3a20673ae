"""The small calls: listings, single objects, conditions and deletions.

What is asked most goes through `Light`, bulk deletions through boto3.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from s3dash.core.settings import CredentialSource, Datastore
from s3dash.errors import (
    AccessDenied,
    ConfigError,
    InvalidResponse,
    NotFound,
    PreconditionFailed,
    S3DashError,
)
from s3dash.objectstore.metadata import as_headers, checked
from s3dash.objectstore.meter import Meter
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import Fetched, Level, ObjectInfo, Stored, Usage
from s3dash.objectstore.s3_answers import (
    bare,
    confirmed,
    date_of,
    etag_of,
    info_of,
    md5_header,
    size_of,
)
from s3dash.objectstore.s3_client import Clients
from s3dash.objectstore.s3_errors import Answer, Place, boto_translated, refused
from s3dash.objectstore.s3_light import BEYOND, COPY_SOURCE, UNCHANGED, Light
from s3dash.objectstore.s3_page import Listed, Page

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
        self._light = Light(settings, self._clients, self._meter, self.patience)

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
        options = {"start-after": self._root + start_after} if start_after else {}
        for page, date in self._pages(prefix, options):
            for one in page.objects:
                yield self._listed(one, prefix, date)

    def first(self, prefix: str = "", *, most: int = 1) -> tuple[ObjectInfo, ...]:
        page, date = next(self._pages(prefix, {"max-keys": str(most)}))
        return tuple(self._listed(one, prefix, date) for one in page.objects)

    def list_dirs(self, prefix: str = "") -> tuple[str, ...]:
        """SeaweedFS goes on naming a directory after its last object is gone."""
        return tuple(sorted({name for level in self.levels(prefix) for name in level.dirs}))

    def levels(self, prefix: str = "", *, start_after: str = "") -> Iterator[Level]:
        options = {"start-after": self._root + start_after} if start_after else {}
        for page, date in self._pages(prefix, {"delimiter": "/", **options}):
            found = [self._relative(one, prefix)[len(prefix) :] for one in page.prefixes]
            yield Level(
                tuple(one.removesuffix("/") for one in found),
                tuple(self._listed(one, prefix, date) for one in page.objects),
            )

    def head(self, key: str) -> ObjectInfo:
        place = self._place.at("look at", key)
        try:
            found = self._light.head(_named(self._root + key, place), place)
        except NotFound:
            self._prove_bucket()
            raise
        return info_of(key, size_of(found, place), found, place)

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Fetched | None:
        place = self._place.at("read", key)
        headers = {} if if_match is None else {"if-match": self._tag(if_match)}
        if if_none_match is not None:
            headers["if-none-match"] = self._tag(if_none_match)
        return confirmed(lambda: self._get(key, headers, place), place)

    def _get(self, key: str, headers: dict[str, str], place: Place) -> Fetched | None:
        status, found, body = self._light.get(
            self._root + key, place, headers=headers, allows=(UNCHANGED,)
        )
        if status == UNCHANGED:
            return None
        self._meter.down(len(body))
        return Fetched(info_of(key, len(body), found, place), body)

    def get_range(self, key: str, *, start: int, length: int, if_match: str | None = None) -> bytes:
        """Fewer bytes, or none, where the object ends before."""
        if length <= 0:
            return b""
        place = self._place.at("read", key)
        headers = {"range": f"bytes={start}-{start + length - 1}"}
        if if_match is not None:
            headers["if-match"] = self._tag(if_match)
        status, found, body = self._light.get(
            self._root + key, place, headers=headers, allows=(BEYOND,)
        )
        if status == BEYOND:
            return b""
        skip = 0 if found.get("ContentRange") else start  # the endpoint may ignore the range
        self._meter.down(len(body))
        return body[skip : skip + length]

    # --- changing -----------------------------------------------------------------------

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
        condition = {"if-none-match": "*"} if if_none_match else {}
        if if_match is not None:
            condition = {"if-match": self._tag(if_match)}
        place = self._place.at("write", key, conditional=bool(condition))
        described = {"content-md5": md5_header(body), "content-type": content_type}
        headers = {**described, **as_headers(checked(metadata)), **condition}
        done = self._light.put(self._root + key, body, place, headers=headers)
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
        headers = {} if if_match is None else {"if-match": self._tag(if_match)}
        try:
            status, body = self._light.delete(
                self._root + key, place, headers=headers, steady=if_match is None
            )
        except NotFound:
            return
        except PreconditionFailed:
            if self._exists(key):
                raise
            return
        if body.strip():  # a success that has something to say is not S3's
            raise InvalidResponse(f"{place} answered a deletion with something that is no answer")
        if status != DELETED and self._exists(key):
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

    def copy(
        self,
        source: str,
        target: str,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> Stored:
        """At most 5 GB, S3's limit for one copy. Onto itself is refused by S3."""
        place = self._place.at("copy", source, conditional=if_none_match)
        headers = {"if-none-match": "*"} if if_none_match else {}
        if if_match is not None:
            headers[f"{COPY_SOURCE}-if-match"] = self._tag(if_match)
        done = self._light.copy(
            self._root + source,
            self._root + target,
            place,
            headers=headers,
            steady=not if_none_match,
        )
        return Stored(etag_of(done, place), date_of(done))

    # --- how ----------------------------------------------------------------------------

    def _pages(
        self, prefix: str, options: dict[str, str]
    ) -> Iterator[tuple[Page, datetime | None]]:
        """Pages of the listing, each with the server's clock."""
        place = self._place.at("list")
        query = {"prefix": self._root + prefix, "max-keys": str(self._page_size), **options}
        token = ""
        while True:
            more = {"continuation-token": token} if token else {}
            page, date = self._light.page({**query, **more}, place)
            if page.truncated is None or not page.name:
                raise InvalidResponse(f"{place} answered a listing without its name or its end")
            yield page, date
            if not page.truncated:
                return
            if not page.token or page.token == token:
                raise InvalidResponse(f"{place} cut a listing short and names no way on")
            token = page.token

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
            self._light.head("", place)
        except NotFound as error:
            raise refused(Answer(404, "NoSuchBucket"), place) from error
        except AccessDenied:
            return  # it is there; we may list below our prefix only

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

    def _listed(self, one: Listed, prefix: str, date: datetime | None) -> ObjectInfo:
        key = self._relative(one.key, prefix)
        return ObjectInfo(key, one.size, bare(one.etag), one.modified, date)

    def _relative(self, key: str, prefix: str) -> str:
        if not key.startswith(self._root + prefix):
            raise InvalidResponse(f"{self._place} listed {key!r}, which was not asked for")
        return key[len(self._root) :]


def _named(key: str, place: Place) -> str:
    """An empty key would be the bucket. Raises ConfigError."""
    if not key:
        raise ConfigError(f"S3 allows no such name of a bucket or key: {place}")
    return key
