"""Reading S3's XML: pages of listings, and the code of a refusal."""

import html
import re
from datetime import UTC, datetime
from urllib.parse import unquote_plus
from xml.etree import ElementTree

import msgspec

from s3dash.errors import InvalidResponse
from s3dash.objectstore.meter import http_date
from s3dash.objectstore.s3_errors import Answer, Place, garbled, refused
from s3dash.objectstore.s3_http import Raw

_CODE = re.compile(rb"<Code>([^<]{1,64})</Code>")
_ETAG = re.compile(rb"<ETag>([^<]{1,1024})</ETag>")
_MESSAGE = re.compile(rb"<Message>([^<]{1,300})</Message>")


class Listed(msgspec.Struct, frozen=True):
    """An object of a page; `key` is the whole one."""

    key: str
    size: int
    etag: str
    modified: datetime | None


class Page(msgspec.Struct, frozen=True):
    """A page of a listing. `token` is where the next begins; `truncated` None: it does not say."""

    name: str
    objects: list[Listed]
    prefixes: list[str]
    truncated: bool | None
    token: str


def answer_of(raw: Raw) -> Answer:
    """What an answer that is no success says of itself."""
    code, message = _CODE.search(raw.body), _MESSAGE.search(raw.body)
    return Answer(raw.status, _text(code) or str(raw.status), _text(message))


def _text(found: re.Match[bytes] | None) -> str:
    return html.unescape(found.group(1).decode("utf-8", "replace")) if found else ""


def copied(raw: Raw, place: Place) -> str:
    """The ETag of a copy. Raises what the answer says went wrong, under a status that all is well:
    S3 begins to answer before it has ended. InvalidResponse for what is no answer of S3."""
    if b"<CopyObjectResult" not in raw.body[:1024]:
        if b"<Error" in raw.body[:1024]:
            raise refused(answer_of(raw._replace(status=500)), place)
        raise InvalidResponse(f"{place} answered a copy with something that is no answer")
    etag = _ETAG.search(raw.body)
    return _text(etag)


def page_of(raw: Raw, place: Place) -> Page:
    """Raises InvalidResponse for what is no listing, ServerFault for one that was cut off.

    A success that is no listing would look like an empty or a short one.
    """
    if b"<ListBucketResult" not in raw.body[:1024]:
        raise InvalidResponse(
            f"{place} answered a listing with something that is none",
            hint="check `endpoint`: is it an S3 server, without a proxy or login page before it?",
        )
    if b"<!DOCTYPE" in raw.body:  # S3 declares nothing, least of all entities that expand
        raise garbled(place)
    try:
        root = ElementTree.fromstring(raw.body)  # noqa: S314 - without a DTD nothing can expand
    except (ElementTree.ParseError, LookupError):  # the latter for an encoding that is none
        raise refused(Answer(500, "500"), place) from None
    try:
        return _read(root)
    except (ValueError, OverflowError) as error:
        raise garbled(place) from error


def _read(root: ElementTree.Element) -> Page:
    """Raises ValueError for a value that is none."""
    space = root.tag.removesuffix("ListBucketResult")
    for number in ("MaxKeys", "KeyCount"):
        int(root.findtext(f"{space}{number}") or 0)
    told = root.findtext(f"{space}IsTruncated")
    plain = root.findtext(f"{space}EncodingType") != "url"
    found = root.findall(f"{space}CommonPrefixes")
    return Page(
        name=root.findtext(f"{space}Name") or "",
        objects=[_listed(one, space, plain=plain) for one in root.findall(f"{space}Contents")],
        prefixes=[_key(one.findtext(f"{space}Prefix") or "", plain=plain) for one in found],
        truncated=None if told is None else told == "true",
        token=root.findtext(f"{space}NextContinuationToken") or "",
    )


def _listed(one: ElementTree.Element, space: str, *, plain: bool) -> Listed:
    told = {child.tag: child.text or "" for child in one}
    return Listed(
        _key(told[f"{space}Key"], plain=plain) if f"{space}Key" in told else _lacking("Key"),
        int(told.get(f"{space}Size") or _lacking("Size")),
        told.get(f"{space}ETag", ""),
        moment(told.get(f"{space}LastModified", "")),
    )


def _lacking(what: str) -> str:
    raise ValueError(f"an entry without {what}")


def _key(text: str, *, plain: bool) -> str:
    return text if plain else unquote_plus(text)


def moment(text: str) -> datetime | None:
    """The time in a listing or a header, in UTC; None: there is none. Raises ValueError."""
    if not text:
        return None
    if text[0].isdigit():
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    dated = http_date(text)
    if dated is None:
        raise ValueError("no time")
    return dated.astimezone(UTC)
