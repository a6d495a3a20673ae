"""OpenTelemetry spans: one for each S3 call, below the operation, the lock and the commit."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from s3dash import tracing
from s3dash.engine.open import open_engine
from s3dash.errors import LockHeld, NotFound, PreconditionFailed, StoreError
from s3dash.objectstore.s3 import S3Store
from tests.engine.world import Machine
from tests.servers import Server

SECRET = "what nobody may see"


class Spans:
    """All that were collected, by name, and who is below whom."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (found,) = self.named(name)
        return found

    def above(self, span: ReadableSpan) -> list[str]:
        """The names of its parents, the nearest first."""
        by_id = {s.context.span_id: s for s in self.all if s.context is not None}
        names: list[str] = []
        while span.parent is not None:
            span = by_id[span.parent.span_id]
            names.append(span.name)
        return names

    def clear(self) -> None:
        self._exporter.clear()


@pytest.fixture
def spans() -> Iterator[Spans]:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    try:
        yield Spans(exporter)
    finally:
        tracing.use(None)
        provider.shutdown()


@pytest.fixture
def join(weed: Server, tmp_path: Path) -> Callable[..., Machine]:
    bucket = weed.make_bucket()

    def make(name: str, **more: object) -> Machine:
        settings = weed.settings(bucket, tmp_path / name, name=name, prefix="team", **more)
        machine = Machine(tmp_path / name, lambda: S3Store(settings, weed.credentials))
        machine.settings = settings
        machine.engine = lambda: open_engine(settings, weed.credentials)  # type: ignore[method-assign]
        return machine

    return make


def test_a_push_is_one_span_with_lock_commit_and_each_request(
    spans: Spans, join: Callable[..., Machine]
) -> None:
    ann = join("ann")
    ann.write("files/a", SECRET)
    ann.write("files/big", "x" * (2 << 20))
    ann.push()
    push = spans.one("s3dash.push")
    told = dict(push.attributes or {})
    assert (told["s3dash.pushed"], told["s3dash.datastore"]) == (2, "ann")
    assert "s3dash.failed" not in told
    assert push.status.status_code is StatusCode.UNSET
    for name in ("s3dash.lock", "s3dash.commit"):
        assert spans.above(spans.one(name)) == ["s3dash.push"]
    lock = spans.one("s3dash.lock")
    assert (lock.attributes or {})["s3dash.lock.key"] == ".datastore.lock"
    calls = [s for s in spans.all if s.kind is SpanKind.CLIENT]
    methods = {(s.attributes or {})["rpc.method"] for s in calls}
    assert {"S3/ListObjectsV2", "S3/PutObject", "S3/GetObject", "S3/DeleteObject"} <= methods
    alone = [(s.name, (s.attributes or {}).get("aws.s3.key")) for s in calls if not spans.above(s)]
    assert alone == []


def test_calls_carry_the_names_of_the_conventions(
    spans: Spans, join: Callable[..., Machine], weed: Server
) -> None:
    ann, bob = join("ann"), join("bob")
    ann.write("files/a", SECRET)
    ann.push()
    spans.clear()
    bob.pull()
    body = next(
        dict(s.attributes or {})
        for s in spans.named("S3.GetObject")
        if (s.attributes or {})["aws.s3.key"] == "team/files/a"
    )
    port = int(weed.endpoint.rpartition(":")[2])
    assert body["aws.s3.bucket"] == ann.settings.bucket
    assert (body["server.address"], body["server.port"]) == ("127.0.0.1", port)
    assert body["rpc.system.name"] == "aws-api"
    listing = dict(spans.named("S3.ListObjectsV2")[0].attributes or {})
    assert listing["http.response.status_code"] == 200
    assert all(s.status.status_code is StatusCode.UNSET for s in spans.all)


def test_a_sync_has_a_span_for_each_half(spans: Spans, join: Callable[..., Machine]) -> None:
    ann, bob = join("ann"), join("bob")
    ann.write("files/a", "a")
    ann.push()
    bob.write("files/b", "b")
    spans.clear()
    bob.sync()
    assert spans.above(spans.one("s3dash.pull")) == ["s3dash.sync"]
    assert spans.above(spans.one("s3dash.push")) == ["s3dash.sync"]
    assert spans.above(spans.one("s3dash.commit")) == ["s3dash.push", "s3dash.sync"]


def test_what_fails_is_a_failed_span_with_its_class_and_without_its_text(
    spans: Spans, join: Callable[..., Machine], weed: Server
) -> None:
    ann = join("ann", lock_timeout_ms=1000)
    ann.write("files/a", SECRET)
    ann.push()
    store = S3Store(ann.settings, weed.credentials)
    store.put(
        ".datastore.lock",
        b'{"holder":"eve@far","hostname":"far","pid":1,"acquiredAt":"2026-01-01T00:00:00.000Z",'
        b'"ttlMs":600000,"nonce":"n"}',
    )
    ann.write("files/a", SECRET + "!")
    spans.clear()
    with pytest.raises(LockHeld):
        ann.push()
    for name in ("s3dash.push", "s3dash.lock"):
        failed = spans.one(name)
        assert failed.status.status_code is StatusCode.ERROR
        assert (failed.attributes or {})["error.type"] == "LockHeld"
        assert not failed.events
    assert spans.named("s3dash.commit") == []
    assert not any(SECRET in str(s.to_json()) for s in spans.all)


def test_an_endpoint_that_is_away_fails_its_call(
    spans: Spans, join: Callable[..., Machine]
) -> None:
    ann = join("ann", endpoint="http://127.0.0.1:9")
    ann.write("files/a", "a")
    with pytest.raises(StoreError):
        ann.push()
    calls = spans.named("S3.ListObjectsV2")
    assert calls
    assert all(s.status.status_code is StatusCode.ERROR for s in calls)
    assert (calls[0].attributes or {})["error.type"] == "EndpointConnectionError"


def test_a_missing_object_and_a_lost_race_are_no_failures(
    spans: Spans, join: Callable[..., Machine], weed: Server
) -> None:
    store = S3Store(join("ann").settings, weed.credentials)
    store.put("there", b"x")
    with pytest.raises(NotFound):
        store.head("nowhere")
    with pytest.raises(PreconditionFailed):
        store.put("there", b"y", if_none_match=True)
    answers = [(s.attributes or {}).get("http.response.status_code") for s in spans.all]
    assert {404, 412} <= set(answers)
    assert all(s.status.status_code is StatusCode.UNSET for s in spans.all)


def test_nobody_who_collects_none_pays_for_it(join: Callable[..., Machine]) -> None:
    ann = join("ann")
    ann.write("files/a", "a")
    with tracing.span("nothing") as told:
        told.set("any", 1)
    assert tracing.call("nothing", {}) is None
    assert tracing.carried(len) is len
    assert ann.push().pushed == 1
