"""Noticing that something below a directory changed. Events only mark paths: dirty is a state.

A lost event is no harm, the next look finds it: so everything is looked at after each start,
after an overflow, and now and then anyway.
"""

import errno
import logging
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from s3dash.clock import Clock
from s3dash.core.debounce import Debounce
from s3dash.core.paths import is_data
from s3dash.core.snapshot import WatchState

MAX_PATHS = 5_000
"""A burst of more paths than this is «look at everything»."""

_HEALTH_S = 1.0
_SLOW = 6  # while events come, look at everything at this multiple of `poll_s`
_FILTER: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]
_PROBE: list[type[FileSystemEvent]] = [DirDeletedEvent]
_SYSCTL = {
    errno.ENOSPC: "fs.inotify.max_user_watches=1048576",
    errno.EMFILE: "fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=1048576",
}
"""What raises the limit that was reached; root has to do it."""


class EventSource(Protocol):
    """What we use of a watchdog observer."""

    def schedule(
        self,
        event_handler: FileSystemEventHandler,
        path: str,
        *,
        recursive: bool = False,
        event_filter: list[type[FileSystemEvent]] | None = None,
    ) -> ObservedWatch: ...

    def unschedule(self, watch: ObservedWatch) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def is_alive(self) -> bool: ...
    def join(self) -> None: ...


