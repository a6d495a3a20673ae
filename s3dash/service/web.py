"""`/metrics` and `/healthz` over HTTP, for those who may reach the address."""

import json
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from s3dash.core.service import Address
from s3dash.errors import LocalError

AT_ONCE = 16
"""Connections served side by side; a further one is closed, and its client tries again."""
SILENCE_S = 5.0
STOP_S = 0.2

Page = Callable[[str], tuple[str, bytes]]
"""From the `Accept` header to content type and body."""


class Web:
    """A server in a thread of its own. `complaints` empty: all is well."""

    def __init__(self, at: Address, *, page: Page, complaints: Callable[[], list[str]]) -> None:
        """Raises LocalError when the address cannot be served."""
        try:
            self._server = _Server(at, page, complaints)
        except OSError as error:
            raise LocalError(
                f"{_shown(at.host, at.port)} cannot be served: {error.strerror or error}",
                hint="another port may be free; port 0 takes one that is",
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_S,), name="s3dash-web", daemon=True
        )

    @property
    def address(self) -> str:
        """`127.0.0.1:9464`, with the port that it really has."""
        host, port = self._server.server_address[:2]
        return _shown(str(host), int(port))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Within STOP_S seconds."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, at: Address, page: Page, complaints: Callable[[], list[str]]) -> None:
        self.address_family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
        self.page = page
        self.complaints = complaints
        self._places = threading.BoundedSemaphore(AT_ONCE)
        super().__init__((at.host, at.port), _Handler)

    def server_bind(self) -> None:
        """Without the look-up of our own name, which can take long and nobody needs."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "s3dash", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, *_: Any) -> None:
        """A client that goes away in the middle is nothing to tell; anything else is a bug."""
        if not isinstance(error := sys.exception(), OSError) and error is not None:
            raise error


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "s3dash"
    sys_version = ""
    timeout = SILENCE_S

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            content_type, body = self.server.page(self.headers.get("Accept", ""))
            self._answer(200, content_type, body)
        elif path == "/healthz":
            wrong = self.server.complaints()
            document = {"status": "failing" if wrong else "ok", "reasons": wrong}
            self._answer(503 if wrong else 200, "application/json", json.dumps(document).encode())
        else:
            self._answer(404, "text/plain; charset=utf-8", b"there are /metrics and /healthz\n")

    do_HEAD = do_GET

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Who scrapes is no news."""
