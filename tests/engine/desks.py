"""One cache with several screens and commands on it, and what holds up their requests."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from s3dash.attach.borrowed import borrowed
from s3dash.attach.link import linked
from s3dash.core.snapshot import Snapshot
from s3dash.engine.api import EngineApi
from s3dash.engine.open import open_engine
from s3dash.errors import (
    S3DashError,
)
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.world import Machine

PATIENCE_S = 20.0


class Desk:
    """One cache, and as many screens and commands on it as a test wants."""

    def __init__(self, home: Path) -> None:
        self.bucket = MemoryBucket()
        self.machine = Machine(home / "ada", self.store, poll_interval_s=3600)
        self.peer = Machine(home / "bob", self.store)
        self.hold: Callable[[str, str], None] = lambda op, key: None
        self._closing = ExitStack()

    def store(self) -> MemoryStore:
        return MemoryStore(self.bucket, before=lambda op, key: self.hold(op, key))

    def screen(self, name: str = "screen", *, start: bool = True, **over: Any) -> EngineApi:
        settings = replace(self.machine.settings, **over)
        engine = linked(settings, lambda: open_engine(settings, store=self.store()), name=name)
        self._closing.callback(engine.stop)
        if start:
            engine.start()
        return engine

    def command(self) -> EngineApi:
        settings = self.machine.settings
        engine = borrowed(settings, lambda: open_engine(settings, store=self.store()))
        self._closing.callback(engine.stop)
        return engine

    def close(self) -> None:
        self._closing.close()


def until(engine: EngineApi, wanted: Callable[[Snapshot], object]) -> Snapshot:
    end = time.monotonic() + PATIENCE_S
    while not wanted(snapshot := engine.snapshot()):
        assert time.monotonic() < end, snapshot
        time.sleep(0.01)
    return snapshot


def in_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except S3DashError as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, found


class Gate:
    """Holds up the requests of one kind until it opens."""

    def __init__(self, *ops: str) -> None:
        self._ops = ops
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, op: str, key: str) -> None:
        if op in self._ops and key.startswith("files/"):
            self.reached.set()
            assert self.opened.wait(PATIENCE_S)
