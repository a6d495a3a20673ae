"""An engine of a service: others attach to it for as long as it is open."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from s3dash.attach.client import ask_for_room
from s3dash.attach.held import owner_of
from s3dash.attach.server import Door, serve
from s3dash.clock import SystemClock, iso
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Noted
from s3dash.core.settings import Datastore
from s3dash.engine.handover import wait_until_free
from s3dash.errors import LocalError

if TYPE_CHECKING:
    from s3dash.engine.api import EngineApi, Subscription
    from s3dash.engine.bus import Mailbox

ROOM_S = 15.0
TRIES = 3
"""How often somebody else may be quicker at a cache that was made free for us."""


def served(
    settings: Datastore,
    opener: "Callable[[], EngineApi]",
    *,
    name: str,
    cancel: CancelToken | None = None,
) -> "EngineApi":
    """The engine of a service that is to own its cache: a screen that has it makes room.

    Who owns it and does not, as a command that runs, is beside it: then this one only reads.
    Others attach to it until it is stopped. When there can be no socket it works as well, and
    says so in its events. Raises CacheBusy when a screen is at work, Cancelled when told while
    it waits for one, and what `opener` raises.
    """
    if settings.readonly:
        return opener()
    for _ in range(TRIES):
        asked = _make_room(settings, cancel or CancelToken())
        engine = opener()
        if not owner_of(engine):
            return _with_door(engine, name)
        if not asked:
            break
        engine.stop()
    return engine


def _make_room(settings: Datastore, cancel: CancelToken) -> bool:
    """Ask a screen that owns the cache to let go of it, and wait until it did; False: none does.

    Whoever takes it in between is asked as well.
    """
    if not ask_for_room(settings):
        return False

    def once_more() -> bool:
        ask_for_room(settings)
        return False

    clock = SystemClock()
    wait_until_free(settings, clock=clock, cancel=cancel, seconds=ROOM_S, unless=once_more)
    return True


def _with_door(engine: "EngineApi", name: str) -> "EngineApi":
    try:
        door = serve(engine, name)
    except LocalError as error:
        return cast("EngineApi", _Served(engine, None, error.message))
    return cast("EngineApi", _Served(engine, door, ""))


class _Served:
    def __init__(self, engine: "EngineApi", door: Door | None, problem: str) -> None:
        self._engine = engine
        self._door = door
        self._problem = problem

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def stop(self) -> None:
        if self._door is not None:
            self._door.close()
        self._engine.stop()

    def subscribe(self, *, capacity: int = 1024) -> "Subscription":
        box = cast("Mailbox", self._engine.subscribe(capacity=capacity))
        if self._problem:
            box.offer(
                Noted(
                    at=iso(SystemClock().now()),
                    datastore=self._engine.settings.name,
                    level="warning",
                    operation="attach",
                    text=f"no screen can attach to this one: {self._problem}",
                )
            )
        return box
