"""Machines that edit and sync at random, into each other, through crashes: nothing is lost.

The model remembers every content that a user wrote and that no user has since replaced or
deleted knowingly, that is, in a cache that showed it. Each must stay readable somewhere. When
the storm is over a few syncs with `keep-both` bring all machines to the same files.
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from s3dash.clock import SystemClock
from s3dash.core.report import ConflictInfo, Result
from s3dash.errors import Integrity, S3DashError, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.invariants import Invariants, Watched
from tests.engine.peer import META, PlainPeer
from tests.engine.world import Machine, contents, digest

NAMES = (
    "top", "files/a", "files/b", "files/d", "files/d/x", "logs/l", "odd/z", "data/t/m/n/1/raw",
)  # fmt: skip
PEER_NAMES = ("top", "files/a", "files/b", "files/c", "logs/l")
CHANGING = ("put", "upload", "delete", "list", "download", "copy")
STEPS = 25
PROBES = "_control/s3dash/probe/"
"""What is asked there goes side by side, in any order: nothing happens meanwhile, or a seed would
not tell a storm. The proofs have tests of their own."""


class FastClock:
    """Waiting costs no time. A heart beats never, so that leases do run out.

    The wall clock is a year behind: no stat is ever old enough to be trusted.
    """

    def __init__(self) -> None:
        self._system = SystemClock()
        self._ahead = 0.0

    def now(self) -> datetime:
        return self._system.now() - timedelta(days=365) + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        return self._system.monotonic() + self._ahead

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if threading.current_thread().name == "s3dash-lease":
            return event.wait()
        self._ahead += seconds
        return event.is_set()


class Pulled(Integrity):
    """The plug of a machine was pulled."""


class Storm:
    """The machines, the plain peer, and the model of what may not be lost."""

    def __init__(
        self,
        home: Path,
        seed: int,
        *,
        peer: bool,
        policies: tuple[str, ...],
        trash_max_size: int = 0,
    ) -> None:
        self.dice = random.Random(seed)
        self.clock = clock = FastClock()
        self.bucket = MemoryBucket(clock=clock)
        self.machines = [
            Machine(
                home / name,
                partial(self._connect, name),
                clock=clock,
                pull_concurrency=1,
                push_concurrency=1,
                trash_max_size=trash_max_size,
            )
            for name in ("ada", "bob", "cyn")
        ]
        self.peer = PlainPeer(MemoryStore(self.bucket)) if peer else None
        self.policies = policies
        self.alive: dict[bytes, str] = {}
        self.log: list[str] = []
        self.done: Counter[str] = Counter()
        self._written = 0
        self._watched: dict[str, Watched] = {}
        self._busy: list[Machine] = []
        self._watching: set[str] = set()
        self._lock = threading.Lock()
        self._rules = Invariants(plain=peer)
        self._pushing: Iterator[str] | None = None
        self._fuse = 0

    # --- what users do ------------------------------------------------------------------

    def edit(self) -> None:
        machine = self._idle()
        if machine is None:
            return
        rel = self.dice.choice(NAMES)
        path = machine.base / rel
        what = self.dice.choice(("write", "write", "write", "delete", "rename"))
        if not path.is_file():
            if path.is_dir() or path.parent.is_file():
                return
            what = "write"
        before = path.read_bytes() if path.is_file() else None
        if what == "rename":
            target = machine.base / self.dice.choice(NAMES)
            if not (target.exists() or target.parent.is_file() or path in target.parents):
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)
                self.note(f"{machine.home.name} renames {rel} to {target.name}")
            return
        self._superseded(before)
        if what == "delete":
            path.unlink()
            self.note(f"{machine.home.name} deletes {rel}")
        else:
            machine.write(rel, self._content(rel, machine.home.name))

    def edit_peer(self) -> None:
        assert self.peer is not None
        rel = self.dice.choice(PEER_NAMES)
        self._superseded(self.peer.files.get(rel))
        self.peer.write(rel, self._content(rel, "peer"))

    def _content(self, rel: str, who: str) -> bytes:
        self._written += 1
        pad = self.dice.choice(("", "", "", "+++"))
        body = f"{self._written:04}{who[:3]}{pad}".encode()
        self.alive[body] = f"{who} wrote it to {rel}"
        self.note(f"{who} writes {rel} {body!r}")
        return body

    def _superseded(self, body: bytes | None) -> None:
        """A user saw this content and went on from it."""
        if body is not None:
            self.alive.pop(body, None)

    # --- what programs do ---------------------------------------------------------------

    def sync(self, *, crash: bool) -> None:
        machine = self._idle()
        if machine is None:
            return
        direction = self.dice.choice(("push", "pull", "sync", "sync"))
        policy = self.dice.choice(self.policies)
        self._operate(
            machine,
            f"{direction} {policy}",
            lambda: getattr(machine, direction)(policy=policy, max_delete=100),
            crash=crash,
        )

    def resolve(self, *, crash: bool) -> None:
        """A user looks at the conflicts, thinks (others go on meanwhile), and decides one."""
        machine, found = self._one_in_conflict()
        if machine is None:
            return
        shown, take = self.dice.choice(found), self.dice.choice(("local", "remote", "both"))
        if self.dice.random() < 0.3:
            self.something()
        if machine not in self._busy:
            self._operate(
                machine,
                f"resolve {shown.path} take {take}",
                lambda: machine.resolve(shown.path, take=take, shown=shown),
                crash=crash,
            )

    def _one_in_conflict(self) -> tuple[Machine | None, list[ConflictInfo]]:
        for machine in [m for m in self.machines if m not in self._busy]:
            try:
                found = machine.conflicts()
            except S3DashError as error:
                self.note(f"{machine.home.name} cannot look: {error.message}")
                continue
            if found:
                return machine, found
        return None, []

    def restore(self) -> None:
        """A user takes something out of the trash, where it was or elsewhere."""
        machine = self._idle()
        items = machine.trash() if machine is not None else []
        if machine is None or not items:
            return
        item, to = self.dice.choice(items), self.dice.choice((None, "files/back", *NAMES))
        try:
            told = machine.restore_trash(item.id, to=to)
            self.done["restore"] += 1
        except S3DashError as error:
            told = f"{type(error).__name__} {error.message}"
        self.note(f"{machine.home.name} restores {item.path} to {to}: {told}")

    def _operate(
        self, machine: Machine, what: str, call: Callable[[], Result], *, crash: bool
    ) -> None:
        self._fuse = self.dice.randrange(1, 30) if crash else 0
        self._busy.append(machine)
        self.note(f"{machine.home.name} {what} fuse {self._fuse}")
        try:
            self.note(f"{machine.home.name}: {call()}")
            self.done[what.split()[0]] += 1
        except S3DashError as error:
            self.note(f"{machine.home.name}: {type(error).__name__} {error.message}")
            if isinstance(error, Pulled):
                self._lock_runs_out()
        finally:
            self._fuse = 0
            self._busy.remove(machine)

    def _lock_runs_out(self) -> None:
        """The dead one's lock goes, as it would in a minute."""
        if not self._busy[:-1]:
            MemoryStore(self.bucket).delete(".datastore.lock")

    def step_peer(self) -> None:
        """One request of the peer's push, at whatever moment: its lock is worth nothing."""
        assert self.peer is not None
        if self._pushing is None:
            self._pushing = self.peer.pushing()
        done = next(self._pushing, None)
        self.note(f"peer {done}")
        if done is None:
            self._pushing = None

    def pull_peer(self) -> None:
        assert self.peer is not None
        if self._pushing is None:
            lost = self.peer.pull()
            self.note(f"peer pulls over {lost}")
            for body in lost.values():  # its own fault: plain clients do so
                self._superseded(body)

    def _idle(self) -> Machine | None:
        free = [m for m in self.machines if m not in self._busy]
        return self.dice.choice(free) if free else None

    def _connect(self, name: str) -> MemoryStore:
        """Every write of a machine is held to the invariants, as long as its lock holds."""
        watched = self._watched.setdefault(name, self._rules.watch(self.bucket, ""))
        hook = partial(self._request, name)
        return MemoryStore(watched, before=partial(hook, "before"), after=partial(hook, "after"))

    # --- between requests ---------------------------------------------------------------

    def _request(self, name: str, when: str, op: str, key: str) -> None:
        if op not in CHANGING or not self._busy or PROBES in key:
            return
        where = f"{when} {op} {key}"
        if self._fuse:
            self._fuse -= 1
            if self._fuse == 0:
                self._fuse = -1
        if self._fuse < 0:
            if len(self._busy) == 1:
                self.note(f"CRASH {where}")
                raise Pulled("the plug was pulled")
            return
        lot = self.dice.random()
        if lot < 0.02 and op != "list":
            self.note(f"lost {where}")
            raise Unreachable("no answer")
        if lot < 0.08 and len(self._busy) < 3 and self._may_look_on(name):
            self.note(f"meanwhile, {where}")
            fuse, self._fuse = self._fuse, 0
            try:
                self.something()
            finally:
                self._watching.discard(name)
            self._fuse = fuse

    def _may_look_on(self, name: str) -> bool:
        """Whether other things happen during this request. A machine asks on several threads, and
        of them only one looks on: users do one thing after the other, as the model counts them."""
        with self._lock:
            if name in self._watching or name not in (m.home.name for m in self._busy[-1:]):
                return False
            self._watching.add(name)
            return True

    def something(self) -> None:
        lot = self.dice.random()
        if lot < 0.35:
            self.edit()
        elif lot < 0.42:
            self.restore()
        elif lot < 0.52:
            self.resolve(crash=self.dice.random() < 0.2 and not self._busy)
        elif lot < 0.7 or self.peer is None:
            self.sync(crash=self.dice.random() < 0.2 and not self._busy)
        elif lot < 0.8:
            self.edit_peer()
        elif lot < 0.85:
            self.pull_peer()
        else:
            for _ in range(self.dice.randrange(1, 6)):
                self.step_peer()

    def note(self, line: str) -> None:
        self.log.append(line)

    # --- what must hold -----------------------------------------------------------------

    def readable(self) -> set[bytes]:
        found = set(contents(MemoryStore(self.bucket)).values()) | self._kept()
        return found | (set(self.peer.files.values()) if self.peer else set())

    def _kept(self) -> set[bytes]:
        """What lies in our caches and trashes."""
        found = set()
        for machine in self.machines:
            found |= {p.read_bytes() for p in machine.cache.rglob("*") if p.is_file()}
            found |= {p.read_bytes() for p in (machine.home / "state/trash").glob("*.blob")}
        return found

    def check(self) -> None:
        readable = self.readable()
        lost = {body: why for body, why in self.alive.items() if body not in readable}
        assert not lost, self.story(f"LOST {lost}")

    def calm(self) -> None:
        """The storm is over: the peer ends its push, then everybody syncs."""
        while self._pushing is not None:
            self.step_peer()
        self.clock.wait(threading.Event(), 3 * 86_400.0)
        self.bucket.remove(".datastore.lock")
        self._busy.clear()
        for at in range(8):
            results = []
            for machine in self.machines:
                results.append(machine.sync(policy="keep-both", max_delete=100))
                self.note(f"calm {at} {machine.home.name}: {results[-1]}")
            if not any(r.pushed + r.pulled + r.deleted_local + r.deleted_remote for r in results):
                break
        self.check()
        self._agree()

    def _agree(self) -> None:
        """Every machine has what the index names, and that is what the bucket has.

        A file and a directory of one name cannot be on one disk: one of the two may be missing.
        """
        bucket = contents(MemoryStore(self.bucket))
        named: dict[str, str | None] = {}
        for key, body in bucket.items():
            named.update(_entries(body) if _is_shard(key) else {})
        want = {rel: bucket.get(rel) for rel in named}
        both = {rel for rel in named for other in named if other.startswith(rel + "/")}
        either = {rel for rel in named for top in both if rel == top or rel.startswith(top + "/")}
        if self.peer is not None:
            either |= self._written_over(named, bucket)
        for machine in self.machines:
            name, have, status = machine.home.name, machine.files(), machine.status()
            apart = {r for r in have.keys() | want.keys() if have.get(r) != want.get(r)} - either
            assert not apart, self.story(f"APART {name} {apart} {have} {want}")
            left = [
                *(row.path for row in (*status.local.dirty, *status.remote.changed)),
                *(row.path for row in (*status.conflicts, *status.blocked)),
            ]
            assert set(left) <= either, self.story(f"NOT CLEAN {name} {status}")

    def _written_over(self, named: dict[str, str | None], bucket: dict[str, bytes]) -> set[str]:
        """Objects that the peer's blind PUT replaced: nobody can stop it, nor see it at once.

        What the index names is still in somebody's cache; or in a trash, where one of us took an
        object for abandoned, a day after the peer had sent it, and the peer then went on.
        """
        over = {rel for rel, sha in named.items() if sha and digest(bucket.get(rel, b"")) != sha}
        held = {digest(body) for body in self._kept()}
        assert {named[rel] for rel in over} <= held, self.story(f"NOBODY HAS {over}")
        return over

    def story(self, end: str) -> str:
        return "\n".join([*self.log, end])


def _is_shard(key: str) -> bool:
    return key.startswith("_index/") and key != META


def _entries(body: bytes) -> dict[str, str | None]:
    return {rel: entry.get("sha256") for rel, entry in json.loads(body)["entries"].items()}


def weather(
    home: Path,
    seed: int,
    *,
    peer: bool,
    policies: tuple[str, ...],
    steps: int = STEPS,
    trash_max_size: int = 0,
) -> Storm:
    """One storm, checked at every step and at its end; the storm that it was."""
    storm = Storm(home, seed, peer=peer, policies=policies, trash_max_size=trash_max_size)
    storm.machines[0].write("files/first", "first")
    storm.machines[0].push()
    for _ in range(steps):
        storm.something()
        storm.check()
    storm.calm()
    return storm
