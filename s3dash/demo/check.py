"""The demo's tour without a screen: every step is done, and then looked at in the bucket."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from s3dash.clock import Clock
from s3dash.core.keys import Keys
from s3dash.core.text import count, size
from s3dash.demo import content
from s3dash.demo.beside import Beside
from s3dash.demo.look import Look, Wrong, local_files, need, some
from s3dash.demo.world import YOU, World, model_lock, stale_lock, write
from s3dash.engine.engine import Engine
from s3dash.errors import LockHeld, S3DashError

NOTICE_S = 15.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the tour: what was verified, or what was wrong."""

    name: str
    ok: bool
    detail: str
    seconds: float


def tour(world: World, beside: Beside, clock: Clock) -> Iterator[Step]:
    """Do the steps in order; the first that fails is the last."""
    with world.store() as store, _started(world) as engine:
        guide = Guide(world, Look(store, "infra"), engine, beside, clock)
        for name, step in guide.steps():
            began = clock.monotonic()
            try:
                detail, ok = step(), True
            except S3DashError as error:
                hint = f" ({error.hint})" if error.hint else ""
                detail, ok = f"{type(error).__name__}: {error.message}{hint}", False
            yield Step(name, ok, detail, round(clock.monotonic() - began, 3))
            if not ok:
                return


@contextmanager
def _started(world: World) -> Iterator[Engine]:
    engine = world.engine(YOU, "infra")
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()


