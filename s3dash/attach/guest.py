"""One guest of an owner: what it asks is done by the owner's engine, what changes it is told.

A guest that goes, in order or not, takes with it what it began: its calls are cancelled.
"""

import os
import select
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from s3dash.attach import frames
from s3dash.attach.calls import ALONE, Call, catalog, fingerprint, only_looks
from s3dash.attach.deltas import Differ, raw
from s3dash.attach.values import FAULTS, failure_of, packed, unpacked
from s3dash.clock import Clock
from s3dash.core.cancel import CancelToken
from s3dash.core.settings import Datastore
from s3dash.engine.api import EngineApi, Subscription
from s3dash.engine.handover import place_of
from s3dash.errors import CacheBusy, ReadOnly, S3DashError, UsageError

LOOK_S = 0.22
"""Between two looks at the engine, as long as somebody is attached."""
SHARE = 3
"""A look that takes long is followed by a rest that many times as long."""
GREETING_S = 5.0
LEAVE_S = 0.5
"""How long a guest that is being told something else may keep us from saying that we go."""
CALLS = 64
"""Calls of one guest side by side, those included whose answers it has not taken yet."""


class Host(Protocol):
    """What a guest knows of the house."""

    @property
    def engine(self) -> EngineApi: ...

    @property
    def who(self) -> str: ...

    @property
    def clock(self) -> Clock: ...

    def is_full(self) -> bool: ...

    def make_room(self) -> None:
        """Let go of the cache soon. Raises CacheBusy when that cannot be."""
        ...


