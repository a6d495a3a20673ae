"""A tiny HTTP server that answers what a test tells it to, for answers no real server gives."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from s3dash.core.settings import Credentials, Datastore
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.s3 import S3Store
from tests.engine.clocks import QuickClock

CREDENTIALS = Credentials("AKIAFAKE", "fake-secret-value", "fake-session-token")


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; header names in lower case. `port`: the one that it came from."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int = 0


@dataclass(frozen=True)
class Reply:
    """What to answer. `length`: a Content-Length that differs from the body's, to cut it short."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


@dataclass
class Endpoint:
    """The running server: its address, and all requests so far."""

    url: str
    asked: list[Asked] = field(default_factory=list)

    def store(self, tmp_path: Path, **over: object) -> S3Store:
        fields: dict[str, object] = {
            "name": "fake",
            "bucket": "bucket",
            "cache": tmp_path,
            "state_dir": tmp_path,
            "endpoint": self.url,
            "force_path_style": True,
            "request_timeout_ms": 3000,
            **over,
        }
        settings = Datastore(**fields)  # type: ignore[arg-type] # free mix
        return S3Store(settings, CREDENTIALS, patience=Patience(QuickClock()))


class Listener(ThreadingHTTPServer):
    """Where the queue of connections is full, the kernel resets them: races open many at once."""

    request_queue_size = 128


@contextmanager
def answering(reply: Callable[[Asked], Reply]) -> Iterator[Endpoint]:
    """Serves until the block ends."""
    endpoint = Endpoint("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            body, port = self.rfile.read(length), self.client_address[1]
            asked = Asked(self.command, self.path, headers, body, port)
            endpoint.asked.append(asked)
            told = reply(asked)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            shown = len(told.body) if told.length is None else told.length
            self.send_header("Content-Length", str(shown))
            self.end_headers()
            if self.command != "HEAD":
                with suppress(ConnectionError):  # the client may have read enough
                    self.wfile.write(told.body)
            self.close_connection = told.length is not None

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer

        def log_message(self, *args: object) -> None:
            """Tests look at `asked` instead."""

    server = Listener(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def error(code: str, message: str = "told by the test") -> bytes:
    """S3's error document."""
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
