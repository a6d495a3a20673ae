"""A proxy on loopback between s3dash and a real S3 server, that does to answers what networks do.

A request goes on as it came, its `Host` included, so that its signature holds. A rule picks
requests by what they are for (`purpose`) and gives them to a fault.
"""

import http.client
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

RESET = struct.pack("ii", 1, 0)
LONGEST_HOLD_S = 30.0
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """A request as it arrived. `key` is without the bucket, `query` without values that are not."""

    method: str
    target: str
    headers: Headers
    body: bytes
    key: str
    query: dict[str, str]

    def header(self, name: str) -> str:
        return next((v for n, v in self.headers if n.lower() == name), "")


@dataclass(frozen=True)
class Answer:
    """An answer, whole. The length is added when it is sent, unless `headers` has one."""

    status: int
    reason: str = ""
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def with_headers(self, **more: str) -> "Answer":
        names = {n.lower().replace("_", "-"): v for n, v in more.items()}
        kept = [(n, v) for n, v in self.headers if n.lower() not in names]
        return Answer(self.status, self.reason, [*kept, *names.items()], self.body)

    def with_body(self, body: bytes) -> "Answer":
        """With the length that it had before: see `sized`."""
        return Answer(self.status, self.reason, self.headers, body)

    def sized(self) -> "Answer":
        return self.with_headers(content_length=str(len(self.body)))


class Exchange:
    """One request on its way: what a fault can do with it."""

    def __init__(self, proxy: "Proxy", client: socket.socket, asked: Asked) -> None:
        self.asked = asked
        self.proxy = proxy
        self.client = client
        self.open = True

    def forward(self, body: bytes | None = None) -> Answer:
        """What the server says; it may have been applied there. `body` goes in place of its own."""
        return self.proxy.forward(self.asked, self.asked.body if body is None else body)

    def send(self, answer: Answer, *, version: str = "HTTP/1.1") -> None:
        self.raw(_head(answer, version))
        if self.asked.method != "HEAD":
            self.raw(answer.body)

    def raw(self, data: bytes) -> None:
        self.client.sendall(data)

    def finish(self) -> None:
        """Closes the connection in good order."""
        self.open = False

    def reset(self) -> None:
        """The connection breaks: the other side sees a reset, not an end."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.open = False

    def hold(self, seconds: float = LONGEST_HOLD_S) -> None:
        """Silence, until the client goes away."""
        select.select([self.client, self.proxy.woken], [], [], seconds)


Fault = Callable[[Exchange], None]
Choose = Callable[[Asked], Fault | None]


class Proxy:
    """Serves from `start` to `stop`. `choose` gives a request to a fault, or to none."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "", parts.port or 80)
        self._lock = threading.Lock()
        self._listener = _listen(0)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.choose: Choose = lambda _: None
        self.log: list[str] = []
        self.injected: list[str] = []
        self._clients: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._mine = threading.local()
        self.woken, self._waker = socket.socketpair()
        self._stopping = False
        self._accept(self._listener)

    def stop(self) -> None:
        self._stopping = True
        self._waker.send(b"x")
        self.refuse()
        for thread in self._threads:
            thread.join(10)
        self.woken.close()
        self._waker.close()

    def refuse(self) -> None:
        """Nobody listens any more, and every connection breaks."""
        with self._lock:
            with suppress(OSError):  # it may be closed already
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            for client in self._clients:
                with suppress(OSError):  # its own thread may have closed it
                    client.shutdown(socket.SHUT_RDWR)

    def listen_again(self) -> None:
        with self._lock:
            if self._listener.fileno() == -1:
                self._listener = _listen(self.port)
                self._accept(self._listener)

    @contextmanager
    def choosing(self, choose: Choose) -> Iterator[None]:
        """With this rule for the length of a block; logs begin anew."""
        self.log, self.injected, self.choose = [], [], choose
        try:
            yield
        finally:
            self.choose = lambda _: None
            self.listen_again()

    # --- serving ------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        self._threads = [t for t in self._threads if t.is_alive()]
        self._spawn(lambda: self._serve(listener))

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # closed: `refuse` or `stop`
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._clients.add(client)
            self._spawn(lambda client=client: self._talk(client))  # type: ignore[misc] # bound now

    def _talk(self, client: socket.socket) -> None:
        try:
            with client.makefile("rb") as stream:
                while not self._stopping and (asked := _read(stream, client)):
                    if not self._exchange(client, asked):
                        break
        except (OSError, http.client.HTTPException, ValueError):
            pass  # a client that went away, or half a request: its own affair
        finally:
            with self._lock:
                self._clients.discard(client)
            client.close()
            kept = getattr(self._mine, "server", None)
            if kept is not None:
                kept.close()

    def _exchange(self, client: socket.socket, asked: Asked) -> bool:
        exchange = Exchange(self, client, asked)
        fault = self.choose(asked)
        told = f"{asked.method} {asked.key}{'?' + ','.join(asked.query) if asked.query else ''}"
        self.log.append(f"{told} [{purpose(asked)}]" + (f" ← {_name(fault)}" if fault else ""))
        if fault is None:
            exchange.send(exchange.forward())
        else:
            self.injected.append(f"{_name(fault)} on {purpose(asked)}")
            fault(exchange)
        return exchange.open

    def forward(self, asked: Asked, body: bytes) -> Answer:
        """Over a connection to the server that this thread keeps."""
        for fresh in (False, True):
            server: http.client.HTTPConnection | None = getattr(self._mine, "server", None)
            if server is None or fresh:
                server = self._mine.server = http.client.HTTPConnection(*self._upstream, timeout=60)
            try:
                server.putrequest(
                    asked.method, asked.target, skip_host=True, skip_accept_encoding=True
                )
                for name, value in asked.headers:
                    server.putheader(name, value)
                server.endheaders(body)
                found = server.getresponse()
                break
            except (ConnectionError, http.client.BadStatusLine):
                server.close()
                if fresh:
                    raise
        headers = [(n, v) for n, v in found.getheaders() if n.lower() not in _HOP]
        answer = Answer(found.status, found.reason, headers, found.read())
        return answer if asked.method == "HEAD" else answer.sized()


