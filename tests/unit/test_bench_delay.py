"""The far line of the benchmarks: what comes out of it, when, and how much at a time."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.delay import Line
from tests.contract.endpoint import Asked, Endpoint, Reply, answering

ROUND_TRIP_S = 0.04
AT_ONCE = 20


@contextmanager
def lined(
    reply: Reply, round_trip_s: float, *, hold: threading.Barrier | None = None
) -> Iterator[tuple[Endpoint, Line]]:
    """A line to a server that answers so; with `hold`, to as many as it is for at once."""

    def answer(_: Asked) -> Reply:
        if hold is not None:
            hold.wait(20)
        return reply

    with answering(answer) as endpoint, Line(endpoint.url, round_trip_s, trace=True) as line:
        yield endpoint, line


def ask(line: Line, body: bytes = b"", *, times: int = 1) -> list[tuple[bytes, float]]:
    """What comes back over one connection, and after how many seconds."""
    port = int(line.endpoint.rpartition(":")[2])
    found = []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for _ in range(times):
            began = time.monotonic()
            head = f"PUT /b/key HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            with connection.makefile("rb") as stream:
                while stream.readline() not in (b"\r\n", b""):
                    pass
                found.append((stream.read(len(ANSWER)), time.monotonic() - began))
    return found


ANSWER = bytes(range(256)) * 2000


@pytest.mark.parametrize("round_trip_s", [0.0, ROUND_TRIP_S])
def test_what_goes_in_comes_out(round_trip_s: float) -> None:
    body = bytes(reversed(range(256))) * 4000
    with lined(Reply(200, ANSWER), round_trip_s) as (endpoint, line):
        assert [answer for answer, _ in ask(line, body, times=3)] == [ANSWER] * 3
        assert [asked.body for asked in endpoint.asked] == [body] * 3
        assert (line.requests, line.connections, line.most_open) == (3, 1, 1)
        assert line.bytes_up > 3 * len(body)
        assert line.bytes_down > 3 * len(ANSWER)
        assert [asked.line for asked in line.asked] == ["PUT /b/key HTTP/1.1"] * 3


def test_a_request_takes_a_round_trip_and_the_first_of_a_connection_two() -> None:
    with lined(Reply(200, ANSWER), ROUND_TRIP_S) as (_, line):
        (_, first), (_, second) = ask(line, times=2)
    assert first >= 2 * ROUND_TRIP_S
    assert second >= ROUND_TRIP_S


def test_no_connection_waits_for_another() -> None:
    """The server answers none before it has all of them in hand."""
    barrier = threading.Barrier(AT_ONCE)
    with lined(Reply(200, ANSWER), ROUND_TRIP_S, hold=barrier) as (_, line):
        answers: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: answers.extend(a for a, _ in ask(line, times=3)))
            for _ in range(AT_ONCE)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert answers == [ANSWER] * 3 * AT_ONCE
        assert line.most_open == AT_ONCE


def test_a_side_that_hangs_up_ends_the_other_when_all_has_arrived() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with Line(f"http://127.0.0.1:{port}", ROUND_TRIP_S) as line:
            there = int(line.endpoint.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", there), timeout=20) as client:
                far, _ = server.accept()
                with far:
                    far.sendall(ANSWER)
                found = b"".join(iter(lambda: client.recv(1 << 16), b""))
            assert found == ANSWER
            assert line.open == 0
