"""The event bus: bounded per subscriber, drops counted, never blocking the engine."""

import threading
from collections import deque

from s3dash.core.events import Event


class Mailbox:
    """One subscriber's queue. When it is full the oldest event goes, and is counted."""

    def __init__(self, bus: "Bus", capacity: int) -> None:
        self._bus = bus
        self._queue: deque[Event] = deque(maxlen=capacity)
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._dropped = 0

    @property
    def dropped(self) -> int:
        return self._dropped

    def offer(self, event: Event) -> None:
        with self._lock:
            if len(self._queue) == self._queue.maxlen:
                self._dropped += 1
            self._queue.append(event)
            self._ready.set()

    def drain(self) -> list[Event]:
        """All events since the last call, oldest first; never blocks."""
        with self._lock:
            events = list(self._queue)
            self._queue.clear()
            self._ready.clear()
            return events

    def wait(self, timeout_s: float) -> bool:
        """Wait for an event; True when there is one."""
        return self._ready.wait(timeout_s)

    def close(self) -> None:
        self._bus.forget(self)


class Bus:
    """Hands each event to every subscriber."""

    def __init__(self) -> None:
        self._boxes: tuple[Mailbox, ...] = ()
        self._dropped = 0
        self._lock = threading.Lock()

    def subscribe(self, *, capacity: int = 1024) -> Mailbox:
        box = Mailbox(self, capacity)
        with self._lock:
            self._boxes = (*self._boxes, box)
        return box

    def forget(self, box: Mailbox) -> None:
        with self._lock:
            self._dropped += box.dropped if box in self._boxes else 0
            self._boxes = tuple(b for b in self._boxes if b is not box)

    def publish(self, event: Event) -> None:
        for box in self._boxes:
            box.offer(event)

    @property
    def dropped(self) -> int:
        """By all subscribers that there ever were."""
        with self._lock:
            return self._dropped + sum(box.dropped for box in self._boxes)
