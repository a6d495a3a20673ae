"""What the commit model explores: machines with a cache and a state each, and plain clients.

Every run of a machine begins with a copy of its home, so that its answers alone decide. What is
left behind when it ends, or when its plug is pulled, is a home again: recovery starts from there.
"""

import copy
import hashlib
import itertools
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine, state_file
from s3dash.engine.remote import PAGE
from s3dash.errors import S3DashError
from s3dash.local.state import State
from s3dash.objectstore.port import ObjectStore
from tests.engine.clocks import TestClock
from tests.engine.peer import PlainPeer
from tests.engine.world import Machine
from tests.reliability.explorer import Node, Runner
from tests.reliability.replay import Answer, Replay, Request

LOCK = ".datastore.lock"
Asked = tuple[Request | None, tuple[str, ...]]
Program = Callable[[Machine], object]


class EvenClock(TestClock):
    """Every wait of any thread takes a second, whatever was asked for: pauses are random.

    A heart never beats: no schedule takes that long.
    """

    __test__ = False

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if threading.current_thread().name == "s3dash-lease":
            return event.wait()
        if not event.is_set():
            self.advance(1.0)
        return event.is_set()


class Steady(Machine):
    """A machine whose runs are all alike: its clock, its nonces, one request at a time.

    `era` keeps the nonces of different times in its life apart. `large`: its index is taken to be
    so large that looking at single documents costs less than a listing.
    """

    def __init__(
        self, home: Path, store: Callable[[], ObjectStore], *, era: str, large: bool = False
    ) -> None:
        super().__init__(
            home,
            store,
            clock=EvenClock(),
            push_concurrency=1,
            pull_concurrency=1,
            lock_timeout_ms=1,
        )
        self._page = 0 if large else PAGE
        self._nonces = (f"{home.name}-{era}-{n}" for n in itertools.count())

    def engine(self) -> Engine:
        nonce = partial(next, self._nonces)
        return open_engine(
            self.settings, store=self.store(), clock=self.clock, nonce=nonce, page=self._page
        )


def pushes(machine: Machine) -> object:
    return machine.push(max_delete=100)


def syncs(machine: Machine) -> object:
    return machine.sync(policy="keep-both", max_delete=100)


@dataclass(eq=False)
class Ours:
    """A machine that starts from what is in `home`. `lock`: its lock is the others' lock, too.

    `large`: see `Steady`.
    """

    home: Path
    program: Program = pushes
    lock: bool = False
    large: bool = False
    ours: bool = True
    _images: dict[tuple[Node, bool], tuple[Path, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.home.name

    def next(self, answers: Sequence[Answer]) -> Asked:
        return self._run(answers)

    def image(self, runner: Runner) -> tuple[Path, str]:
        """The home as this runner left it, and what tells it from others."""
        key = (runner.at, runner.dead)
        if key not in self._images:
            path = self._beside(f"images/{len(self._images)}/{self.name}")
            keep = partial(shutil.copytree, self._scratch, path)
            self._run(runner.at.answers, keep if runner.dead else None)
            if not runner.dead:
                keep()
            self._images[key] = path, fingerprint(path)
        return self._images[key]

    @property
    def _scratch(self) -> Path:
        return self._beside(f"scratch/{self.name}")

    def _beside(self, name: str) -> Path:
        return self.home.parent / f"model-{self.name}" / name

    def _run(self, answers: Sequence[Answer], on_stop: Callable[[], object] | None = None) -> Asked:
        scratch = self._scratch
        if scratch.exists():
            shutil.rmtree(scratch)
        shutil.copytree(self.home, scratch)
        private = () if self.lock else (LOCK,)
        store = Replay(answers, private=private, on_stop=on_stop)
        machine = Steady(scratch, lambda: cast(ObjectStore, store), era="race", large=self.large)
        store.run(partial(self.program, machine), takes=S3DashError)
        return store.asked, tuple(store.log)


@dataclass(eq=False)
class Plain:
    """A plain client on its way through a push; it begins by reading the index.

    `files` is what it holds for dirty.
    """

    files: dict[str, bytes]
    seen: dict[str, dict[str, Any]]
    name: str = "plain"
    ours: bool = False

    def next(self, answers: Sequence[Answer]) -> Asked:
        store = Replay(answers)
        peer = PlainPeer(cast(ObjectStore, store))
        peer.files, peer.seen = copy.deepcopy(self.files), copy.deepcopy(self.seen)
        store.run(peer.push, takes=S3DashError)
        return store.asked, tuple(store.log)


def fingerprint(home: Path) -> str:
    """All that can decide what a machine does next; times and names of the moment left out."""
    machine = Steady(home, _no_store, era="")
    state = State(state_file(machine.settings), read_only=True)
    try:
        known: list[object] = [
            sorted((r.rel, r.sha256, r.tag, r.etag or "") for r in state.base_rows().values()),
            sorted((j.rel, j.action, j.sha256, j.etag, j.over) for j in state.journal()),
            sorted(state.older(machine.files()).items()),
            sorted((key, etag) for key, (etag, _) in state.docs().items()),
        ]
    finally:
        state.close()
    blobs = sorted(p.read_bytes() for p in (home / "state/trash").glob("*.blob"))
    known += [sorted(machine.files().items()), blobs]
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _no_store() -> ObjectStore:
    raise AssertionError("nobody asks the bucket here")