class Watcher:
    """Calls `on_paths` in its own thread with the paths below `base` that may have changed.

    Paths are relative to `base`; a directory stands for all below it; None: look at everything.
    `on_paths` must not raise. A burst is told after `quiet_s` without another event, at most
    `longest_s` after its first. Without native events everything is looked at each `poll_s`.
    """

    def __init__(
        self,
        base: Path,
        *,
        on_paths: Callable[[set[str] | None], None],
        clock: Clock,
        quiet_s: float = 0.3,
        longest_s: float = 2.0,
        poll_s: float = 10.0,
        observer_factory: Callable[[], EventSource] = Observer,
    ) -> None:
        self._base = base
        self._on_paths = on_paths
        self._clock = clock
        self._poll_s = poll_s
        self._factory = observer_factory
        self._marks = _Marks(clock, Debounce(quiet_s, longest_s))
        self._state = WatchState("off", "not started")
        self._source: EventSource | None = None
        self._watched: tuple[int, int] | None = None
        self._everything = False
        self._next_look = 0.0
        self._next_attach = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="s3dash-watch", daemon=True)

    @property
    def state(self) -> WatchState:
        return self._state

    def start(self) -> None:
        """Begin in the background; everything is told once, as soon as events are on."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and the events; idempotent. `on_paths` is not called afterwards."""
        self._stop.set()
        self._marks.wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    # --- the thread ---------------------------------------------------------------------

    def _run(self) -> None:
        overflow = _Overflow(self._marks)
        logger = logging.getLogger("watchdog")
        logger.addHandler(overflow)
        try:
            while not self._stop.is_set():
                self._tend(self._clock.monotonic())
                self._deliver()
                self._clock.wait(self._marks.wake, self._marks.pause_s(_HEALTH_S, self._poll_s))
                self._marks.wake.clear()
        finally:
            self._detach()
            logger.removeHandler(overflow)
            self._state = WatchState("off", "stopped")

    def _tend(self, now: float) -> None:
        """Keep the events coming, or poll; see that `base` is still the one we watch."""
        here = self._identity()
        gone, self._marks.root_gone = self._marks.root_gone, False
        if self._source is not None and (gone or here != self._watched):
            self._detach()
            self._everything = True
            self._next_attach = now
        if here is None:
            self._state = WatchState("off", f"{self._base} is missing")
            self._next_attach = now
        elif self._source is None and now >= self._next_attach:
            self._attach(here, now)
        if now >= self._next_look:
            self._look(now)

    def _look(self, now: float) -> None:
        self._everything = self._everything or self._watched is not None
        self._next_look = now + self._poll_s * (_SLOW if self._source else 1)
        if self._source is not None:
            try:
                self._prove_room(self._source)
            except OSError as error:
                self._poll_instead(error, now)

    def _deliver(self) -> None:
        if self._stop.is_set():
            return
        if self._everything:
            self._everything = False
            self._on_paths(None)
        elif paths := self._marks.take():
            self._on_paths(None if "" in paths or len(paths) > MAX_PATHS else paths)

    def _identity(self) -> tuple[int, int] | None:
        """Which directory `base` is now, or None when there is none."""
        try:
            found = self._base.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    # --- native events ------------------------------------------------------------------

    def _attach(self, here: tuple[int, int], now: float) -> None:
        """Turn native events on, or poll where that cannot be."""
        self._watched = here
        self._everything = True
        # watchdog warns when it meets a new directory twice (`mkdir -p`), which is harmless.
        warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)
        try:
            self._source = self._factory()
            root = os.path.realpath(self._base)  # a watch on a symlink would see nothing
            handler = _Handler(self._marks, root)
            self._source.schedule(handler, root, recursive=True, event_filter=_FILTER)
            self._source.start()
            self._prove_room(self._source)
        except OSError as error:
            self._poll_instead(error, now)
        else:
            self._state = WatchState("native", "")
            self._next_look = now + self._poll_s * _SLOW

    def _prove_room(self, source: EventSource) -> None:
        """Raises OSError when no further watch can be had.

        watchdog skips a subdirectory that it cannot watch without a word; so one more watch,
        on a directory that has none yet, is tried.
        """
        outside = str(Path(os.path.realpath(self._base)).parent)
        source.unschedule(
            source.schedule(FileSystemEventHandler(), outside, recursive=False, event_filter=_PROBE)
        )

    def _poll_instead(self, error: OSError, now: float) -> None:
        self._detach()
        self._next_attach = now + self._poll_s * _SLOW
        self._next_look = now + self._poll_s
        detail = f"no events ({error.strerror or error}), looking every {self._poll_s:g} s"
        if error.errno in _SYSCTL:
            detail = f"{detail}; sudo sysctl {_SYSCTL[error.errno]}"
        self._state = WatchState("polling", detail)

    def _detach(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.stop()
            if source.is_alive():
                source.join()


class _Marks:
    """What was noticed and not yet told, "" for everything; filled by the event threads."""

    def __init__(self, clock: Clock, debounce: Debounce) -> None:
        self.wake = threading.Event()
        self.root_gone = False
        self._clock = clock
        self._debounce = debounce
        self._lock = threading.Lock()

    def add(self, rel: str) -> None:
        with self._lock:
            self._debounce.add(rel, self._clock.monotonic())
        self.wake.set()

    def take(self) -> set[str]:
        """What is due now."""
        with self._lock:
            return self._debounce.take(self._clock.monotonic())

    def pause_s(self, *limits: float) -> float:
        """How long there is nothing to tell."""
        with self._lock:
            due = self._debounce.due_in(self._clock.monotonic())
        return min(*limits, *(() if due is None else (due,)))


class _Handler(FileSystemEventHandler):
    def __init__(self, marks: _Marks, root: str) -> None:
        self._marks = marks
        self._root = root
        self._prefix = root.rstrip("/") + "/"

    def dispatch(self, event: FileSystemEvent) -> None:
        """Called under the observer's lock: it only takes a note."""
        if isinstance(event, DirMovedEvent):
            self._marks.add("")
            return
        for path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            if path == self._root:
                # Its inode number may be taken again at once, so that no stat would tell.
                self._marks.root_gone |= isinstance(event, DirDeletedEvent)
                self._marks.add("")
            elif path.startswith(self._prefix) and is_data(rel := path[len(self._prefix) :]):
                self._marks.add(rel)


class _Overflow(logging.Handler):
    """watchdog tells of a queue overflow in its log only. No record goes to the terminal."""

    def __init__(self, marks: _Marks) -> None:
        super().__init__(logging.WARNING)
        self._marks = marks

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._marks.add("")
