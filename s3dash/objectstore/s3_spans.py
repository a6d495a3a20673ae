"""One span per S3 call, with the names of OpenTelemetry's conventions for the AWS SDKs.

boto3's calls are seen by its events; those of obstore, which has none, are told by the store.
Nothing is registered and nothing imported while nobody collects spans.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from s3dash import tracing
from s3dash.errors import NotFound, PreconditionFailed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from opentelemetry.trace import Span

    from s3dash.tracing import Value

_OPEN, _ASKED = "s3dash_span", "s3dash_asked"
_PARAMETERS = {
    "Bucket": "aws.s3.bucket",
    "Key": "aws.s3.key",
    "UploadId": "aws.s3.upload_id",
    "PartNumber": "aws.s3.part_number",
}
_ANSWERS = (304, 404, 412)
"""Not failures: «unchanged», «not there» and «not that version» are what was asked for."""


def about(method: str, endpoint: str) -> "dict[str, Value]":
    """What every call tells of itself."""
    parts = urlsplit(endpoint)
    found: dict[str, Value] = {"rpc.system.name": "aws-api", "rpc.method": f"S3/{method}"}
    if parts.hostname:
        found["server.address"] = parts.hostname
        found["server.port"] = parts.port or (443 if parts.scheme == "https" else 80)
    return found


def watch(client: "S3Client") -> None:
    """From now on every call of this client is a span, with its retries inside."""
    if not tracing.is_on():
        return
    events, endpoint = client.meta.events, client.meta.endpoint_url
    events.register("provide-client-params.s3", _asked)
    events.register("before-call.s3", partial(_begin, endpoint))
    events.register("after-call.s3", _answered)
    events.register("after-call-error.s3", _failed)


def _asked(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    found: dict[str, Value] = {}
    for name, attribute in _PARAMETERS.items():
        if name in params:
            found[attribute] = params[name]
    source = params.get("CopySource")
    if isinstance(source, dict):
        found["aws.s3.copy_source"] = f"{source['Bucket']}/{source['Key']}"
    context[_ASKED] = found


def _begin(endpoint: str, model: Any, context: dict[str, Any], **_: object) -> None:
    told = {**about(model.name, endpoint), **context.get(_ASKED, {})}
    context[_OPEN] = tracing.call(f"S3.{model.name}", told)


def _answered(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    span = context.pop(_OPEN, None)
    if span is None:
        return
    said = parsed.get("ResponseMetadata", {})
    status = said.get("HTTPStatusCode", 0)
    span.set_attribute("http.response.status_code", status)
    if said.get("RequestId"):
        span.set_attribute("aws.request_id", said["RequestId"])
    if said.get("RetryAttempts"):
        span.set_attribute("http.request.resend_count", said["RetryAttempts"])
    if status >= 300 and status not in _ANSWERS:
        tracing.fail(span, str(parsed.get("Error", {}).get("Code") or status))
    span.end()


def _failed(exception: BaseException, context: dict[str, Any], **_: object) -> None:
    span = context.pop(_OPEN, None)
    if span is not None:
        tracing.fail(span, type(exception).__name__)
        span.end()


class Told:
    """The span of a small call; without one it is told in vain."""

    def __init__(self, span: "Span | None" = None) -> None:
        self._span = span
        self.is_told = False

    def answered(self, status: int, headers: Mapping[str, str], *, code: str, resends: int) -> None:
        """The latest answer counts."""
        span, self.is_told = self._span, True
        if span is None:
            return
        span.set_attribute("http.response.status_code", status)
        if identity := headers.get("x-amz-request-id"):
            span.set_attribute("aws.request_id", identity)
        if resends:
            span.set_attribute("http.request.resend_count", resends)
        if status >= 300 and status not in _ANSWERS:
            tracing.fail(span, code)


@contextmanager
def light(method: str, *, endpoint: str, bucket: str, key: str) -> Iterator[Told]:
    """A small call, with its retries inside."""
    if not tracing.is_on():
        yield Told()
        return
    named = {"aws.s3.bucket": bucket, **({"aws.s3.key": key} if key else {})}
    span = tracing.call(f"S3.{method}", {**about(method, endpoint), **named})
    told = Told(span)
    try:
        yield told
    except BaseException as error:
        if span is not None and not told.is_told:
            tracing.fail(span, type(error.__cause__ or error).__name__)
        raise
    finally:
        if span is not None:
            span.end()


@contextmanager
def bulk(method: str, *, endpoint: str, bucket: str, key: str) -> Iterator[None]:
    """A call through obstore, from its request to the last byte."""
    if not tracing.is_on():
        yield
        return
    told = {**about(method, endpoint), "aws.s3.bucket": bucket, "aws.s3.key": key}
    span = tracing.call(f"S3.{method}", told)
    try:
        yield
    except BaseException as error:
        if span is not None and not isinstance(error, NotFound | PreconditionFailed):
            tracing.fail(span, type(error).__name__)
        raise
    finally:
        if span is not None:
            span.end()
