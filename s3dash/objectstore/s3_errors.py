"""What boto3 and obstore raise, told as classes of `s3dash.errors` in our own words.

Messages name the endpoint, the bucket, the key and S3's code. They never carry a header, a
signature or a credential: of an SDK's text only the code and S3's short message are used.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from s3dash.errors import (
    AccessDenied,
    BucketNotFound,
    ConfigError,
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


@dataclass(frozen=True, slots=True)
class Place:
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


# --- boto3 ------------------------------------------------------------------------------

_NO_ANSWER = (
    sdk.HTTPClientError,
    sdk.ConnectionError,
    sdk.IncompleteReadError,
    sdk.ResponseStreamingError,
)
_CONFIG = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.ProfileNotFound,
    sdk.ConfigParseError,
    sdk.ConfigNotFound,
    sdk.InvalidConfigError,
    sdk.MissingDependencyException,
)
_NO_VALUE = (ValueError, OverflowError)
"""A date, number or blob in an answer that is none: the parser lets these through as they are."""
_LOGIN = (sdk.CredentialRetrievalError, sdk.SSOError, sdk.TokenRetrievalError)


@contextmanager
def boto_translated(place: Place, *, but: str = "") -> Iterator[None]:
    """Raises what boto3 raises inside as one of ours, caused by the original without its text.

    A ClientError with the code `but` stays what it is.
    """
    try:
        yield
    except (sdk.BotoCoreError, sdk.ClientError, ResponseParserError, *_NO_VALUE) as error:
        if but and isinstance(error, sdk.ClientError) and answer_of(error).code == but:
            raise
        told = from_boto(error, place)
        _scrub(error)
        raise told from error


def _scrub(error: Exception) -> None:
    """Take out what repeats the request: its headers carry the credentials. The type stays."""
    error.args = (type(error).__name__,)
    for name in ("response", "kwargs", "request"):
        if hasattr(error, name):
            setattr(error, name, {})


def from_boto(error: Exception, place: Place) -> S3DashError:
    if isinstance(error, sdk.ClientError):
        return refused(answer_of(error), place)
    if isinstance(error, _NO_ANSWER):
        return unreachable(place, type(error).__name__)
    if isinstance(error, sdk.ParamValidationError):
        return ConfigError(f"S3 allows no such name of a bucket or key: {place}")
    if isinstance(error, _CONFIG):
        return ConfigError(f"cannot {place.action} {place}: {_first_line(error)}")
    if isinstance(error, _LOGIN):
        return AccessDenied(
            f"the credentials for {place} could not be fetched ({type(error).__name__})",
            hint="log in again, or check `profile`",
        )
    if isinstance(error, (ResponseParserError, *_NO_VALUE)):
        return InvalidResponse(f"the answer for {place} is not S3's: it cannot be parsed")
    if isinstance(error, sdk.FlexibleChecksumError | sdk.ChecksumError):
        return Integrity(f"{place}: the bytes differ from their checksum")
    return StoreError(f"cannot {place.action} {place} ({type(error).__name__})")


def answer_of(error: sdk.ClientError) -> Answer:
    told = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return Answer(int(status), str(told.get("Code") or status), str(told.get("Message", "")))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


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