class Guest:
    """Call `serve` in a thread of its own; `close` from any other ends it."""

    def __init__(self, host: Host, wire: frames.Wire) -> None:
        self._host = host
        self._wire = wire
        self._running: dict[int, CancelToken] = {}
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._over = threading.Event()
        self._readonly = False
        self._differ = Differ(rows=True)
        self._events: Subscription | None = None
        self._dropped = 0

    def serve(self) -> None:
        """Until either side goes. What is no message ends it, and nothing else."""
        try:
            if self._greet():
                self._listen()
        except (OSError, *FAULTS):
            pass  # a guest that went, or talks nonsense: either is gone for us
        finally:
            self.close()

    def close(self, *, heir_s: float = 0.0) -> None:
        if heir_s and not self._over.is_set():
            self._take_leave(heir_s)
        self._over.set()
        self._wire.close()
        with self._lock:
            tokens = [*self._running.values()]
        for token in tokens:
            token.cancel()
        if self._events is not None:
            self._events.close()

    def _take_leave(self, heir_s: float) -> None:
        """A guest that stands still, or has gone, finds out by itself: it keeps nobody."""
        with suppress(OSError, *FAULTS):
            if self._takes_more():
                self._wire.send(frames.Leaving(heir_s), within_s=LEAVE_S)

    # --- getting to know each other -----------------------------------------------------

    def _greet(self) -> bool:
        self._wire.wait_at_most(GREETING_S)
        hello = self._wire.from_guest(frames.GREETING)
        if isinstance(hello, frames.MakeRoom):
            return self._make_room()
        if not isinstance(hello, frames.Hello):
            return False
        refused = self._why_not(hello)
        if refused is not None:
            self._wire.send(refused)
            return False
        self._wire.wait_at_most(None)
        self._readonly, self._differ = hello.readonly, Differ(rows=hello.rows)
        self._wire.send(self._welcome(self._host.engine.settings))
        self._events = self._host.engine.subscribe()
        self._tell()
        threading.Thread(target=self._keep_telling, name="s3dash-telling", daemon=True).start()
        return True

    def _welcome(self, settings: Datastore | None) -> frames.Welcome:
        return frames.Welcome(os.getpid(), self._host.who, raw(settings))

    def _why_not(self, hello: frames.Hello) -> frames.Refused | None:
        if hello.version != fingerprint():
            return frames.Refused("version", f"{self._host.who} is another version of s3dash")
        if hello.place != place_of(self._host.engine.settings):
            return frames.Refused("place", f"{self._host.who} works in another place")
        if self._host.is_full():
            return frames.Refused("full", f"{self._host.who} has too many guests")
        return None

    def _make_room(self) -> bool:
        """Said without a greeting: whatever version asks, it is the cache that it wants."""
        try:
            self._host.make_room()
        except CacheBusy as error:
            self._wire.send(frames.Refused("busy", error.message))
        else:
            self._wire.send(self._welcome(None))
        return False

    # --- telling ------------------------------------------------------------------------

    def _keep_telling(self) -> None:
        pause = LOOK_S
        try:
            while not self._over.wait(pause):
                if not self._takes_more():
                    continue  # it is behind, or stands still: it misses nothing but time
                began = self._host.clock.monotonic()
                self._tell()
                pause = max(LOOK_S, SHARE * (self._host.clock.monotonic() - began))
        except (OSError, *FAULTS):
            self.close()

    def _takes_more(self) -> bool:
        asking = select.poll()
        asking.register(self._wire, select.POLLOUT)
        return bool(asking.poll(0))

    def _tell(self) -> None:
        """All that is new, before the next thing that is said."""
        with self._telling:
            for facts in self._differ.since(
                self._host.engine.snapshot(), self._host.clock.monotonic()
            ):
                self._wire.send(facts)
            if self._events is None:
                return
            events, dropped = self._events.drain(), self._events.dropped
            if events or dropped != self._dropped:
                told = tuple((type(event).__name__, raw(event)) for event in events)
                self._wire.send(frames.Happened(told, dropped - self._dropped))
                self._dropped = dropped

    # --- asking -------------------------------------------------------------------------

    def _listen(self) -> None:
        while (frame := self._wire.from_guest()) is not None:
            if isinstance(frame, frames.Ask):
                self._begin(frame)
            elif isinstance(frame, frames.Stop):
                self._stop(frame.id)
            else:
                return

    def _begin(self, ask: frames.Ask) -> None:
        token = CancelToken()
        with self._lock:
            if ask.id in self._running or len(self._running) >= CALLS:
                raise ValueError("no call can be told from another")
            self._running[ask.id] = token
        name = f"s3dash-guest-{ask.name[:40]}"
        threading.Thread(target=self._work, args=(ask, token), name=name, daemon=True).start()

    def _stop(self, id: int) -> None:
        with self._lock:
            token = self._running.get(id)
        if token is not None:
            token.cancel()

    def _work(self, ask: frames.Ask, token: CancelToken) -> None:
        """In a thread of its own: the call, then what it changed, then its answer."""
        try:
            self._reply(ask, self._outcome(ask, token))
        finally:
            with self._lock:
                del self._running[ask.id]

    def _outcome(self, ask: frames.Ask, token: CancelToken) -> frames.Done | frames.Failed:
        try:
            return frames.Done(ask.id, self._answer(ask, token))
        except S3DashError as error:
            return frames.Failed(ask.id, failure_of(error))
        except Exception as error:  # noqa: BLE001 - a bug ends the call, never the owner
            told = S3DashError(f"{self._host.who} failed at {ask.name[:80]}: {_kind(error)}")
            return frames.Failed(ask.id, failure_of(told))

    def _reply(self, ask: frames.Ask, answer: frames.Done | frames.Failed) -> None:
        """Takes as long as the guest takes to listen."""
        try:
            self._tell()
            self._wire.send(answer)
        except frames.TooLong as error:
            told = S3DashError(f"the answer to {ask.name} is too long to be sent: {error}")
            self._send_or_go(frames.Failed(ask.id, failure_of(told)))
        except (OSError, *FAULTS):
            self.close()

    def _send_or_go(self, frame: frames.Frame) -> None:
        try:
            self._wire.send(frame)
        except (OSError, *FAULTS):
            self.close()

    def _answer(self, ask: frames.Ask, token: CancelToken) -> msgspec.Raw:
        call = catalog().get(ask.name)
        if call is None:
            raise UsageError(f"{ask.name[:80]} is nothing that can be asked for")
        arguments = _arguments(call, ask.arguments)
        if self._readonly and not only_looks(call.name, arguments):
            raise ReadOnly("this datastore was opened to look only; nothing was written")
        if call.name in ALONE:
            raise CacheBusy(
                f"this needs the cache for itself, and it belongs to {self._host.who}",
                hint="stop that one first",
            )
        target = _target(self._host.engine, call.path)
        if call.is_value:
            return raw(target)
        if call.cancellable:
            arguments["cancel"] = token
        return msgspec.Raw(packed(target(**arguments)))


def _arguments(call: Call, given: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
    try:
        return {name: unpacked(value, call.takes[name]) for name, value in given.items()}
    except (LookupError, *FAULTS) as error:
        raise UsageError(f"{call.name} was asked for in a way that makes no sense") from error


def _target(engine: EngineApi, path: tuple[str, ...]) -> Any:
    found: Any = engine
    for name in path:
        found = getattr(found, name)
    return found


def _kind(error: BaseException) -> str:
    """What it is and where, without any value."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" in {last.tb_frame.f_globals.get('__name__')}:{last.tb_lineno}" if last else ""
    return f"{type(error).__name__}{where}"


OnRoom = Callable[[], None]
