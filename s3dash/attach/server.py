"""The owner's door: other processes of this user attach to the engine that owns a cache."""

import os
import selectors
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from s3dash.attach import place
from s3dash.attach.frames import Wire
from s3dash.attach.guest import Guest, OnRoom
from s3dash.clock import Clock, SystemClock
from s3dash.engine.api import EngineApi
from s3dash.errors import CacheBusy

GUESTS = 16
BREATH_S = 0.2


def serve(
    engine: EngineApi,
    name: str,
    *,
    on_room: OnRoom | None = None,
    clock: Clock | None = None,
) -> "Door":
    """Let others attach to an engine that owns its cache; `name` is what it is called by them.

    Close it before the engine is stopped. `on_room` is called when a `watch` wants the cache: it
    says whether that may be by CacheBusy, and returns before it is done. Raises LocalError when
    there can be no socket.
    """
    return Door(engine, name, on_room=on_room, clock=clock or SystemClock())


class Door:
    """One thread that waits for guests, and two for each of them; without guests all sleep."""

    def __init__(
        self, engine: EngineApi, name: str, *, on_room: OnRoom | None, clock: Clock
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.who = f"pid {os.getpid()} ({name})"
        self._on_room = on_room
        self._guests: set[Guest] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._listener, self.path = place.bound(engine.settings.state_dir)
        self._bell, self._button = socket.socketpair()
        self._thread = threading.Thread(target=self._wait, name="s3dash-door", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def guests(self) -> int:
        """How many are in, those that were not greeted yet included."""
        with self._lock:
            return len(self._guests)

    def is_full(self) -> bool:
        return self.guests > GUESTS

    def make_room(self) -> None:
        if self._on_room is None:
            raise CacheBusy(f"this cache belongs to {self.who}")
        self._on_room()

    def close(self, *, heir_s: float = 0.0) -> None:
        """Send all guests away: what they began is cancelled. Idempotent.

        With `heir_s` they leave the cache, for so many seconds, to the owner that comes next.
        """
        with self._lock:
            if self._over.is_set():
                return
            self._over.set()
            guests = [*self._guests]
        with suppress(OSError):  # somebody tidied the directory up
            self.path.unlink()
        self._button.close()
        for guest in guests:
            guest.close(heir_s=heir_s)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._bell.close()
        self._listener.close()

    def _wait(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._listener, selectors.EVENT_READ)
            waiting.register(self._bell, selectors.EVENT_READ)
            while not any(key.fileobj is self._bell for key, _ in waiting.select()):
                try:
                    link = self._listener.accept()[0]
                except OSError:  # who knocked has gone already, or we have no file left
                    self._over.wait(BREATH_S)
                else:
                    self._let_in(link)

    def _let_in(self, link: socket.socket) -> None:
        if self.guests > 2 * GUESTS or not place.is_ours(link):
            link.close()
            return
        guest = Guest(self, Wire(link))
        with self._lock:
            if self._over.is_set():
                link.close()
                return
            self._guests.add(guest)
        threading.Thread(target=self._host, args=(guest,), name="s3dash-guest", daemon=True).start()

    def _host(self, guest: Guest) -> None:
        try:
            guest.serve()
        finally:
            with self._lock:
                self._guests.discard(guest)
