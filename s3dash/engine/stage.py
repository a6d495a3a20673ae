"""What the engine is doing. One setter changes it and announces it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from s3dash.clock import Clock, iso
from s3dash.core.events import StateChanged
from s3dash.core.snapshot import State
from s3dash.engine.bus import Bus


class Stage:
    """The engine's state, with a detail for people."""

    def __init__(self, bus: Bus, clock: Clock, datastore: str) -> None:
        self._bus = bus
        self._clock = clock
        self._datastore = datastore
        self._lock = threading.Lock()
        self._state: State = "starting"
        self._detail = ""
        self._lease_since: float | None = None
        self._waits: list[tuple[State, str]] = []

    @property
    def now(self) -> tuple[State, str]:
        """What is being done; while a part of it waits, the latest wait."""
        with self._lock:
            return self._waits[-1] if self._waits else (self._state, self._detail)

    def enter(self, state: State, detail: str = "") -> None:
        with self._lock:
            if (state, detail) == (self._state, self._detail):
                return
            self._state, self._detail = state, detail
        self._announce()

    def count(self, detail: str) -> None:
        """How far it is, for those who look; too often to be announced."""
        with self._lock:
            self._detail = detail

    def _announce(self) -> None:
        state, detail = self.now
        self._bus.publish(
            StateChanged(
                at=iso(self._clock.now()), datastore=self._datastore, state=state, detail=detail
            )
        )

    @contextmanager
    def waiting(self, state: State, detail: str) -> Iterator[None]:
        """One of many threads waits; what the others do goes on underneath."""
        mine = (state, detail)
        with self._lock:
            self._waits.append(mine)
        self._announce()
        try:
            yield
        finally:
            with self._lock:
                self._waits.remove(mine)
            self._announce()

    @contextmanager
    def during(self, state: State, detail: str = "") -> Iterator[None]:
        """In `state` for the length of a block, then in what was before."""
        before = (self._state, self._detail)
        self.enter(state, detail)
        try:
            yield
        finally:
            self.enter(*before)

    @contextmanager
    def holding_lock(self) -> Iterator[None]:
        self._lease_since = self._clock.monotonic()
        try:
            yield
        finally:
            self._lease_since = None

    @property
    def lock_held_s(self) -> float | None:
        since = self._lease_since
        return None if since is None else self._clock.monotonic() - since
