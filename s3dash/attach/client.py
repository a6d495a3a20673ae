"""A connection to the process that owns a cache: calls go there, snapshots and events come."""

import itertools
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import msgspec
from msgspec.structs import replace

from s3dash.attach import frames, place
from s3dash.attach.calls import Call, fingerprint, happenings
from s3dash.attach.mirror import Mirror
from s3dash.attach.values import FAULTS, error_of, packed_exactly, unpacked
from s3dash.clock import Clock
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Event
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import BY_CHOICE, Snapshot
from s3dash.engine.handover import place_of
from s3dash.errors import CacheBusy, OwnerGone, S3DashError

PATIENCE_S = 5.0
"""How long an owner may take to greet. It only has to be awake: one that was suspended is not."""
FIRST_S = 60.0
"""How long the first snapshot may take: a million rows are many."""

OnEvent = Callable[[Event], None]


def meet(settings: Datastore, *, rows: bool, clock: Clock, on_event: OnEvent) -> "Connection | str":
    """Attach to the owner of a cache. Else why not, in words; empty when there is nobody.

    Without `rows` the snapshots have no long lists. `on_event` is called in the thread that
    receives, and has to be quick.
    """
    link = place.reached(settings.state_dir, timeout_s=PATIENCE_S)
    if link is None:
        return ""
    wire = frames.Wire(link)
    try:
        answer = _greeting(wire, settings, rows=rows)
        if isinstance(answer, frames.Welcome):
            theirs: Datastore = unpacked(answer.settings, Datastore)
            wire.wait_at_most(None)
            connection = Connection(wire, settings, answer, theirs, clock, on_event)
            if connection.is_ready():
                return connection
            return f"{answer.who} does not say how it is"
    except (OSError, *FAULTS):
        answer = None
    wire.close()
    if isinstance(answer, frames.Refused):
        return answer.text
    return "the owner of this cache does not answer as this version of s3dash would"


def _greeting(wire: frames.Wire, settings: Datastore, *, rows: bool) -> frames.FromOwner | None:
    wire.send(
        frames.Hello(fingerprint(), place_of(settings), readonly=settings.readonly, rows=rows)
    )
    return wire.from_owner()


def ask_for_room(settings: Datastore) -> bool:
    """Ask the owner of a cache to let go of it; False: there is none that can be asked.

    It takes a moment to be free then: see `handover.wait_until_free`. Raises CacheBusy when the
    owner does not want to.
    """
    link = place.reached(settings.state_dir, timeout_s=PATIENCE_S)
    if link is None:
        return False
    wire = frames.Wire(link)
    try:
        wire.send(frames.MakeRoom())
        answer = wire.from_owner(frames.GREETING)
    except (OSError, *FAULTS):
        return False
    finally:
        wire.close()
    if isinstance(answer, frames.Refused):
        raise CacheBusy(answer.text, hint="try again when that is done, or stop it first")
    return isinstance(answer, frames.Welcome)


class _Waiting:
    """A call that is under way. `wake` is set by its answer, and by who cancels it."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.answer: frames.Done | frames.Failed | None = None


class Connection:
    """One attachment, until either side goes. Calls from any thread, side by side."""

    def __init__(
        self,
        wire: frames.Wire,
        settings: Datastore,
        welcome: frames.Welcome,
        theirs: Datastore,
        clock: Clock,
        on_event: OnEvent,
    ) -> None:
        self.who, self.pid = welcome.who, welcome.pid
        self.lost = threading.Event()
        self.heir_s = 0.0
        """How long another owner is to be waited for, once this one is gone."""
        self.settings = replace(theirs, name=settings.name, readonly=settings.readonly)
        """What the owner works with, by the name that it has here."""
        self._on_event = on_event
        self._wire = wire
        always: dict[str, Any] = {"datastore": settings.name, "attached": self.who}
        if settings.readonly:
            always["read_only"] = BY_CHOICE
        self._mirror = Mirror(clock, always)
        self._there = threading.Event()
        self._ids = itertools.count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._receive, name="s3dash-attached", daemon=True).start()

    def is_ready(self) -> bool:
        """Waits for the first snapshot; False when none comes."""
        self._there.wait(FIRST_S)
        ready = self._mirror.snapshot() is not None
        if not ready:
            self.close()
        return ready

    def snapshot(self) -> Snapshot:
        found = self._mirror.snapshot()
        if found is None:
            raise AssertionError("asked before it was ready")
        return found

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes that came and went."""
        return self._wire.received, self._wire.sent

    def close(self) -> None:
        """Detach: what was asked for and is under way is cancelled. Idempotent."""
        self._wire.close()

    def call(self, call: Call, arguments: Mapping[str, Any], cancel: CancelToken | None) -> Any:
        """What the owner's engine returns or raises. Raises OwnerGone when it goes meanwhile."""
        packed = {name: msgspec.Raw(packed_exactly(one)) for name, one in arguments.items()}
        waiting, id = _Waiting(), next(self._ids)
        with self._lock:
            self._waiting[id] = waiting
        try:
            self._send(frames.Ask(id, call.name, packed))
            with cancel.calling(waiting.wake.set) if cancel is not None else nullcontext():
                answer = self._answer(id, waiting, cancel)
        finally:
            with self._lock:
                del self._waiting[id]
        if isinstance(answer, frames.Failed):
            raise error_of(answer.failure)
        try:
            return unpacked(answer.value, call.gives)
        except FAULTS as error:
            raise S3DashError(f"{self.who} answered what makes no sense") from error

    def _answer(
        self, id: int, waiting: _Waiting, cancel: CancelToken | None
    ) -> frames.Done | frames.Failed:
        """A cancelled call is answered too: by how it ended."""
        asked = False
        while waiting.answer is None:
            if self.lost.is_set():
                raise self._gone()
            if cancel is not None and cancel.cancelled and not asked:
                asked = True
                self._send(frames.Stop(id))
            waiting.wake.wait()
            waiting.wake.clear()
        return waiting.answer

    def _send(self, frame: frames.Frame) -> None:
        try:
            self._wire.send(frame)
        except frames.TooLong as error:
            raise S3DashError(f"this is too long to be told to {self.who}: {error}") from error
        except OSError as error:
            raise self._gone() from error

    def _gone(self) -> OwnerGone:
        return OwnerGone(
            f"{self.who}, which owns this cache, has ended or let go of us",
            hint="nothing is half done; what it had not finished is still to do",
        )

    # --- receiving ----------------------------------------------------------------------

    def _receive(self) -> None:
        try:
            while (frame := self._wire.from_owner()) is not None:
                self._take(frame)
        except (OSError, LookupError, AttributeError, *FAULTS):
            pass  # it went, or is not what it said: either is gone for us
        finally:
            self.lost.set()
            self._wire.close()
            self._there.set()
            with self._lock:
                for waiting in self._waiting.values():
                    waiting.wake.set()

    def _take(self, frame: frames.FromOwner) -> None:
        if isinstance(frame, frames.Facts):
            if self._mirror.take(frame):
                self._there.set()
        elif isinstance(frame, frames.Happened):
            for name, value in frame.events:
                event = unpacked(value, happenings()[name])
                self._on_event(replace(event, datastore=self.settings.name))
        elif isinstance(frame, frames.Leaving):
            self.heir_s = frame.heir_s
        elif isinstance(frame, frames.Done | frames.Failed):
            with self._lock:
                waiting = self._waiting.get(frame.id)
            if waiting is not None:
                waiting.answer = frame
                waiting.wake.set()