_HOP = ("transfer-encoding", "connection", "keep-alive")


def _name(fault: Fault) -> str:
    return getattr(fault, "__name__", "fault").replace("_", " ").strip()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def _read(stream: BinaryIO, client: socket.socket) -> Asked | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) < 2:
        return None
    method, target = line[0], line[1]
    headers: Headers = []
    while (raw := stream.readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = raw.partition(":")
        headers.append((name, value.strip()))
    found = {name.lower(): value for name, value in headers}
    if found.get("expect", "").lower() == "100-continue":
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        headers = [(n, v) for n, v in headers if n.lower() != "expect"]
    body = stream.read(int(found.get("content-length", "0")))
    parts = urlsplit(target)
    key = unquote(parts.path).lstrip("/").partition("/")[2]
    query = {n: v[0] for n, v in parse_qs(parts.query, keep_blank_values=True).items()}
    return Asked(method, target, headers, body, key, query)


def _head(answer: Answer, version: str) -> bytes:
    lines = [f"{version} {answer.status} {answer.reason or 'Told'}"]
    names = {name.lower() for name, _ in answer.headers}
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.status not in (204, 304) and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(answer.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# --- what a request is for ---------------------------------------------------------------


def purpose(asked: Asked) -> str:
    """The kind of a request, as the engine makes it: `lock PUT`, `shard GET`, `part PUT`, …"""
    method, key, query = asked.method, asked.key, asked.query
    if method == "GET" and ("list-type" in query or "uploads" in query):
        return "LIST"
    if method == "POST":
        kinds = {"delete": "bulk delete", "uploads": "upload begin", "uploadId": "upload complete"}
        return next((kind for name, kind in kinds.items() if name in query), "POST")
    if "uploadId" in query:
        return {"PUT": "part PUT", "DELETE": "upload abort"}.get(method, "part list")
    if method == "PUT" and asked.header("x-amz-copy-source"):
        return "copy"
    return f"{_family(key)} {method}"


def _family(key: str) -> str:
    if key.endswith(".lock"):
        return "lock"
    if key.endswith("_index/_meta.json"):
        return "meta"
    if "_index/" in key:
        return "shard"
    if key.startswith("_control/"):
        return "intent" if "/commits/" in key else "control"
    if key == ".datastore-index.json":
        return "monolith"
    return "data" if key else "bucket"
