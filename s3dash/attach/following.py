"""The events of an engine that may be another one tomorrow."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from s3dash.attach.held import Held, Own
from s3dash.core.events import Event
from s3dash.engine.bus import Mailbox

if TYPE_CHECKING:
    from s3dash.engine.api import Subscription


class Following:
    """A subscription. `box` holds what comes from elsewhere: from another process, or of us."""

    def __init__(self, box: Mailbox, capacity: int, forget: "Callable[[Following], None]") -> None:
        self._box = box
        self._capacity = capacity
        self._forget = forget
        self._lock = threading.Lock()
        self._own: Subscription | None = None
        self._left: list[Event] = []
        self._lost = 0

    def follow(self, held: Held | None) -> None:
        """What the engine before said and was not read yet, is kept."""
        with self._lock:
            if self._own is not None:
                self._left += self._own.drain()
                self._lost += self._own.dropped
                self._own.close()
            self._own = None
            if isinstance(held, Own):
                self._own = held.engine.subscribe(capacity=self._capacity)

    @property
    def dropped(self) -> int:
        with self._lock:
            own = self._own.dropped if self._own is not None else 0
            return self._box.dropped + self._lost + own

    def drain(self) -> list[Event]:
        """All events since the last call, oldest first; never blocks."""
        with self._lock:
            left, self._left = self._left, []
            own = self._own.drain() if self._own is not None else []
            return [*left, *sorted([*self._box.drain(), *own], key=lambda event: event.at)]

    def wait(self, timeout_s: float) -> bool:
        """Wait for an event; True when there is one."""
        own = self._own
        return bool(self._left) or (self._box if own is None else own).wait(timeout_s)

    def close(self) -> None:
        with self._lock:
            if self._own is not None:
                self._own.close()
        self._box.close()
        self._forget(self)
