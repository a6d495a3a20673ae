"""Scoped pushes and structural changes at the same time: none steps over the other, none is stuck.

In memory, real threads and clocks. Machines push models of their own and one that they all edit,
each under its lock; meanwhile structural changes drain the models' locks and hold the global one.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from s3dash.engine.drain import drained
from s3dash.engine.engine import Engine
from s3dash.engine.lease import Timing
from s3dash.engine.open import open_engine
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities
from tests.engine.world import Machine
from tests.tally import Effort

SAFE = Capabilities(create=True, replace=True, delete=True, races=True, dated=True)
PATIENCE_S = 60.0
GLOBAL = ".datastore.lock"
SHARED = "acme/vm/shared"
TIMING = Timing(settle_s=0.05)


@dataclass
class Watchman:
    """Sees every request. `broken` are those that should never have come, as a story."""

    bucket: MemoryBucket
    changing: str = ""
    changes: int = 0
    gates: int = 0
    writes: int = 0
    over: bool = False
    broken: list[str] = field(default_factory=list)
    lock: threading.Condition = field(default_factory=threading.Condition)

    def of(self, who: str) -> Callable[[str, str], None]:
        """For the store of a machine that pushes."""

        def before(op: str, key: str) -> None:
            if (op, key) == ("get", GLOBAL):
                with self.lock:
                    self.gates += 1
                    self.lock.notify_all()
            if op not in ("put", "upload", "delete") or not key.startswith(("data/", "outputs/")):
                return
            if key.endswith("/.lock"):
                return
            with self.lock:
                self.writes += 1
                self.lock.notify_all()
                if self.changing:
                    self.broken.append(f"{who} {op} {key} during {self.changing}")
                model = "/".join(key.split("/")[1:4])
                if f"data/{model}/.lock" not in self.bucket.all_keys():
                    self.broken.append(f"{who} {op} {key} without the model's lock")

        return before

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what the pushers do next, or for their end."""
        with self.lock:
            assert self.lock.wait_for(lambda: self.over or holds(), PATIENCE_S)

    def went_on(self, *, writes: int = 0, gates: int = 0) -> bool:
        """So many writes of models, and so many looks at the global lock, or a trespass."""
        return bool(self.broken) or (self.writes >= writes and self.gates >= gates)

    def lets(self, *, first: bool) -> bool:
        return first or bool(self.changing)

    def ended(self) -> None:
        with self.lock:
            self.over = True
            self.lock.notify_all()


def opened(
    home: Path, watchman: Watchman, name: str, *, pushes: bool = False
) -> tuple[Machine, Engine]:
    store = MemoryStore(watchman.bucket, before=watchman.of(name) if pushes else None)
    machine = Machine(home / name, lambda: store, lock_timeout_ms=60_000)
    engine = open_engine(machine.settings, store=store, timing=TIMING, proved=SAFE)
    return machine, engine


def pusher(
    machine: Machine, engine: Engine, watchman: Watchman, name: str, rounds: int
) -> dict[str, bytes]:
    """Pushes a model of its own and its file of the shared one, round by round.

    From the second round on it begins while a structural change is under way.
    """
    written: dict[str, bytes] = {}
    for number in range(rounds):
        watchman.until(partial(watchman.lets, first=number == 0))
        mine = {
            f"data/acme/vm/{name}/state/{number}/raw": f"{name} {number}",
            f"data/{SHARED}/{name}/{number}/raw": f"{name} shares {number}",
            f"outputs/acme/vm/{name}/run-{number}.yaml": f"{number}",
        }
        for rel, text in mine.items():
            machine.write(rel, text)
            written[rel] = text.encode()
        result = engine.push(models=[f"acme/vm/{name}", SHARED])
        assert (result.pushed, result.failed, result.conflicts) == (3, [], [])
    return written


def changer(engine: Engine, watchman: Watchman, name: str, rounds: int) -> None:
    """Structural changes: whatever they do, nobody may be writing a model meanwhile."""
    before = 0
    for number in range(rounds):
        watchman.until(partial(watchman.went_on, writes=before + 1))  # in the middle of a model
        with engine._taking_turn(None, writes=True) as ctx, drained(ctx, SAFE, operation="test"):
            with watchman.lock:
                watchman.changing = f"change {number} of {name}"
                watchman.lock.notify_all()
            seen = watchman.gates
            watchman.until(partial(watchman.went_on, gates=seen + 1))
            with watchman.lock:
                watchman.changing = ""
                before = watchman.writes
                watchman.changes += 1


def test_scoped_pushes_and_structural_changes_leave_each_other_alone(
    tmp_path: Path, effort: Effort
) -> None:
    machines, changes = effort.pick(3, 8), effort.pick(2, 10)
    watchman = Watchman(MemoryBucket())
    with ExitStack() as stack, ThreadPoolExecutor(machines + 1) as pool:
        crowd = [opened(tmp_path, watchman, f"m{n}", pushes=True) for n in range(machines)]
        _, surgeon = opened(tmp_path, watchman, "surgeon")
        for _, engine in crowd:
            stack.callback(engine.stop)
        stack.callback(surgeon.stop)
        pushing = [
            pool.submit(pusher, machine, engine, watchman, f"m{n}", changes + 1)
            for n, (machine, engine) in enumerate(crowd)
        ]
        changing = pool.submit(changer, surgeon, watchman, "surgeon", changes)
        changing.result(600)
        watchman.ended()
        written = {rel: body for job in pushing for rel, body in job.result(600).items()}
    story = f"seed {effort.seed}\n" + "\n".join(watchman.broken)
    assert watchman.broken == [], story
    reader, engine = opened(tmp_path, watchman, "reader")
    engine.pull()
    engine.stop()
    effort.lost({rel for rel, body in written.items() if reader.files().get(rel) != body}, story)
    assert [key for key in watchman.bucket.all_keys() if key.endswith(".lock")] == []
    effort.count("scoped pushes beside structural changes", machines * (changes + 1))
    effort.count("structural changes between scoped pushes", watchman.changes)
