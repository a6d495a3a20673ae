"""Spans leave a real process over OTLP, and hold up nobody when the collector does not answer."""

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.servers import Server


class Collector:
    """Takes what is posted to it, and decodes it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.services: set[str] = set()
        mine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mine.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            for pair in resource.resource.attributes:
                if pair.key == "service.name":
                    self.services.add(pair.value.string_value)
            for scope in resource.scope_spans:
                self.names += [span.name for span in scope.spans]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    try:
        yield running
    finally:
        running.stop()


def login(weed: Server) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": weed.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": weed.credentials.secret_access_key,
    }


def pushed(weed: Server, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A push of one file in a process of its own."""
    (tmp_path / "cache" / "files").mkdir(parents=True)
    (tmp_path / "cache" / "files" / "a").write_text("a")
    (tmp_path / "s3dash.toml").write_text(
        f'[datastores.x]\nbucket = "{weed.make_bucket()}"\nendpoint = "{weed.endpoint}"\n'
        'cache = "cache"\n'
    )
    return subprocess.run(
        [sys.executable, "-m", "s3dash", "push"],
        cwd=tmp_path,
        env={**os.environ, **login(weed), **variables},
        capture_output=True,
        text=True,
    )


def test_a_collector_gets_the_spans(weed: Server, tmp_path: Path, collector: Collector) -> None:
    done = pushed(weed, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert done.returncode == 0, done.stderr
    assert {"s3dash.push", "s3dash.lock", "s3dash.commit", "S3.PutObject"} <= set(collector.names)
    assert collector.services == {"s3dash"}


@pytest.mark.parametrize(
    "variables", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}]
)
def test_who_switches_it_off_sends_nothing(
    weed: Server, tmp_path: Path, collector: Collector, variables: dict[str, str]
) -> None:
    done = pushed(weed, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **variables)
    assert done.returncode == 0, done.stderr
    assert collector.names == []


def test_the_console_exporter_writes_to_standard_error(weed: Server, tmp_path: Path) -> None:
    done = pushed(weed, tmp_path, OTEL_TRACES_EXPORTER="console")
    assert done.returncode == 0, done.stderr
    assert '"name": "s3dash.commit"' in done.stderr
    assert "s3dash.commit" not in done.stdout


def test_a_collector_that_never_answers_holds_nobody_up(weed: Server, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        done = pushed(weed, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 pushed" in done.stdout


def test_without_it_opentelemetry_is_not_even_loaded(weed: Server, tmp_path: Path) -> None:
    code = (
        "import sys; from s3dash.cli.main import run; "
        "code = run(['push']); print([m for m in sys.modules if 'opentelemetry' in m], code)"
    )
    pushed(weed, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, **login(weed)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == "[] 0"
