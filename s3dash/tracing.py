"""Spans of what s3dash does, for who collects them: the extra `otel`, told by the OTEL_ variables.

Off, which is the rule, a span costs a look at one variable, and OpenTelemetry is not imported.
Names are those of its semantic conventions (RPC, AWS SDK, server, error); what has none there
begins with `s3dash.`. Keys of objects are told, contents and credentials never.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

T = TypeVar("T")

Value = str | int | float | bool

SERVICE = "s3dash"
FLUSH_S = 1.0
"""How long the end of a process waits for a collector."""
_ASKING = (
    "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)  # fmt: skip


class Told(Protocol):
    """An open span, to be told more."""

    def set(self, name: str, value: Value) -> None: ...


class _Nothing:
    def set(self, name: str, value: Value) -> None:
        """Nobody listens."""


class _Real:
    def __init__(self, span: "Span") -> None:
        self._span = span

    def set(self, name: str, value: Value) -> None:
        self._span.set_attribute(name, value)


_NOTHING = _Nothing()
_tracer: "Tracer | None" = None


def is_on() -> bool:
    return _tracer is not None


def use(provider: "TracerProvider | None") -> None:
    """Spans go to this provider from now on; None: to nobody."""
    global _tracer
    from importlib.metadata import version

    _tracer = None if provider is None else provider.get_tracer(SERVICE, version("s3dash"))


def begin(environ: Mapping[str, str]) -> Callable[[], None]:
    """Collect spans if the environment asks for it and the extra is there; how to end that.

    `OTEL_TRACES_EXPORTER` is `otlp` (also when only an endpoint is named), `console` (to standard
    error) or `none`. The end waits for a collector for `FLUSH_S` at the most.
    """
    if not _is_asked_for(environ):
        return _nothing
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        exporter = _exporter(environ)
    except ImportError:
        return _nothing
    provider = TracerProvider(
        resource=Resource.create({"service.name": environ.get("OTEL_SERVICE_NAME") or SERVICE}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    use(provider)
    return partial(_end, provider)


def _is_asked_for(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    named = environ.get("OTEL_TRACES_EXPORTER", "")
    return named != "none" and any(environ.get(name) for name in _ASKING)


def _exporter(environ: Mapping[str, str]) -> Any:
    if environ.get("OTEL_TRACES_EXPORTER") == "console":
        import sys

        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _end(provider: Any) -> None:
    """A collector that does not answer holds nobody up: what is left then is lost."""
    use(None)
    closing = threading.Thread(target=provider.shutdown, name="s3dash-spans", daemon=True)
    closing.start()
    closing.join(FLUSH_S)


def _nothing() -> None:
    """There is nothing to end."""


@contextmanager
def span(name: str, attributes: Mapping[str, Value] | None = None) -> Iterator[Told]:
    """What is done inside is one span, and the parent of those that begin meanwhile.

    An exception that goes through makes it a failed one: its class is told, its text is not.
    """
    if _tracer is None:
        yield _NOTHING
        return
    with _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield _Real(opened)
        except BaseException as error:
            fail(opened, type(error).__name__)
            raise


def call(name: str, attributes: Mapping[str, Value]) -> "Span | None":
    """The span of a request, not yet ended; None when nobody collects."""
    if _tracer is None:
        return None
    from opentelemetry.trace import SpanKind

    return _tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)


def fail(opened: "Span", kind: str) -> None:
    """Say that it failed, and of what class the error is."""
    from opentelemetry.trace import Status, StatusCode

    opened.set_attribute("error.type", kind)
    opened.set_status(Status(StatusCode.ERROR))


def carried(work: Callable[..., T]) -> Callable[..., T]:
    """The same for another thread: its spans are children of the one that is open here."""
    return work if _tracer is None else partial(copy_context().run, work)
