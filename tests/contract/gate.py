"""A small proxy before a real server: it passes requests on, bends some, or answers itself.

The Host header stays as it came, so that signatures hold; a rule that changes what was signed
needs a server that checks no signatures (moto).
"""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from tests.contract.endpoint import Asked, Endpoint, Reply, answering, error
from tests.servers import Server

Rule = Callable[[Asked], Asked | Reply]
"""What becomes of a request: another request, or an answer that the server never sees."""
Bend = Callable[[Asked, Reply], Reply]
"""What becomes of the server's answer."""

_OWN = frozenset({"content-length", "connection", "transfer-encoding", "date", "server"})
_HOP = frozenset({"connection", "expect", "transfer-encoding"})
ANSWER_S = 30


@dataclass
class Gate:
    """The running proxy: `server` is the one behind it, reached through it."""

    server: Server
    endpoint: Endpoint
    refused: list[Asked] = field(default_factory=list)


@contextmanager
def gated(
    server: Server, rule: Rule = lambda asked: asked, bend: Bend = lambda asked, reply: reply
) -> Iterator[Gate]:
    """Serves until the block ends."""
    refused: list[Asked] = []

    def reply(asked: Asked) -> Reply:
        turned = rule(asked)
        if isinstance(turned, Reply):
            refused.append(asked)
            return turned
        return bend(asked, _forward(server, turned))

    with answering(reply) as endpoint:
        through = replace(server, endpoint=endpoint.url, _client=None)
        yield Gate(through, endpoint, refused)


def denied(status: int = 403, code: str = "AccessDenied") -> Reply:
    return Reply(status, error(code))


def without(asked: Asked, *headers: str) -> Asked:
    kept = {name: value for name, value in asked.headers.items() if name not in headers}
    return replace(asked, headers=kept)


def _forward(server: Server, asked: Asked) -> Reply:
    connection = http.client.HTTPConnection(urlsplit(server.endpoint).netloc, timeout=ANSWER_S)
    try:
        headers = {name: value for name, value in asked.headers.items() if name not in _HOP}
        connection.request(asked.method, asked.path, body=asked.body, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        told = {n: v for n, v in answer.getheaders() if n.lower() not in _OWN}
        length = answer.getheader("Content-Length")
    finally:
        connection.close()
    if asked.method == "HEAD" and length:
        return Reply(answer.status, b"", {**told, "Connection": "close"}, int(length))
    return Reply(answer.status, body, told)
