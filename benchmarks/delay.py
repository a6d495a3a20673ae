"""A line that is long and wide: a proxy on loopback that hands every byte on later, and counts.

All connections are served by one thread, none waits for another, and nothing limits how much is
on its way. As on a real line, opening a connection costs a round trip too: what is sent first
leaves one later. There is no loss and no slow start: a line that is only far away.

    python -m benchmarks.delay ENDPOINT ROUND_TRIP_MS     serves until its input ends, then counts
"""

import heapq
import itertools
import json
import select
import socket
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.servers import Server

CHUNK = 1 << 18
BACKLOG = 1024
METHODS = (b"GET ", b"PUT ", b"HEAD ", b"POST ", b"DELETE ")
"""How a request begins. A body of many reads that has one begin so is taken for another request:
random bytes do not."""


class Asked(NamedTuple):
    """A request as it came to the line: seconds since the line was laid, by which connection."""

    at: float
    connection: int
    line: str


@dataclass(slots=True, eq=False)
class End:
    """One side of a connection. `out` is what has arrived, and does not fit into the socket.

    `ready`: when the connection stands, in monotonic seconds; nothing leaves before.
    """

    socket: socket.socket
    number: int
    is_client: bool
    other: "End"
    ready: float = 0.0
    out: bytearray = field(default_factory=bytearray)
    ends: bool = False
    shut: bool = False
    watched: int = 0


class Line:
    """`endpoint` is where clients go to. `round_trip_s`: seconds there and back.

    The counts may be read from any thread. `asked` is kept with `trace` only.
    """

    def __init__(self, to: str, round_trip_s: float, *, trace: bool = False) -> None:
        where = urlsplit(to)
        self._to = (where.hostname or "127.0.0.1", where.port or 80)
        self._one_way = round_trip_s / 2
        self._trace = trace
        self._way: list[tuple[float, int, End, bytes]] = []
        self._turns = itertools.count()
        self._ends: dict[int, End] = {}
        self._poll = select.epoll()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self._stopped, self._wake = socket.socketpair()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="delay", daemon=True)
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = self.open = self.most_open = 0
        self.requests = self.bytes_up = self.bytes_down = 0
        self.asked: list[Asked] = []

    def __enter__(self) -> "Line":
        for watched in (self._listener, self._stopped):
            self._poll.register(watched.fileno(), select.EPOLLIN)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.send(b"x")
        self._thread.join()

    def before(self, server: Server) -> Server:
        """The server as it is at the far end of the line."""
        return replace(server, endpoint=self.endpoint, _client=None)

    @property
    def counts(self) -> dict[str, int]:
        names = ("connections", "most_open", "requests", "bytes_up", "bytes_down")
        return {name: getattr(self, name) for name in names}

    # --- the thread ---------------------------------------------------------------------

    def _serve(self) -> None:
        """`select` around the poll: it waits in microseconds, the poll in milliseconds."""
        try:
            while True:
                due = max(0.0, self._way[0][0] - time.monotonic()) if self._way else None
                select.select([self._poll.fileno()], [], [], due)
                for number, events in self._poll.poll(0):
                    if number == self._stopped.fileno():
                        return
                    if number == self._listener.fileno():
                        self._accept()
                    elif (end := self._ends.get(number)) is not None:
                        self._look(end, events)
                self._deliver()
        finally:
            for end in list(self._ends.values()):
                end.socket.close()
            for one in (self._poll, self._listener, self._stopped, self._wake):
                one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return
            server = socket.create_connection(self._to)
            self.connections += 1
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            ready = time.monotonic() + 2 * self._one_way
            near, far = _pair(client, server, self.connections, ready)
            for end in (near, far):
                end.socket.setblocking(False)
                end.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._ends[end.socket.fileno()] = end
                self._watch(end)

    def _look(self, end: End, events: int) -> None:
        if events & select.EPOLLOUT:
            self._flush(end)
        if not events & ~select.EPOLLOUT or end.ends:
            return
        try:
            data = end.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._count(end, data)
        end.ends = not data
        due = max(time.monotonic(), end.ready) + self._one_way
        heapq.heappush(self._way, (due, next(self._turns), end.other, data))
        self._watch(end)

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._way and self._way[0][0] <= now:
            _, _, end, data = heapq.heappop(self._way)
            if data:
                end.out += data
            else:
                end.shut = True
            self._flush(end)

    def _flush(self, end: End) -> None:
        if end.socket.fileno() < 0:
            return
        try:
            while end.out:
                del end.out[: end.socket.send(end.out)]
        except BlockingIOError:
            self._watch(end)
            return
        except OSError:
            end.out.clear()
            end.shut = True
        if end.shut:
            self._close(end)
        else:
            self._watch(end)

    def _watch(self, end: End) -> None:
        wanted = (0 if end.ends else select.EPOLLIN) | (select.EPOLLOUT if end.out else 0)
        if wanted == end.watched or end.socket.fileno() < 0:
            return
        if not end.watched:
            self._poll.register(end.socket.fileno(), wanted)
        elif wanted:
            self._poll.modify(end.socket.fileno(), wanted)
        else:
            self._poll.unregister(end.socket.fileno())
        end.watched = wanted

    def _close(self, end: End) -> None:
        """Either side that ends takes the other with it: HTTP has no use for half of a line."""
        for one in (end, end.other):
            number = one.socket.fileno()
            if number < 0:
                continue
            if one.watched:
                self._poll.unregister(number)
            del self._ends[number]
            self.open -= one.is_client  # first: who sees the end may look at the counts
            one.socket.close()

    def _count(self, end: End, data: bytes) -> None:
        if not end.is_client:
            self.bytes_down += len(data)
            return
        self.bytes_up += len(data)
        if data.startswith(METHODS):
            self.requests += 1
            if self._trace:
                line = data.split(b"\r\n", 1)[0].decode(errors="replace")
                self.asked.append(Asked(time.monotonic() - self._began, end.number, line))


def _pair(
    client: socket.socket, server: socket.socket, number: int, ready: float
) -> tuple[End, End]:
    near = End(client, number, True, None, ready)  # type: ignore[arg-type] # told in the next line
    near.other = far = End(server, number, False, near)
    return near, far


def main(to: str, round_trip_ms: str) -> None:
    with Line(to, float(round_trip_ms) / 1000) as line:
        print(line.endpoint, flush=True)
        sys.stdin.read()
        print(json.dumps(line.counts), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
