"""What boto3 and obstore raise, told as classes of `s3dash.errors` in our own words.

Messages name the endpoint, the bucket, the key and S3's code. They never carry a header, a
signature or a credential: of an SDK's text only the code and S3's short message are used.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from s3dash.errors import (
    AccessDenied,
    BucketNotFound,
    CredentialsExpired,
    Integrity,
    InvalidResponse,
    NotFound,
    NotImplementedByEndpoint,
    PreconditionFailed,
    S3DashError,
    ServerFault,
    StoreError,
    Throttled,
    Unreachable,
)


class Place(msgspec.Struct, frozen=True):
    """What was asked of whom, for messages. `conditional`: it carried If-Match or the like."""

    endpoint: str
    bucket: str
    region: str
    action: str = "reach"
    key: str = ""
    conditional: bool = False

    def at(self, action: str, key: str = "", *, conditional: bool = False) -> "Place":
        return replace(self, action=action, key=key, conditional=conditional)

    def __str__(self) -> str:
        inside = f"bucket {self.bucket} at {self.endpoint}"
        return f"{self.key!r} in {inside}" if self.key else inside


@dataclass(frozen=True, slots=True)
class Answer:
    """An error answer, whichever SDK brought it. `code` is S3's, or the status when it has none.

    A server may repeat the request in either, signature and session token included: only what
    reads like a code, or like a sentence of short words, is taken.
    """

    status: int
    code: str
    message: str = ""

    def __post_init__(self) -> None:
        if not _IS_CODE.fullmatch(self.code):
            object.__setattr__(self, "code", str(self.status))
        if not _IS_SENTENCE.fullmatch(self.message):
            object.__setattr__(self, "message", "")


_IS_CODE = re.compile(r"(?=.*[a-z])[A-Z][A-Za-z]{1,60}(\d{1,3}[A-Za-z]{1,40})?|\d{1,3}")
_IS_SENTENCE = re.compile(r"(?=.{1,300}$)[^\s]{1,18}( [^\s]{1,18})*")
"""Shorter words than any key, secret or token."""


_CODES: dict[str, type[StoreError]] = {
    "NoSuchKey": NotFound,
    "NoSuchVersion": NotFound,
    "NoSuchUpload": NotFound,
    "NoSuchBucket": BucketNotFound,
    "PreconditionFailed": PreconditionFailed,
    "ConditionalRequestConflict": PreconditionFailed,
    "AccessDenied": AccessDenied,
    "AccountProblem": AccessDenied,
    "AllAccessDisabled": AccessDenied,
    "AuthorizationHeaderMalformed": AccessDenied,
    "ExpiredToken": CredentialsExpired,
    "InvalidAccessKeyId": AccessDenied,
    "InvalidToken": AccessDenied,
    "NotSignedUp": AccessDenied,
    "RequestTimeTooSkewed": AccessDenied,
    "SignatureDoesNotMatch": AccessDenied,
    "TokenRefreshRequired": CredentialsExpired,
    "BadDigest": Integrity,
    "InvalidDigest": Integrity,
    "XAmzContentChecksumMismatch": Integrity,
    "XAmzContentSHA256Mismatch": Integrity,
    "RequestTimeout": Unreachable,
    "NotImplemented": NotImplementedByEndpoint,
    "RequestLimitExceeded": Throttled,
    "SlowDown": Throttled,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "TooManyRequests": Throttled,
}
_STATUSES: dict[int, type[StoreError]] = {
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    412: PreconditionFailed,
    429: Throttled,
    501: NotImplementedByEndpoint,
    503: Throttled,
}
_HINTS = {
    "InvalidAccessKeyId": "the access key is not known there: check the credentials",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
    "ExpiredToken": "the temporary credentials ran out: log in again",
    "InvalidToken": "the session token does not belong to the access key",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it",
    "AccessDenied": "the credentials are known but lack a permission: see `s3dash doctor`",
}
_STALE = ("ExpiredToken", "TokenRefreshRequired", "InvalidToken", "InvalidAccessKeyId")
_REDIRECTS = {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "301"}
_PERMISSIONS = {
    "read": "s3:GetObject",
    "look at": "s3:GetObject",
    "write": "s3:PutObject",
    "copy": "s3:PutObject",
    "delete": "s3:DeleteObject",
    "list": "s3:ListBucket",
}
_SENTENCES: dict[type[StoreError], str] = {
    NotFound: "there is no {place}",
    BucketNotFound: "there is no {place}",
    PreconditionFailed: "{place} is not the version that was expected",
    AccessDenied: "access denied: cannot {action} {place}",
    CredentialsExpired: "the credentials ran out: cannot {action} {place}",
    Integrity: "{place}: the bytes differ from their checksum",
    NotImplementedByEndpoint: "the endpoint cannot {action} {place} the way it was asked to",
    Throttled: "the endpoint asks to slow down: could not {action} {place}",
    ServerFault: "the endpoint failed to {action} {place}",
}


def refused(answer: Answer, place: Place) -> S3DashError:
    """The error for an answer that is no success."""
    kind = _kind(answer, place)
    if kind is BucketNotFound:
        place = replace(place, key="")
    sentence = _SENTENCES.get(kind, "could not {action} {place}")
    told = (
        f"{answer.code}: {answer.message}" if kind is StoreError and answer.message else answer.code
    )
    text = sentence.format(action=place.action, place=place)
    error = kind(f"{text} ({told})", hint=_hint(answer, place), brief=_brief(answer))
    error.action = _PERMISSIONS.get(place.action, "") if place.key else "s3:ListBucket"
    error.resource = f"{place.bucket}/{place.key}" if place.key else place.bucket
    return error


def _brief(answer: Answer) -> str:
    names = [str(answer.status)] if answer.status else []
    if answer.code != str(answer.status):
        names.append(answer.code)
    return f"{' '.join(names)} from the endpoint"


def _kind(answer: Answer, place: Place) -> type[StoreError]:
    kind = _CODES.get(answer.code) or _STATUSES.get(answer.status)
    if kind is None and answer.status == 409 and place.conditional:
        return PreconditionFailed  # another conditional write is under way
    if kind is None and answer.code == "400" and place.action == "look at":
        return AccessDenied  # without a body nobody says why; it is what S3 does to old tokens
    if kind is None:
        kind = ServerFault if answer.status >= 500 else StoreError
    if kind is NotFound and answer.code == "404" and place.action != "look at":
        return InvalidResponse  # S3 always says NoSuchKey, but for HEAD, which has no body
    if kind is NotFound and place.conditional:
        return PreconditionFailed  # If-Match on a missing key: 412 or 404, the endpoints differ
    return kind


def _hint(answer: Answer, place: Place) -> str:
    if answer.code in _REDIRECTS:
        expected = re.search(r"expecting '([\w-]+)'", answer.message)
        right = f'"{expected.group(1)}"' if expected else "the bucket's own"
        return f"region {place.region} is wrong for this bucket: set `region` to {right}"
    if answer.code == "NoSuchBucket":
        return "check `bucket`, `endpoint` and `region`"
    if answer.code in ("400", "403") and place.action == "look at":
        return "no reason was given; the credentials may have run out, or lack a permission"
    return _HINTS.get(answer.code, "")


def is_stale(error: S3DashError) -> bool:
    """Whether newer credentials, if there are any, would be another matter."""
    return any(code in error.brief for code in _STALE)


def unreachable(place: Place, why: str) -> Unreachable:
    what = f"{place.key!r} in bucket {place.bucket}" if place.key else f"bucket {place.bucket}"
    return Unreachable(
        f"no answer from {place.endpoint} when asked to {place.action} {what} ({why})",
        hint="check `endpoint` and the network",
        brief="no answer from the endpoint",
    )


def garbled(place: Place) -> InvalidResponse:
    return InvalidResponse(f"the answer for {place} is not S3's: it cannot be parsed")


# --- boto3 ------------------------------------------------------------------------------


@contextmanager
def boto_translated(place: Place, *, but: str = "") -> Iterator[None]:
    """Raises what boto3 raises inside as one of ours, caused by the original without its text.

    A ClientError with the code `but` stays what it is.
    """
    try:
        yield
    except S3DashError:
        raise
    except Exception as error:
        from s3dash.objectstore import s3_faults  # late: it loads boto3

        told = s3_faults.told(error, place, but=but)
        if told is None:
            raise
        raise told from error


def from_boto(error: Exception, place: Place) -> S3DashError:
    from s3dash.objectstore import s3_faults  # late: it loads boto3

    return s3_faults.from_boto(error, place)


# --- obstore ----------------------------------------------------------------------------

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([^<]{1,64})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")
_NETWORK = ("HTTP error", "error sending request", "error decoding response body", "timed out")

_NO_S3 = ("missing from response", "not present in partial response")


class BulkFault(Exception):
    """An obstore error without its text, which repeats what the server was sent."""


def from_obstore(error: Exception, place: Place) -> S3DashError:
    """Raise the result from `scrubbed(error)`, not from the error itself."""
    text = str(error)
    status = _STATUS.search(text)
    if status is not None:
        code, message = _CODE.search(text), _MESSAGE.search(text)
        found = Answer(
            int(status.group(1)),
            code.group(1) if code else status.group(1),
            message.group(1) if message else "",
        )
        return refused(found, place)
    if "redirect" in text:
        return refused(Answer(301, "PermanentRedirect"), place)
    if any(sign in text for sign in _NO_S3):
        return InvalidResponse(f"the answer for {place} lacks a header that S3 always sends")
    if any(sign in text for sign in _NETWORK):
        return unreachable(place, "connection failed or timed out")
    return StoreError(f"cannot {place.action} {place} ({type(error).__name__})")


def scrubbed(error: Exception) -> BulkFault:
    """What stands for the error from now on. It loses its text: it stays in the chain."""
    error.args = (type(error).__name__,)
    return BulkFault(type(error).__name__)
