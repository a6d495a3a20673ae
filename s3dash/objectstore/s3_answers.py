"""Reading boto3's answers: ETags without quotes, dates, and what must be there."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from s3dash.errors import Integrity, InvalidResponse
from s3dash.objectstore.metadata import told as told_metadata
from s3dash.objectstore.meter import http_date
from s3dash.objectstore.port import Fetched, ObjectInfo
from s3dash.objectstore.s3_errors import Place

Response = Mapping[str, Any]
READS = 4
_MD5 = re.compile(r"[0-9a-f]{32}")


def bare(etag: str) -> str:
    """As the port knows it: without quotes."""
    return etag.strip('"')


def etag_of(answer: Response, place: Place) -> str:
    """Raises InvalidResponse when there is none: a success without a version is no S3 answer."""
    return bare(str(told(answer, "ETag", place)))


def told(answer: Response, name: str, place: Place) -> Any:
    """What every answer of this kind has. Raises InvalidResponse for one that has not."""
    if not answer.get(name):
        raise InvalidResponse(
            f"{place}: the endpoint answered without {name}",
            hint="check `endpoint`: is it an S3 server, without a proxy or login page before it?",
        )
    return answer[name]


def size_of(answer: Response, place: Place) -> int:
    """The length in bytes of the object that an answer is about."""
    size = answer.get("ContentLength")
    if size is None:
        raise InvalidResponse(f"{place}: the endpoint answered without a length")
    return int(size)


def confirmed(read: Callable[[], Fetched | None], place: Place) -> Fetched | None:
    """What `read` gives, when there is no doubt about its bytes.

    An ETag is no hash. But as a rule it is the MD5 of a small object, so where it looks like one
    and is not that of the body, the bytes may have been damaged on their way, and what is merged
    into a damaged index damages it for everybody: then two reads in a row must agree.
    """
    before: bytes | None = None
    for _ in range(READS):
        found = read()
        if found is None or not _is_doubtful(found) or found.body == before:
            return found
        before = found.body
    raise Integrity(f"{place}: its bytes differ from one read to the next")


def _is_doubtful(found: Fetched) -> bool:
    etag = found.info.etag.lower()
    is_md5 = etag == hashlib.md5(found.body, usedforsecurity=False).hexdigest()
    return not is_md5 and looks_like_md5(etag)


def looks_like_md5(etag: str) -> bool:
    """By its form. As a rule it then is one, but not where objects are encrypted with KMS."""
    return _MD5.fullmatch(etag.lower()) is not None


def md5_header(body: bytes) -> str:
    """For `Content-MD5`: an endpoint then refuses a body that was damaged on its way."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def date_of(answer: Response) -> datetime | None:
    """The server's clock when it answered."""
    return http_date(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date"))


def info_of(key: str, size: int, answer: Response, place: Place) -> ObjectInfo:
    """From the headers of a GET or a HEAD."""
    modified = utc(answer.get("LastModified"))
    given = told_metadata(answer.get("Metadata", {}))
    return ObjectInfo(key, size, etag_of(answer, place), modified, date_of(answer), given)


def utc(moment: datetime | None) -> datetime | None:
    """boto3 gives the local zone."""
    return moment.astimezone(UTC) if moment is not None else None
