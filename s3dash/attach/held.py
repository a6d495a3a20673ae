"""The two ways to have an engine for a cache: our own, or the use of somebody else's."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from s3dash.attach.calls import Call
from s3dash.attach.client import Connection
from s3dash.attach.server import Door
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import BY_CHOICE, Snapshot

if TYPE_CHECKING:
    from s3dash.engine.api import EngineApi


class Held(Protocol):
    @property
    def settings(self) -> Datastore: ...

    def ask(self, call: Call, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any: ...

    def snapshot(self) -> Snapshot: ...

    def close(self) -> None:
        """Let go of it; what was begun by it is cancelled."""
        ...


class Lent:
    """The engine of the process that owns the cache."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def settings(self) -> Datastore:
        return self.connection.settings

    def ask(self, call: Call, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        arguments, cancel = call.arguments(args, options)
        return self.connection.call(call, arguments, cancel)

    def snapshot(self) -> Snapshot:
        return self.connection.snapshot()

    def close(self) -> None:
        self.connection.close()


class Own:
    """An engine of this process.

    `beside` says who owns the cache when it only reads, and `retry_s` how often it is worth
    looking whether that is still so. `wanted` is set when it should end: a watch wants the cache.
    """

    def __init__(self, engine: "EngineApi", *, beside: str = "", retry_s: float = 0.0) -> None:
        self.engine = engine
        self.door: Door | None = None
        self.beside = beside
        self.retry_s = retry_s
        self.wanted = threading.Event()

    @property
    def settings(self) -> Datastore:
        return self.engine.settings

    def ask(self, call: Call, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        found: Any = self.engine
        for name in call.path:
            found = getattr(found, name)
        return found if call.is_value else found(*args, **options)

    def snapshot(self) -> Snapshot:
        return self.engine.snapshot()

    def close(self, *, heir_s: float = 0.0) -> None:
        self.wanted.set()
        if self.door is not None:
            self.door.close(heir_s=heir_s)
        self.engine.stop()

    def is_at_work(self) -> bool:
        """Whether something would be broken off by an end now."""
        now = self.snapshot()
        moves = now.lock_held_s is not None or now.progress.counts.unfinished > 0
        return moves or now.auto.running_s is not None or now.state in WORKING


WORKING = frozenset({"pulling", "pushing", "committing", "waiting for lock", "backing off"})


def owner_of(engine: "EngineApi") -> str:
    """Who owns the cache that this engine only reads; empty: it is ours, or reads by choice."""
    who = engine.snapshot().read_only
    return "" if who == BY_CHOICE else who
