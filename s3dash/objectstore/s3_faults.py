"""What boto3 raises, told as classes of `s3dash.errors`.

Loaded when something was raised: most runs do without boto3.
"""

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from s3dash.errors import AccessDenied, ConfigError, Integrity, S3DashError, StoreError
from s3dash.objectstore.s3_errors import Answer, Place, garbled, refused, unreachable

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


def told(error: Exception, place: Place, *, but: str = "") -> S3DashError | None:
    """What an SDK raised as one of ours, caused by the original; None when it is not an SDK's,
    or a ClientError with the code `but`. The original loses its text: it stays in the chain."""
    if not isinstance(error, (sdk.BotoCoreError, sdk.ClientError, ResponseParserError, *_NO_VALUE)):
        return None
    if but and isinstance(error, sdk.ClientError) and answer_of(error).code == but:
        return None
    found = from_boto(error, place)
    _scrub(error)
    return found


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
        return garbled(place)
    if isinstance(error, sdk.FlexibleChecksumError | sdk.ChecksumError):
        return Integrity(f"{place}: the bytes differ from their checksum")
    return StoreError(f"cannot {place.action} {place} ({type(error).__name__})")


def answer_of(error: sdk.ClientError) -> Answer:
    told = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return Answer(int(status), str(told.get("Code") or status), str(told.get("Message", "")))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
