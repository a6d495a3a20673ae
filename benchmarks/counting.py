"""Counting at a place that is not ours: a proxy before the server that hands everything on.

It is a server in Python: it counts, it measures no time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import NamedTuple

from tests.contract.endpoint import Asked, Reply
from tests.contract.gate import gated
from tests.servers import Server


class Seen(NamedTuple):
    """A request: method, path with query, bytes of its body, bytes of the answer's body."""

    method: str
    path: str
    up: int
    down: int


@dataclass(eq=False)
class Counting:
    """`server` is to be talked to in the place of the real one."""

    server: Server
    _seen: list[Seen] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @property
    def requests(self) -> list[Seen]:
        """All that were answered since the beginning, or the last `clear`."""
        with self._lock:
            return list(self._seen)

    @property
    def moved(self) -> int:
        """Bytes of bodies, both ways."""
        return sum(seen.up + seen.down for seen in self.requests)

    def clear(self) -> None:
        with self._lock:
            self._seen.clear()

    def note(self, asked: Asked, reply: Reply) -> Reply:
        with self._lock:
            self._seen.append(Seen(asked.method, asked.path, len(asked.body), len(reply.body)))
        return reply


@contextmanager
def counting(server: Server) -> Iterator[Counting]:
    """A proxy before `server`, until the block ends."""
    counted = Counting(server)
    with gated(server, bend=counted.note) as gate:
        counted.server = replace(gate.server)
        yield counted
