"""An engine that is opened while others look on: the screen is there before it is.

Opening reads the state from disk and loads the SDKs, which takes longer than a screen may take
to show its first line.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from s3dash.core.settings import Datastore
from s3dash.errors import Cancelled, S3DashError

if TYPE_CHECKING:  # the screen's first line comes before these are loaded
    from s3dash.core.events import Event
    from s3dash.core.snapshot import Snapshot
    from s3dash.engine.api import EngineApi, Subscription

VALUES = frozenset({"limits"})
"""What parts of the facade have that is no function."""


def opened_later(settings: Datastore, opener: "Callable[[], EngineApi]") -> "EngineApi":
    """An engine that `opener` makes at the first call that needs it.

    That call waits for it, and so do those that come meanwhile; `snapshot`, `subscribe` and
    `settings` never wait. What `opener` raises, every call raises that needs the engine, and the
    snapshot says it; it is not tried again.
    """
    return cast("EngineApi", _Opening(settings, opener))  # the rest of the facade is `__getattr__`


class _Opening:
    def __init__(self, settings: Datastore, opener: "Callable[[], EngineApi]") -> None:
        self._settings = settings
        self._opener = opener
        self._turn = threading.Lock()
        self._engine: EngineApi | None = None
        self._failed: S3DashError | None = None
        self._stopped = False
        self._waiting: list[_Later] = []

    @property
    def settings(self) -> Datastore:
        return self._settings if self._engine is None else self._engine.settings

    def __getattr__(self, name: str) -> Any:
        """Whatever else an engine has: its own once it is there, until then a promise of it."""
        if name.startswith("_"):
            raise AttributeError(name)
        if self._engine is None:
            return _Promise(self.engine, (name,))
        return getattr(self._engine, name)

    def engine(self) -> "EngineApi":
        """The engine; opens it when nobody did. Blocks meanwhile, and raises why there is none."""
        with self._turn:
            if self._failed is not None:
                raise self._failed.with_traceback(None)  # else it grows with each call
            if self._engine is None:
                if self._stopped:
                    raise Cancelled("the engine was stopped")
                self._open()
            return cast("EngineApi", self._engine)

    def _open(self) -> None:
        try:
            engine = self._opener()
        except S3DashError as error:
            self._failed = error
            raise
        self._engine = engine
        for mailbox in self._waiting:
            mailbox.attach(engine)

    def stop(self) -> None:
        """Ends it, or keeps it from being opened; one that is just being opened ends after that."""
        with self._turn:
            self._stopped = True
            engine = self._engine
        if engine is not None:
            engine.stop()

    def snapshot(self) -> "Snapshot":
        from s3dash.core.snapshot import AutoSync, Snapshot

        if self._engine is not None:
            return self._engine.snapshot()
        given, failed = self.settings, self._failed
        return Snapshot(
            datastore=given.name,
            namespace=given.namespace,
            state="starting" if failed is None else "failed",
            detail="opening" if failed is None else "",
            message="" if failed is None else f"{failed.message}  {failed.hint}".rstrip(),
            auto=AutoSync(given.auto_sync, given.poll_interval_s),
        )

    def subscribe(self, *, capacity: int = 1024) -> "Subscription":
        mailbox = _Later(capacity)
        if self._engine is None:
            self._waiting.append(mailbox)
        if self._engine is not None:  # be it since the line above: whoever opened it may have
            mailbox.attach(self._engine)  # looked at the others before this one was there
        return mailbox


class _Promise:
    """A function, or a part with functions, of an engine that is not there yet.

    A value of such a part cannot be promised: asking for one of `VALUES` waits for the engine.
    """

    def __init__(self, engine: "Callable[[], EngineApi]", path: tuple[str, ...]) -> None:
        self._engine = engine
        self._path = path

    def __getattr__(self, name: str) -> Any:
        promised = _Promise(self._engine, (*self._path, name))
        return promised.kept() if name in VALUES else promised

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.kept()(*args, **options)

    def kept(self) -> Any:
        """What was promised, as soon as the engine is there."""
        found: Any = self._engine()
        for name in self._path:
            found = getattr(found, name)
        return found


class _Later:
    """A subscription from before there was an engine; it misses nothing, as none happened."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._there = threading.Event()
        self._real: Subscription | None = None
        self._closed = False

    def attach(self, engine: "EngineApi") -> None:
        """Once; later calls do nothing."""
        with self._lock:
            if not self._closed and self._real is None:
                self._real = engine.subscribe(capacity=self._capacity)
                self._there.set()

    @property
    def dropped(self) -> int:
        return 0 if self._real is None else self._real.dropped

    def drain(self) -> "list[Event]":
        return [] if self._real is None else self._real.drain()

    def wait(self, timeout_s: float) -> bool:
        if self._real is None and not self._there.wait(timeout_s):
            return False
        return self._real is not None and self._real.wait(timeout_s)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._real is not None:
                self._real.close()
