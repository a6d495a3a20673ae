"""What every machine asked of a server, and what it answered: recorded on the way, by machine.

Each machine has a door of its own, a port that passes everything on as it is. Evidence about the
server's state comes from here, and the moments at which a process is stopped or killed too.
"""

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.servers import Server

PATIENCE_S = 300.0
_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}


@dataclass(frozen=True, slots=True)
class Record:
    """One request and its answer. `at` and `until` are monotonic: passed on, answered.

    `key` is within the bucket, empty for a listing; `date` is the server's clock. `body` is
    that of a PUT, `etag` that of the answer.
    """

    who: str
    method: str
    key: str
    at: float
    until: float
    status: int
    date: datetime | None
    body: bytes
    if_match: str | None
    etag: str

    def __str__(self) -> str:
        return f"{self.at:.2f} {self.who}: {self.method} {self.key} {self.status}"

    @property
    def applied(self) -> bool:
        """True for a change that the server made."""
        return self.method in ("PUT", "DELETE", "POST") and 200 <= self.status < 300


Hook = Callable[[Record], None]


class Ledger:
    """A context manager: doors to one server, closed at the end.

    `before` is called before a request is passed on (its status is 0), `after` before the
    answer is handed back; both run in a thread of the door.
    """

    def __init__(
        self, server: Server, *, before: Hook | None = None, after: Hook | None = None
    ) -> None:
        self.records: list[Record] = []
        self.before = before
        self.after = after
        self.changed = threading.Condition()
        self._host = urlsplit(server.endpoint).netloc
        self._doors: list[_Door] = []

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        for door in self._doors:
            door.shutdown()
            door.server_close()

    def door(self, who: str) -> str:
        """An endpoint of the machine's own."""
        door = _Door(self, who, self._host)
        self._doors.append(door)
        threading.Thread(target=door.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{door.server_address[1]}"

    def take(self, record: Record) -> None:
        with self.changed:
            self.records.append(record)
            self.changed.notify_all()
        if self.after is not None:
            self.after(record)

    def tell(self) -> None:
        """Something else changed that a waiter may be waiting for."""
        with self.changed:
            self.changed.notify_all()

    def wait_until(self, holds: Callable[[list[Record]], Any], what: str) -> None:
        """Looks again at every record."""
        with self.changed:
            met = self.changed.wait_for(lambda: holds(self.records), PATIENCE_S)
        last = "".join(f"\n  {record}" for record in self.records[-20:])
        assert met, f"never seen: {what}; the last records:{last}"

    def wait_beyond(self, moment: float) -> None:
        """Until it is later than that, whether anybody asks for anything or not."""
        with self.changed:
            while (left := moment - time.monotonic()) > 0:
                self.changed.wait(left)


class _Door(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, ledger: Ledger, who: str, host: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        self.ledger, self.who, self.host = ledger, who, host

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A machine that was killed leaves broken connections: nothing to tell."""


class _Passage(BaseHTTPRequestHandler):
    server: _Door
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection(self.server.host, timeout=60)

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def handle_expect_100(self) -> bool:
        """botocore waits for it, a second long."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        at = time.monotonic()
        if self.server.ledger.before is not None:
            self.server.ledger.before(self._record(at, 0, body, {}))
        self._upstream.putrequest(
            self.command, self.path, skip_host=True, skip_accept_encoding=True
        )
        for name, value in self.headers.items():
            if name.lower() not in _HOP:
                self._upstream.putheader(name, value)
        self._upstream.putheader("Content-Length", str(len(body)))
        self._upstream.endheaders(body)
        answer = self._upstream.getresponse()
        told = answer.read()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        self.server.ledger.take(self._record(at, answer.status, body, headers))
        self.send_response_only(answer.status, answer.reason)
        length = headers.get("content-length", "0") if self.command == "HEAD" else str(len(told))
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass_on

    def _record(self, at: float, status: int, body: bytes, headers: dict[str, str]) -> Record:
        _, _, key = urlsplit(self.path).path.removeprefix("/").partition("/")
        date = headers.get("date")
        return Record(
            who=self.server.who,
            method=self.command,
            key=unquote(key),
            at=at,
            until=time.monotonic(),
            status=status,
            date=parsedate_to_datetime(date) if date else None,
            body=body if self.command == "PUT" else b"",
            if_match=self.headers.get("If-Match"),
            etag=headers.get("etag", "").strip('"'),
        )

    def log_message(self, format: str, *args: Any) -> None:
        """The ledger is the log."""
