"""A fleet at work: what everybody wrote, who holds which lock for how long, and what rest costs.

Each path has one writer at a time, so that its last version is known, while paths of different
writers lie in the same shards.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from s3dash.core.lock import decode_lock
from s3dash.engine.cas import read
from s3dash.engine.engine import Engine
from s3dash.errors import CommitConflict, LockHeld, LockLost
from s3dash.objectstore.port import ObjectStore
from tests.engine.world import Machine

PATIENCE_S = 180.0


@dataclass
class Written:
    """The last version of every path, by namespace; None: it was deleted. Every version counts."""

    last: dict[str, dict[str, bytes | None]] = field(default_factory=dict)
    versions: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, namespace: str, rel: str, body: bytes | None) -> None:
        with self._lock:
            self.last.setdefault(namespace, {})[rel] = body
            self.versions += 1

    def expected(self, namespace: str) -> dict[str, bytes]:
        with self._lock:
            now = self.last.get(namespace, {})
            return {rel: body for rel, body in now.items() if body is not None}

    def deleted(self, namespace: str) -> set[str]:
        with self._lock:
            return {rel for rel, body in self.last.get(namespace, {}).items() if body is None}


class Hand:
    """Changes files of its own in a cache: data of models, and files of a shard that all share."""

    def __init__(
        self, name: str, namespace: str, base: Path, written: Written, dice: random.Random
    ) -> None:
        self.name = name
        self._namespace = namespace
        self._base = base
        self._written = written
        self._dice = dice
        self._mine: list[str] = []
        self._number = 0

    def models(self, number: int) -> None:
        """The repository as it begins: so many models of this hand, one file each."""
        for n in range(number):
            self._write(f"data/server/{self.name}-{n:02}/state.json")

    def change(self, *, delete: bool) -> None:
        """One to three files: a new one, an edit, or now and then a deletion."""
        for _ in range(self._dice.randint(1, 3)):
            kind = self._dice.random()
            if kind < 0.3:
                self._write(f"files/{self.name}-{self._number}")
            elif kind < 0.9 or not delete:
                self._write(self._dice.choice(self._mine))
            else:
                self._delete(self._dice.choice(self._mine))

    def _write(self, rel: str) -> None:
        self._number += 1
        body = f"{self._namespace} {rel} {self._number} {self._dice.getrandbits(64):x}\n"
        body *= self._dice.randint(1, 200)
        path = self._base / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._base.parent / f".{self.name}.new"
        fresh.write_bytes(body.encode())
        fresh.replace(path)  # nobody sees half of it
        if rel not in self._mine:
            self._mine.append(rel)
        self._written.note(self._namespace, rel, body.encode())

    def _delete(self, rel: str) -> None:
        (self._base / rel).unlink(missing_ok=True)
        self._mine.remove(rel)
        self._written.note(self._namespace, rel, None)
        if not self._mine:
            self._write(rel)


class Peer:
    """An engine of ours in this process: pulls, changes something, pushes until it holds."""

    def __init__(self, machine: Machine, hand: Hand) -> None:
        self.machine = machine
        self._hand = hand
        self._engine: Engine = machine.engine()
        self.again: Counter[str] = Counter()

    def begin(self, models: int) -> None:
        self._hand.models(models)
        self._until_it_holds()

    def step(self) -> None:
        result = self._engine.pull()
        assert not result.failed, result
        self._hand.change(delete=True)
        self._until_it_holds()

    def finish(self) -> None:
        """What the others wrote comes; all of its own is there already."""
        result = self._engine.sync()
        assert result.pushed + result.deleted_remote == 0, result
        assert (result.failed, result.conflicts, result.blocked) == ([], [], []), result

    def close(self) -> None:
        self._engine.stop()

    def _until_it_holds(self) -> None:
        while True:
            try:
                result = self._engine.push()
            except (LockHeld, LockLost, CommitConflict) as error:
                self.again[type(error).__name__] += 1
                continue
            assert (result.conflicts, result.blocked) == ([], []), result
            if not result.failed:
                return
            self.again["failed"] += 1


class Sampler:
    """Looks at the locks in the bucket all the time: who has which, and for how long at the most.

    A hold counts from the look before it was first seen to the look at which it was gone.
    """

    def __init__(self, store: ObjectStore, every_s: float) -> None:
        self._store = store
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._held: dict[str, float] = {}
        self.longest: dict[str, float] = {}
        self.looks = 0

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def longest_s(self) -> float:
        return max(self.longest.values(), default=0.0)

    def _run(self) -> None:
        before = time.monotonic()
        while not self._stop.wait(self._every_s):
            at = time.monotonic()
            seen = {self._who(info.key) for info in list(self._store.list(".locks/"))} - {""}
            now = time.monotonic()
            for who in seen | self._held.keys():
                self.longest[who] = now - self._held.setdefault(who, before)
            self._held = {who: since for who, since in self._held.items() if who in seen}
            before = at
            self.looks += 1

    def _who(self, key: str) -> str:
        """The lock and its holder, empty when it is free by now."""
        found = read(self._store, key)
        if found is None:
            return ""
        body = decode_lock(found.body)
        return f"{key} by {body.holder} pid {body.pid} ({body.nonce})"


class Crew:
    """Threads that do a thing again and again until they are told to stop; errors are told."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []
        self.steps: Counter[str] = Counter()

    def add(self, name: str, step: Callable[[], None], *, pause_s: float) -> None:
        thread = threading.Thread(target=self._run, args=(name, step, pause_s))
        self._threads.append(thread)
        thread.start()

    def work(self, seconds: float) -> None:
        """Let them, for so long; shorter when one of them fails."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stop.wait(0.2):
            continue
        self.stop()
        assert self.errors == [], self.errors

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, name: str, step: Callable[[], None], pause_s: float) -> None:
        try:
            while not self._stop.wait(pause_s):
                step()
                self.steps[name] += 1
        except BaseException as error:  # noqa: BLE001 - told by `work`
            self.errors.append(error)
            self._stop.set()


def until_none(left: Callable[[], Sequence[object]], story: str) -> None:
    """Look again and again until nothing is left; else it fails with what is."""
    end, never = time.monotonic() + PATIENCE_S, threading.Event()
    while found := left():
        assert time.monotonic() < end, f"{story}: {found}"
        never.wait(0.1)


def tree(base: Path) -> dict[str, bytes]:
    """The data files below a directory; one that goes meanwhile is not there."""
    from s3dash.core.paths import is_data

    found = {}
    for path in sorted(base.rglob("*")):
        rel = path.relative_to(base).as_posix()
        try:
            if path.is_file() and is_data(rel):
                found[rel] = path.read_bytes()
        except FileNotFoundError:
            continue
    return found


def differing(have: dict[str, bytes], want: dict[str, bytes]) -> list[str]:
    """Paths that are missing, too many, or of another content, each with which."""
    return [
        f"{rel}: {'missing' if rel not in have else 'too many' if rel not in want else 'other'}"
        for rel in sorted(have.keys() | want.keys())
        if have.get(rel) != want.get(rel)
    ]
