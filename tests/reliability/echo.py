"""An endpoint that answers every request with what the request said: headers, query, signature.

Real endpoints do so in their error bodies (SignatureDoesNotMatch), broken proxies in their pages.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from xml.sax.saxutils import escape

from tests.contract.endpoint import Listener

ECHO = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>{code}</Code><Message>The request was {told}</Message>
<AWSAccessKeyId>{told}</AWSAccessKeyId><StringToSign>{told}</StringToSign>
<SignatureProvided>{told}</SignatureProvided><CanonicalRequest>{told}</CanonicalRequest>
<Region>{told}</Region><Token-0>{told}</Token-0><HostId>{told}</HostId></Error>"""

ANSWERS = {
    "signature": (403, "application/xml", ECHO.replace("{code}", "SignatureDoesNotMatch")),
    "token": (400, "application/xml", ECHO.replace("{code}", "ExpiredToken")),
    "code": (400, "application/xml", ECHO.replace("{code}", "{told}")),
    "internal": (500, "application/xml", ECHO.replace("{code}", "InternalError")),
    "broken": (200, "application/xml", "<ListBucketResult><Contents><Key>{told}"),
    "page": (200, "text/html", "<html><body>Not signed in: {told}</body></html>"),
    "proxy": (407, "text/plain", "Proxy: {told}"),
    "busy": (503, "text/html", "<html>{told}</html>"),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        status, kind, body = ANSWERS[self.server.answer]  # type: ignore[attr-defined]  # see `echo`
        told = escape(f"{self.command} {self.path} {dict(self.headers)}")
        raw = body.replace("{told}", told).encode()
        self.send_response(status, "Echo " + self.headers.get("x-amz-security-token", ""))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("x-amz-request-id", self.headers.get("x-amz-security-token", "none"))
        self.send_header("Server", self.headers.get("Authorization", "none"))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = do_CONNECT = _answer

    def log_message(self, format: str, *args: object) -> None:
        """A server of a test writes nothing."""


@contextmanager
def echo(answer: str) -> Iterator[str]:
    """The endpoint's URL."""
    server = Listener(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.answer = answer  # type: ignore[attr-defined]  # for the handler, which is made per request
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
