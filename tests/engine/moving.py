"""An operation that runs in a thread of its own, on a bucket whose transfers can be held."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from s3dash.core.cancel import CancelToken
from s3dash.core.progress import Transfer
from s3dash.core.report import Result
from s3dash.engine.engine import Engine
from s3dash.errors import S3DashError
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from tests.engine.world import Machine

PATIENCE_S = 15.0
MOVES = ("upload", "send_part", "download", "get_range")


class Holding:
    """A hook that notes what moves, and keeps the requests of held keys until they are let go."""

    def __init__(self, *keys: str) -> None:
        self._changed = threading.Condition()
        self._held = set(keys)
        self.at: list[tuple[str, str]] = []
        self.begun: list[str] = []

    def __call__(self, op: str, key: str) -> None:
        if op not in MOVES:
            return
        with self._changed:
            self.at.append((op, key))
            if key not in self.begun:
                self.begun.append(key)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: key not in self._held, PATIENCE_S), key

    def hold(self, *keys: str) -> None:
        with self._changed:
            self._held.update(keys)

    def release(self, *keys: str) -> None:
        """None named: all."""
        with self._changed:
            self._held -= set(keys) or set(self._held)
            self._changed.notify_all()

    def wait_for(self, *keys: str) -> None:
        """Until the first request of each has come."""
        with self._changed:
            met = self._changed.wait_for(lambda: set(keys) <= set(self.begun), PATIENCE_S)
            assert met, (keys, self.begun)


class Moving:
    """A push, pull or sync of this engine that goes on in the background."""

    def __init__(self, engine: Engine, direction: str, **how: Any) -> None:
        self.engine = engine
        self.cancel = CancelToken()
        self.result: Result | None = None
        self.error: S3DashError | None = None
        self._over = threading.Event()
        self._turn = threading.Event()
        self._work: Callable[[], Result] = partial(
            getattr(engine, direction), cancel=self.cancel, **how
        )
        self._thread = threading.Thread(target=self._run, name="moving")
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except S3DashError as error:
            self.error = error
        finally:
            self._over.set()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def row(self, path: str) -> Transfer:
        """The row of this path, once there is one."""
        self.until(lambda: path in self.states())
        return next(r for r in self.engine.snapshot().progress.transfers if r.path == path)

    def ids(self, *paths: str) -> list[int]:
        rows = self.engine.snapshot().progress.transfers
        return [row.id for row in rows if row.path in paths]

    def states(self) -> dict[str, str]:
        return {r.path: r.state for r in self.engine.snapshot().progress.transfers}

    def until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, (self.states(), self.result, self.error)
            self._turn.wait(0.005)

    def until_state(self, path: str, state: str) -> None:
        self.until(lambda: self.states().get(path) == state)

    def end(self) -> Result:
        """Its result, once it has come to its end."""
        self._thread.join(PATIENCE_S)
        assert self.is_over, self.states()
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


@contextmanager
def moving(engine: Engine, direction: str = "push", **how: Any) -> Iterator[Moving]:
    """It ends with the block, whatever happened there."""
    going = Moving(engine, direction, **how)
    try:
        yield going
    finally:
        going.cancel.cancel()
        going._thread.join(PATIENCE_S)
        engine.stop()


PART = 1000
BIG = "files/big"
BODY = random.Random(4).randbytes(8 * PART + 7)
LONG = random.Random(5).randbytes((3 << 20) + 17)
"""More than is moved at a time, so that a download can stop in its middle."""


class Site:
    """A bucket in memory, machines on it, and a hook that holds what they move."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.bucket = MemoryBucket()
        self.hold = Holding()

    def machine(self, name: str, *, before: Hook | None = None, **settings: Any) -> Machine:
        def make() -> MemoryStore:
            return MemoryStore(
                self.bucket, before=before or self.hold, multipart_above=PART, part_size=PART
            )

        return Machine(self.home / name, make, **settings)

    def store(self) -> MemoryStore:
        return MemoryStore(self.bucket)

    @property
    def left_open(self) -> list[str]:
        return sorted(upload.key for upload in self.bucket.uploads().values())

    @contextmanager
    def going(
        self, machine: Machine, direction: str = "push", *, held: tuple[str, ...] = ()
    ) -> Iterator[Moving]:
        """The operation, with these paths held at their first request."""
        self.hold.begun.clear()
        self.hold.hold(*held)
        with moving(machine.engine(), direction) as going:
            self.hold.wait_for(*held)
            yield going
            self.hold.release()

    def staged(self, machine: Machine) -> list[str]:
        """Staged files that are left in the cache."""
        known = {machine.base / rel for rel in machine.files()}
        files = {p for p in machine.cache.rglob("*") if p.is_file()} - known
        return sorted(p.name for p in files if not p.name.startswith(".datastore"))
