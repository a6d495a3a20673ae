"""The small calls: listings, single objects, conditions, deletions, without boto3's client.

That takes a fifth of a second to load and a millisecond for each request; most runs send one.
Signed and sent by botocore (`s3_http`), read by `s3_page`; tried again, counted, told and
translated as what goes through the client is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from s3dash.core.settings import Datastore
from s3dash.errors import ConfigError, S3DashError
from s3dash.objectstore import s3_spans
from s3dash.objectstore.metadata import of_headers
from s3dash.objectstore.meter import Meter, http_date
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.s3_again import retry_after_s
from s3dash.objectstore.s3_answers import Response
from s3dash.objectstore.s3_client import Clients, read_s
from s3dash.objectstore.s3_errors import Place, boto_translated, garbled, is_stale, refused
from s3dash.objectstore.s3_http import Raw, Request
from s3dash.objectstore.s3_page import Page, answer_of, copied, moment, page_of

T = TypeVar("T")

COPY_SOURCE = "x-amz-copy-source"
UNCHANGED = 304
BEYOND = 416


class Call(msgspec.Struct, frozen=True):
    """A request by its name in S3's API. `key` is the whole one, empty for the bucket itself.

    `steady`: it may be sent again; else it is sent once, and answered soon or read back.
    `allows` are statuses that are answers, no refusals. `slow`: it takes the endpoint long.
    """

    name: str
    method: str
    place: Place
    key: str = ""
    query: Mapping[str, str] = msgspec.field(default_factory=dict)
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    steady: bool = True
    allows: tuple[int, ...] = ()
    slow: bool = False


class Light:
    """Sends calls to one bucket. Safe to use from any thread."""

    def __init__(
        self, settings: Datastore, clients: Clients, meter: Meter, patience: Patience
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._meter = meter
        self._patience = patience

    # --- calls --------------------------------------------------------------------------

    def page(self, query: Mapping[str, str], place: Place) -> tuple[Page, datetime | None]:
        """A page of a listing, and the server's clock. `query` as S3 names it."""
        asked = {"list-type": "2", "encoding-type": "url", **query}
        call = Call("ListObjectsV2", "GET", place, query=asked)
        return self._send(call, lambda raw: (page_of(raw, place), _date(raw)))

    def head(self, key: str, place: Place) -> Response:
        """`key` empty: of the bucket."""
        name = "HeadObject" if key else "HeadBucket"
        return self._send(Call(name, "HEAD", place, key), lambda raw: _answer(raw, place))

    def get(
        self, key: str, place: Place, *, headers: Mapping[str, str], allows: tuple[int, ...]
    ) -> tuple[int, Response, bytes]:
        """Status, headers and body."""
        _need(key, place)
        call = Call("GetObject", "GET", place, key, headers=headers, allows=allows)
        return self._send(call, lambda raw: (raw.status, _answer(raw, place), raw.body))

    def put(self, key: str, body: bytes, place: Place, *, headers: Mapping[str, str]) -> Response:
        _need(key, place)
        call = Call("PutObject", "PUT", place, key, headers=headers, body=body, steady=False)
        return self._send(call, lambda raw: _answer(raw, place))

    def copy(
        self, source: str, key: str, place: Place, *, headers: Mapping[str, str], steady: bool
    ) -> Response:
        """Of up to gigabytes: even the one that is sent once is waited for as long as any."""
        _need(key, place)
        path = quote(f"{self._settings.bucket}/{source}", safe="/~")
        asked = {COPY_SOURCE: path, **headers}
        call = Call("CopyObject", "PUT", place, key, headers=asked, steady=steady, slow=True)
        return self._send(call, lambda raw: {**_answer(raw, place), "ETag": copied(raw, place)})

    def delete(
        self, key: str, place: Place, *, headers: Mapping[str, str], steady: bool
    ) -> tuple[int, bytes]:
        """Status and body."""
        _need(key, place)
        call = Call("DeleteObject", "DELETE", place, key, headers=headers, steady=steady)
        return self._send(call, lambda raw: (raw.status, raw.body))

    # --- sending ------------------------------------------------------------------------

    def _send(self, call: Call, read: Callable[[Raw], T]) -> T:
        """What `read` makes of the answer. Raises what it raises, and every refusal as ours."""
        where = {"bucket": self._settings.bucket, "key": call.key}
        with s3_spans.light(call.name, endpoint=self._clients.endpoint, **where) as told:
            tried = 0
            while True:
                tried += 1
                try:
                    return read(self._answered(call, told, tried))
                except S3DashError as error:
                    if not self._goes_again(call, error, tried):
                        raise

    def _answered(self, call: Call, told: s3_spans.Told, tried: int) -> Raw:
        """An answer that is no refusal."""
        with boto_translated(call.place):
            raw = self._ask(call)
        answer = answer_of(raw)
        told.answered(raw.status, raw.headers, code=answer.code, resends=tried - 1)
        if 200 <= raw.status < 300:
            self._patience.answered()
        elif raw.status not in call.allows:
            bare = answer.code in ("400", "403")  # a HEAD's answer has no body that says why
            raise refused(answer, call.place) from Refusal(bare, retry_after_s(raw.headers))
        return raw

    def _goes_again(self, call: Call, error: S3DashError, tried: int) -> bool:
        """As `Again` decides for boto3: what was refused for its signature was not applied."""
        why = error.__cause__
        if isinstance(why, Refusal) and (why.bare or is_stale(error)):
            return tried == 1 and self._clients.signers().renew()
        asked = why.after_s if isinstance(why, Refusal) else None
        return call.steady and self._patience.again(tried, error, after_s=asked)

    def _ask(self, call: Call) -> Raw:
        wire, keys = self._clients.wire(), self._clients.signers().get_frozen_credentials()
        self._meter.request()
        raw = wire.exchange(
            Request(call.method, call.key, call.query, call.headers, call.body),
            keys=keys,
            read_s=read_s(self._settings, "steady" if call.steady or call.slow else "once"),
        )
        self._meter.answer(raw.status, _date(raw))
        return raw


class Refusal(Exception):
    """An answer that was none of those hoped for. `bare`: without a reason. `after_s`: when to
    ask again, in seconds, where it said so."""

    def __init__(self, bare: bool, after_s: float | None) -> None:
        super().__init__()
        self.bare = bare
        self.after_s = after_s


def _need(key: str, place: Place) -> None:
    if not key:
        raise ConfigError(f"S3 allows no such name of a bucket or key: {place}")


def _date(raw: Raw) -> datetime | None:
    return http_date(raw.headers.get("date"))


def _answer(raw: Raw, place: Place) -> dict[str, Any]:
    """The headers that matter, under boto3's names. Raises InvalidResponse for what is no value."""
    headers = raw.headers
    found: dict[str, Any] = {
        "ResponseMetadata": {"HTTPStatusCode": raw.status, "HTTPHeaders": headers}
    }
    try:
        if "content-length" in headers:
            found["ContentLength"] = int(headers["content-length"])
        if "last-modified" in headers:
            found["LastModified"] = moment(headers["last-modified"])
    except (ValueError, OverflowError) as error:
        raise garbled(place) from error
    if given := of_headers(headers):
        found["Metadata"] = given
    for name, header in (("ETag", "etag"), ("ContentRange", "content-range")):
        if header in headers:
            found[name] = headers[header]
    return found
