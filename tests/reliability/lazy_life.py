"""Users of lazy caches among others: what is not here is no deletion, whatever happens to it.

The model knows which content users wrote and have not since replaced or deleted, and which paths
each has deleted on purpose. A lazy cache loses a file in three ways: its user takes the content
away to save room (no deletion), takes away the directory of a version (a deletion of what was
here, and of nothing else), or the bucket had it deleted by somebody.
"""

import json
import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s3dash.core.paths import is_lazy_skippable
from s3dash.core.report import Result
from s3dash.errors import Integrity, S3DashError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.storm import FastClock
from tests.engine.world import Machine, contents

VERSIONS = [f"data/{model}/name/{n}" for model in ("@a/srv/id1", "plain/id2") for n in (1, 2)]
NAMES = ("raw", "metadata.yaml")
PLAIN = ("logs/app.log", "files/a")
WAYS: tuple[dict[str, Any], ...] = (
    {"hydration": None},
    {"hydration": "lazy"},
    {"hydration": "full"},
)
INDEX: dict[int, dict[str, dict[str, Any]]] = {
    1: {
        ".datastore-index.json": {"version": 1, "lastPulled": "", "entries": {}},
        "_index/_meta.json": {"version": 1, "partitions": []},
    },
    2: {"_index/_meta.json": {"version": 2, "partitions": [], "commitSeq": 0}},
}
"""An empty one of each version."""


class PlugPulled(Integrity):
    """The process died here."""


def _indexes(objects: dict[str, bytes]) -> list[tuple[str, bytes]]:
    return [(k, b) for k, b in objects.items() if k.startswith(("_index/", ".datastore-index."))]


