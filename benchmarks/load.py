"""A bare load generator: sends requests that were signed before, throws the answers away.

python -m benchmarks.load < order.json. It hashes nothing, opens no file and starts timing after
its connections stand. The answer: `seconds` and `processor_s` of the sending alone. Ends with 1
when an answer was not a good one.
"""

import json
import os
import resource
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

GOOD = (b"200", b"204", b"206")
ROOM = 1 << 20


class BadAnswer(RuntimeError):
    """The server did not do what it was asked."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: `heads` as they go over the wire, each followed by the same `body`."""

    host: str
    port: int
    connections: int
    form: str
    heads: Sequence[bytes]
    body: bytes


class Line:
    """One connection, and how much of the answer it still waits for."""

    __slots__ = ("_left", "_room", "_start", "socket")

    def __init__(self, order: Order) -> None:
        self.socket = socket.create_connection((order.host, order.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._room = bytearray(ROOM)
        self._start = b""
        self._left: int | None = 0

    def send(self, head: bytes, body: bytes) -> None:
        """Small ones in one piece; a large body without a copy."""
        self._start = b""
        self._left = 0
        if len(body) < ROOM:
            self.socket.sendall(head + body)
            return
        self.socket.sendall(head)
        self.socket.sendall(body)

    def read(self) -> bool:
        """Take what has come. True when the answer is whole."""
        if self._start and self._left is not None:
            got = self.socket.recv_into(self._room)
            self._left -= got
            return self._ended(got)
        data = self.socket.recv(ROOM)
        self._start += data
        head, found, rest = self._start.partition(b"\r\n\r\n")
        if not found:
            return self._ended(len(data), whole=False)
        length = length_of(head)
        if length is None:
            return self._ended(len(data), whole=rest.endswith(b"0\r\n\r\n"))
        self._left = length - len(rest)
        return self._ended(len(data))

    def _ended(self, got: int, whole: bool | None = None) -> bool:
        if not got:
            raise BadAnswer("the connection was closed")
        return self._left == 0 if whole is None else whole


def length_of(head: bytes) -> int | None:
    """Bytes of the body that follows; None when it comes in chunks. Raises BadAnswer."""
    lines = head.split(b"\r\n")
    status = lines[0].split(b" ", 2)[1]
    if status not in GOOD:
        raise BadAnswer(lines[0].decode())
    if status == b"204":
        return 0
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return None


def in_a_loop(lines: Sequence[Line], heads: Sequence[bytes], body: bytes) -> None:
    """One thread over all connections: the least work for a small body."""
    waiting = iter(heads)
    poll = select.epoll()
    by_number = {line.socket.fileno(): line for line in lines}
    busy = 0
    for line, head in zip(lines, waiting, strict=False):
        poll.register(line.socket, select.EPOLLIN)
        line.send(head, body)
        busy += 1
    while busy:
        for number, _ in poll.poll():
            line = by_number[number]
            if line.read():
                head = next(waiting, b"")
                if head:
                    line.send(head, body)
                else:
                    busy -= 1
    poll.close()


def in_threads(lines: Sequence[Line], heads: Sequence[bytes], body: bytes) -> None:
    """A blocking thread for each connection: for bodies that do not fit into a socket's buffer."""
    waiting = iter(heads)
    failed: list[Exception] = []

    def work(line: Line) -> None:
        try:
            for head in locked(waiting, lock):
                line.send(head, body)
                while not line.read():
                    pass
        except (BadAnswer, OSError) as error:
            failed.append(error)

    lock = threading.Lock()
    threads = [threading.Thread(target=work, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def locked(items: Iterator[bytes], lock: threading.Lock) -> Iterator[bytes]:
    while True:
        with lock:
            item = next(items, b"")
        if not item:
            return
        yield item


Form = Callable[[Sequence[Line], Sequence[bytes], bytes], None]
FORMS: dict[str, tuple[int, Form]] = {
    "one loop": (1, in_a_loop),
    "two loops": (2, in_a_loop),
    "threads": (1, in_threads),
}
"""By name: how many processes, and what each does."""


def play(order: Order) -> tuple[float, float]:
    """Seconds of the clock and of the processors. Connections stand before the clock starts."""
    count, form = FORMS[order.form]
    lines = [Line(order) for _ in range(min(order.connections, len(order.heads)))]
    start, used = time.perf_counter(), _used()
    children = []
    for part in range(1, count):
        pid = os.fork()
        if pid == 0:
            _part(form, lines[part::count], order.heads[part::count], order.body)
        children.append(pid)
    form(lines[0::count], order.heads[0::count], order.body)
    for pid in children:
        _, status = os.waitpid(pid, 0)
        if status:
            raise BadAnswer("the other process failed")
    return time.perf_counter() - start, _used() - used


def _part(form: Form, lines: Sequence[Line], heads: Sequence[bytes], body: bytes) -> None:
    """What a forked process does. Does not return."""
    code = 1
    try:
        form(lines, heads, body)
        code = 0
    finally:
        os._exit(code)


def _used() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def main() -> int:
    found = json.load(sys.stdin)
    heads = [head.encode() for head in found.pop("heads")]
    size, given = found.pop("size"), found.pop("body")
    body = given.encode() or os.urandom(size)
    try:
        seconds, processor_s = play(Order(heads=heads, body=body, **found))
    except (BadAnswer, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    json.dump({"seconds": seconds, "processor_s": processor_s}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
