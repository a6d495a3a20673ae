"""Reading boto3's answers: ETags without quotes, dates, and what must be there."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from s3dash.errors import InvalidResponse
from s3dash.objectstore.meter import http_date
from s3dash.objectstore.port import ObjectInfo
from s3dash.objectstore.s3_errors import Place

Response = Mapping[str, Any]


def bare(etag: str) -> str:
    """As the port knows it: without quotes."""
    return etag.strip('"')


def etag_of(answer: Response, place: Place) -> str:
    """Raises InvalidResponse when there is none: a success without a version is no S3 answer."""
    etag = answer.get("ETag")
    if not etag:
        raise InvalidResponse(
            f"{place}: the endpoint answered without an ETag",
            hint="check `endpoint`: is it an S3 server, without a proxy or login page before it?",
        )
    return bare(str(etag))


def date_of(answer: Response) -> datetime | None:
    """The server's clock when it answered."""
    return http_date(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date"))


def info_of(key: str, size: int, answer: Response, place: Place) -> ObjectInfo:
    """From the headers of a GET or a HEAD."""
    modified = utc(answer.get("LastModified"))
    return ObjectInfo(key, size, etag_of(answer, place), modified, date_of(answer))


def utc(moment: datetime | None) -> datetime | None:
    """boto3 gives the local zone."""
    return moment.astimezone(UTC) if moment is not None else None