class LazyLife:
    """Ada keeps everything, Bob is lazy by his configuration, Cyn by what she asks for."""

    def __init__(
        self, home: Path, dice: random.Random, *, namespace: str | None, version: int
    ) -> None:
        self.dice = dice
        self.root = f"{namespace}/" if namespace else ""
        self.clock = FastClock()
        self.bucket = MemoryBucket(clock=self.clock)
        self.fuse = 0
        kept = {"ada": "full", "bob": "lazy", "cyn": "full"}
        self.machines = [
            Machine(
                home / name,
                self._connect,
                clock=self.clock,
                namespace=namespace,
                hydration=how,
                pull_concurrency=1,
                push_concurrency=1,
            )
            for name, how in kept.items()
        ]
        self.alive: dict[bytes, str] = {}
        self.meant: dict[str, set[str]] = {name: set() for name in kept}
        self.unseen: dict[str, dict[str, bytes]] = {name: {} for name in kept}
        """Content that was taken away, and that no command has seen to be away yet."""
        self.left: dict[str, dict[str, bytes]] = {name: {} for name in kept}
        """Content that was taken away and left in the bucket: known, and replaced by a write."""
        self.log: list[str] = []
        self.done: Counter[str] = Counter()
        self._written = 0
        store = MemoryStore(self.bucket)
        for key, body in INDEX[version].items():
            store.put(self.root + key, json.dumps(body).encode())

    def _connect(self) -> MemoryStore:
        return MemoryStore(self.bucket, before=self._request, after=self._request)

    def _request(self, op: str, key: str) -> None:
        if self.fuse:
            self.fuse -= 1
            if self.fuse == 0:
                self.fuse = -1
        if self.fuse < 0:
            raise PlugPulled(f"the plug was pulled at {op} {key}")

    def begin(self) -> None:
        """Everybody is in step: Ada has all, the others what a lazy pull brings."""
        ada, *others = self.machines
        for rel in (*(f"{v}/{n}" for v in VERSIONS for n in NAMES), *PLAIN):
            self._put(ada, rel)
        ada.push()
        for machine in others:
            machine.pull(hydration="lazy")

    # --- what users do ------------------------------------------------------------------

    def something(self) -> None:
        lot = self.dice.random()
        machine = self.dice.choice(self.machines)
        if lot < 0.2:
            self.write(machine)
        elif lot < 0.42:
            self.take_away(machine)
        elif lot < 0.48:
            self.delete(machine)
        else:
            self.operate(machine)

    def write(self, machine: Machine) -> None:
        rel = self.dice.choice([*(f"{v}/{n}" for v in VERSIONS for n in NAMES), *PLAIN])
        path = machine.base / rel
        known = self.left[machine.home.name].pop(rel, b"")
        self.alive.pop(path.read_bytes() if path.is_file() else known, None)
        self._put(machine, rel)

    def _put(self, machine: Machine, rel: str) -> None:
        self._written += 1
        body = f"{self._written:04} {machine.home.name}".encode()
        self.alive[body] = rel
        machine.write(rel, body)
        self.note(f"{machine.home.name} writes {rel} {body!r}")

    def take_away(self, machine: Machine) -> None:
        """Content alone: where nothing is lazy that is a deletion like any other."""
        here = sorted(rel for rel in machine.files() if is_lazy_skippable(rel))
        if not here:
            return
        rel = self.dice.choice(here)
        body = machine.read(rel)
        (machine.base / rel).unlink()
        if not self.is_lazy(machine):
            self.meant[machine.home.name].add(rel)
            self.alive.pop(body, None)
        elif body not in self.objects().values():
            self.alive.pop(body, None)  # nobody else ever had it
        else:
            self.left[machine.home.name][rel] = body
        self.unseen[machine.home.name][rel] = body
        self.note(f"{machine.home.name} takes {rel} away")

    def delete(self, machine: Machine) -> None:
        """A version with all that is here of it. What was taken away just before went with it,
        for all that a command can see."""
        version = self.dice.choice(VERSIONS)
        if not (machine.base / version).is_dir():
            return
        for rel, body in {**self.unseen[machine.home.name], **machine.files()}.items():
            if rel.startswith(f"{version}/"):
                self.meant[machine.home.name].add(rel)
                self.alive.pop(body, None)
        shutil.rmtree(machine.base / version)
        self.note(f"{machine.home.name} deletes {version}")

    # --- what programs do ---------------------------------------------------------------

    def operate(self, machine: Machine) -> None:
        what = self.dice.choice(("push", "pull", "sync", "sync", "hydrate", "status"))
        how = self.dice.choice(WAYS)
        self.fuse = self.dice.randrange(1, 25) if self.dice.random() < 0.4 else 0
        before, dropped = self.named(), self.dropped()
        self.note(f"{machine.home.name} {what} {how} fuse {self.fuse}")
        try:
            self.note(f"  {self._call(machine, what, how)}")
            self.done[what] += 1
            if what != "status" or self.fuse >= 0:  # cut off, that answers, and has seen nothing
                self.unseen[machine.home.name].clear()
        except S3DashError as error:
            self.note(f"  {type(error).__name__} {error.message}")
            self.done["killed"] += isinstance(error, PlugPulled)
        finally:
            self.fuse = 0
            self._lock_runs_out()
        gone = before - self.named() - self.meant[machine.home.name] - dropped
        assert not gone, self.story(f"{machine.home.name} deleted what nobody meant: {gone}")

    def _call(self, machine: Machine, what: str, how: dict[str, Any]) -> object:
        if what == "status":
            status = machine.status()
            return status.local.hydrated, [row.path for row in status.local.dirty]
        if what == "hydrate":
            return self._with(machine, lambda engine: engine.hydration.hydrate())
        known = {} if what == "push" and how["hydration"] == "full" else how
        return getattr(machine, what)(policy="keep-both", max_delete=100, **known)

    @staticmethod
    def _with(machine: Machine, ask: Callable[[Any], Result]) -> Result:
        engine = machine.engine()
        try:
            return ask(engine)
        finally:
            engine.stop()

    def _lock_runs_out(self) -> None:
        lock = f".locks/{self.root[:-1]}.lock" if self.root else ".datastore.lock"
        MemoryStore(self.bucket).delete(lock)

    # --- what is so ---------------------------------------------------------------------

    def is_lazy(self, machine: Machine) -> bool:
        if machine.settings.hydration == "lazy":
            return True
        path = machine.cache / ".datastore-sync-state.json"
        return path.exists() and bool(machine.sidecar()["lazyPullActive"])

    def objects(self) -> dict[str, bytes]:
        found = contents(MemoryStore(self.bucket), self.root)
        return {key.removeprefix(self.root): body for key, body in found.items()}

    def named(self) -> set[str]:
        """The paths that have an object: a deletion takes it away last."""
        return {rel for rel in self.objects() if rel.startswith(("data/", "logs/", "files/"))}

    def dropped(self) -> set[str]:
        """What somebody's push deleted, and died before its object went: whoever comes ends it."""
        objects = self.objects()
        entries = {key: json.loads(body).get("entries") for key, body in _indexes(objects)}
        monolith = entries.pop(".datastore-index.json", None)
        listed = {rel for shard in entries.values() for rel in shard or ()}
        if monolith is not None:
            listed &= set(monolith)
        return set().union(*self.meant.values()) - listed

    def check(self) -> None:
        have = set(self.objects().values())
        for machine in self.machines:
            have |= set(machine.files().values())
            have |= {p.read_bytes() for p in (machine.home / "state/trash").glob("*.blob")}
        lost = {body: rel for body, rel in self.alive.items() if body not in have}
        assert not lost, self.story(f"LOST {lost}")

    def calm(self) -> None:
        """Everybody syncs, then brings all there is: all have the same, and nothing is left."""
        self.clock.wait(threading.Event(), 3 * 86_400.0)
        for _ in range(8):
            results = [m.sync(policy="keep-both", max_delete=100) for m in self.machines]
            for machine, result in zip(self.machines, results, strict=True):
                self.note(f"calm {machine.home.name}: {result}")
            if not any(r.pushed + r.pulled + r.deleted_local + r.deleted_remote for r in results):
                break
        self.check()
        for machine in self.machines:
            self.note(f"full {machine.home.name}: {machine.pull(hydration='full')}")
        want = {rel: body for rel, body in self.objects().items() if rel in self.named()}
        for machine in self.machines:
            have = machine.files()
            apart = {r for r in have.keys() | want.keys() if have.get(r) != want.get(r)}
            assert not apart, self.story(f"APART {machine.home.name} {apart}")
            status = machine.status()
            left = [row.path for row in (*status.local.dirty, *status.remote.changed)]
            assert (left, status.conflicts) == ([], []), self.story(f"NOT CLEAN {left}")
            assert status.local.hydrated.files == len(want), self.story(str(status.local))
            assert self.is_lazy(machine) == (machine.settings.hydration == "lazy"), self.story("")

    def note(self, line: str) -> None:
        self.log.append(line)

    def story(self, end: str) -> str:
        return "\n".join([*self.log, end])
