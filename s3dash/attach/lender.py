"""The engine of the owner of a cache, for the length of one command."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from s3dash.attach.calls import Call
from s3dash.attach.client import Connection, meet
from s3dash.attach.facade import Facade
from s3dash.attach.held import WORKING, Lent, Own, owner_of
from s3dash.clock import SystemClock
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import Snapshot
from s3dash.engine.bus import Bus, Mailbox
from s3dash.errors import CacheBusy

if TYPE_CHECKING:
    from s3dash.engine.api import EngineApi

WAITS = frozenset({"status", "conflicts", "plan"})
"""Looks that would wait for the operation that the owner is at."""
DELIVERS = frozenset({"catalogs.fetch"})
"""What writes where the user stands: a service may be kept from that, or see another disk."""


def attach(settings: Datastore, opener: "Callable[[], EngineApi]") -> "Facade | EngineApi":
    """The owner's; else what `opener` makes, which says why it was not the owner's."""
    bus = Bus()
    met = meet(settings, rows=False, clock=SystemClock(), on_event=bus.publish)
    if isinstance(met, Connection):
        return Borrowed(met, bus, opener)
    engine = opener()
    return Beside(engine, met) if met and owner_of(engine) else engine


class Borrowed(Facade):
    """While the owner is at work, a look at both sides is taken beside it and waits for nothing."""

    def __init__(self, connection: Connection, bus: Bus, opener: "Callable[[], EngineApi]") -> None:
        self._lent = Lent(connection)
        self._bus = bus
        self._opener = opener
        self._beside: Own | None = None

    @property
    def settings(self) -> Datastore:
        return self._lent.settings

    def start(self) -> None:
        """The owner looks by itself, or does not."""

    def stop(self) -> None:
        self._lent.close()
        if self._beside is not None:
            self._beside.close()

    def snapshot(self) -> Snapshot:
        return (self._beside or self._lent).snapshot()

    def subscribe(self, *, capacity: int = 1024) -> Mailbox:
        return self._bus.subscribe(capacity=capacity)

    def ask(self, call: Call, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        if call.name in WAITS and self._lent.snapshot().state in WORKING:
            return self._at_its_side().ask(call, args, options)
        if call.name in DELIVERS:
            with suppress(CacheBusy):  # into the cache: that is the owner's alone
                return self._at_its_side().ask(call, args, options)
        return self._lent.ask(call, args, options)

    def _at_its_side(self) -> Own:
        self._beside = self._beside or Own(self._opener())
        return self._beside


class Beside(Facade):
    """An engine that only reads, and says why nothing could be done by the owner's."""

    def __init__(self, engine: "EngineApi", why: str) -> None:
        self._own = Own(engine)
        self._why = why

    @property
    def settings(self) -> Datastore:
        return self._own.settings

    def start(self) -> None:
        self._own.engine.start()

    def stop(self) -> None:
        self._own.close()

    def snapshot(self) -> Snapshot:
        return self._own.snapshot()

    def subscribe(self, *, capacity: int = 1024) -> Any:
        return self._own.engine.subscribe(capacity=capacity)

    def ask(self, call: Call, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        try:
            return self._own.ask(call, args, options)
        except CacheBusy as error:
            raise CacheBusy(error.message, hint=f"{self._why}; {error.hint}") from error