class Guide:
    """Leads through the tour. Each step returns what it saw, or raises."""

    def __init__(
        self, world: World, look: Look, engine: Engine, beside: Beside, clock: Clock
    ) -> None:
        self._world = world
        self._look = look
        self._engine = engine
        self._beside = beside
        self._clock = clock
        self._here = world.files(YOU, "infra")
        self._web = self._look.versions("web/")
        self._edits: dict[str, bytes | None] = {
            "logs/api.log": b"edited by you\n",
            "files/notes/new.md": b"a new note\n",
            "files/images/patched.img": bytes(range(256)) * 12_000,
            "audit/2026/01.jsonl": None,
        }

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        return [
            ("first pull", self.compare),
            ("watch", self.watch),
            ("status", self.status),
            ("push", self.push),
            ("the other writer", self.other_writer),
            ("pull", self.pull),
            ("conflict", self.conflict),
            ("settle it", self.settle),
            ("locks", self.locks),
            ("release a lock", self.release),
            ("namespaces", self.namespaces),
        ]

    # --- the steps ----------------------------------------------------------------------

    def compare(self) -> str:
        """The cache, the objects and the index say the same, byte for byte."""
        objects = self._look.objects()
        mine = local_files(self._here)
        need(objects.keys() == mine.keys(), f"other paths: {some(objects.keys() ^ mine.keys())}")
        other = [path for path, body in objects.items() if body != mine[path]]
        need(not other, f"other bytes: {some(other)}")
        hashes = {path: hashlib.sha256(body).hexdigest() for path, body in objects.items()}
        index = self._look.index()
        wrong = [p for p in hashes.keys() | index.keys() if hashes.get(p) != index.get(p)]
        need(not wrong, f"the index is not true: {some(wrong)}")
        total = sum(map(len, objects.values()))
        return f"{count(len(objects), 'file')}, {size(total)}, equal in cache, bucket and index"

    def watch(self) -> str:
        """Edit files and wait until the engine has noticed all of it by itself."""
        write(self._here, {p: body for p, body in self._edits.items() if body is not None})
        for path in (p for p, body in self._edits.items() if body is None):
            (self._here / path).unlink()
        self._wait_until(lambda: {r.path for r in self._engine.snapshot().dirty} == {*self._edits})
        mode = self._engine.snapshot().watch.mode
        return f"{count(len(self._edits), 'change')} noticed ({mode} events)"

    def status(self) -> str:
        """What status says is what was done."""
        found = self._engine.status()
        said = {c.path: c.change for c in found.local.dirty}
        want = {
            "logs/api.log": "modified",
            "files/notes/new.md": "added",
            "files/images/patched.img": "added",
            "audit/2026/01.jsonl": "deleted",
        }
        need(found.healthy, f"not healthy: {found.message}")
        need(said == want, f"status says {said}")
        return f"{count(len(said), 'dirty path')}, nothing to pull, {found.latency_ms:.0f} ms"

    def push(self) -> str:
        """The bucket has the edits, the deletion, and one commit more; no lock is left."""
        before = self._look.commit_seq()
        result = self._engine.push()
        numbers = (result.pushed, result.deleted_remote, len(result.failed))
        need(numbers == (3, 1, 0), f"push says {numbers}")
        objects = self._look.objects()
        for path, body in self._edits.items():
            need(objects.get(path) == body, f"{path} is not in the bucket as it is here")
        need(self._look.commit_seq() == before + 1, "the index did not move by one commit")
        need(not self._look.is_there(Keys("infra").lock), "the lock was left behind")
        self.compare()
        return (
            f"{result.pushed} up, {result.deleted_remote} deleted, {size(result.bytes_up)}, "
            f"{count(result.requests, 'request')}, commit {result.commit_seq}"
        )

    def other_writer(self) -> str:
        """A process of its own pushes; status lists exactly its changes."""
        changed = self._beside.ask("change")["changed"]
        behind = {c.path for c in self._engine.status().remote.changed}
        need(behind == set(changed), f"status lists {some(behind)}, pushed was {some(changed)}")
        return f"{count(len(changed), 'change')} by process {self._beside.pid}, all listed"

    def pull(self) -> str:
        """The other writer's changes arrive, byte for byte."""
        result = self._engine.pull()
        need(not result.failed and not result.conflicts, f"pull says {result.failed}")
        self.compare()
        return (
            f"{result.pulled} down, {result.deleted_local} deleted, {size(result.bytes_down)}, "
            f"{count(result.requests, 'request')}"
        )

    def conflict(self) -> str:
        """Both edit one file: it is told, and both versions stay readable."""
        path = content.CLASHING[0]
        theirs = self._beside.ask("change", clash=path)["changed"][path]
        write(self._here, {path: b"edited by you at the same time\n"})
        result = self._engine.sync()
        need([c.path for c in result.conflicts] == [path], f"conflicts: {result.conflicts}")
        need(result.exit_code == 3, f"exit code {result.exit_code}")
        need((self._here / path).read_bytes().startswith(b"edited by you"), "our edit is gone")
        held = hashlib.sha256(self._look.objects()[path]).hexdigest()
        need(held == theirs, "their edit is gone")
        return f"{path}: ours kept here, theirs kept in the bucket, exit code 3"

    def settle(self) -> str:
        """Keep both: theirs under the name, ours beside it, and both shared."""
        path = content.CLASHING[0]
        before = set(local_files(self._here))
        result = self._engine.sync(policy="keep-both")
        need(not result.conflicts and not result.failed, "still a conflict")
        self._engine.push()
        need((self._here / path).read_bytes().startswith(b"edited by ann"), "not their version")
        (copy,) = set(local_files(self._here)) - before or {""}
        need(copy.startswith(f"{path}.conflict-"), f"our version is not beside it: {copy!r}")
        need((self._here / copy).read_bytes().startswith(b"edited by you"), "not our version")
        self.compare()
        return f"theirs under the name, ours as {copy.rpartition('/')[2]}"

    def locks(self) -> str:
        """Every kind of lock is seen, with its holder; a live one and a stale one apart."""
        held = {".locks/web.lock": "namespace", model_lock("@acme/server"): "model"}
        for key in held:
            self._beside.ask("hold", key=key)
        found = {lock.key: lock for lock in self._engine.locks()}
        need(set(found) == {*held, stale_lock()}, f"locks: {some(found)}")
        for key, scope in held.items():
            lock = found[key]
            need(lock.scope == scope and not lock.stale, f"{key} is told wrongly")
            need(lock.holder == "ann@build-7", f"{key} is held by {lock.holder}")
        need(found[stale_lock()].stale, "the dead process's lock is not called stale")
        self._beside.ask("let go")
        left = [lock.key for lock in self._engine.locks()]
        need(left == [stale_lock()], f"still there: {some(left)}")
        return "3 seen: 2 live with their holder, 1 stale; 2 let go"

    def release(self) -> str:
        """A lock opens for the nonce that was shown, and for no other."""
        key = stale_lock()
        (lock,) = (lock for lock in self._engine.locks() if lock.key == key)
        try:
            self._engine.release_lock(key, "wrong")
        except LockHeld:
            need(self._look.is_there(key), "gone in spite of the refusal")
        else:
            raise Wrong("a wrong nonce released a lock")
        self._engine.release_lock(key, lock.nonce)
        need(not self._look.is_there(key), "still there")
        return "refused with a wrong nonce, done with the right one"

    def namespaces(self) -> str:
        """Both are registered, and nothing of this touched the other one."""
        found = self._engine.namespaces()
        need(found == list(content.NAMESPACES), f"namespaces: {found}")
        need(self._look.versions("web/") == self._web, "web was touched")
        return f"{', '.join(found)}; {count(len(self._web), 'object')} of web untouched"

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        events = self._engine.subscribe()
        try:
            end = self._clock.monotonic() + NOTICE_S
            while not holds():
                need(self._clock.monotonic() < end, f"not noticed in {NOTICE_S:.0f} s")
                events.wait(0.2)
                events.drain()
        finally:
            events.close()
