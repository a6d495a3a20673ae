"""Two machines on one bucket behind the fault proxy; every case starts from the same picture."""

import random
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.errors import S3DashError
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.s3 import S3Store
from tests.engine.clocks import QuickClock
from tests.engine.ends import all_have
from tests.engine.world import Machine, contents
from tests.reliability.proxy import Asked, Choose, Fault, Proxy, purpose
from tests.reliability.wire import FAULTS, PASSING
from tests.servers import Server

LARGE = bytes(range(256)) * 4400
"""Above the bounds for one PUT here, so that it goes in parts."""

BASE = {"files/edit": b"edit 1", "files/gone": b"gone", "files/move": b"to be moved",
        "files/stay": b"stay", "logs/mine": b"bob 1"}  # fmt: skip
AFTER = {"files/edit": b"edit 2, longer", "files/moved": b"to be moved", "files/stay": b"stay",
         "logs/mine": b"bob 1", "data/t/id/new/1/raw": b"new", "files/large": LARGE}  # fmt: skip
MERGED = {**AFTER, "logs/mine": b"bob 2"}
KNOWN = {*BASE.values(), *AFTER.values(), *MERGED.values()}

SECONDS = 0.4
BOUND_S = 30.0
OPERATIONS = ("push", "pull", "sync", "status")
LOCK = ".datastore.lock"


@dataclass(frozen=True)
class Case:
    """`times` requests of this purpose meet the fault, from the `nth` on."""

    operation: str
    wanted: str
    fault: str
    nth: int = 1
    times: int = 1

    def rule(self) -> Choose:
        seen = [0]
        lock = threading.Lock()

        def choose(asked: Asked) -> Fault | None:
            if purpose(asked) != self.wanted:
                return None
            with lock:
                seen[0] += 1
                hit = self.nth <= seen[0] < self.nth + self.times
            return FAULTS[self.fault] if hit else None

        return choose


class Kept(S3Store):
    """Engines come and go, the store stays: to make its clients takes longer than a case."""

    def close(self) -> None:
        """See `end`."""

    def end(self) -> None:
        super().close()


class Desk(Machine):
    """A machine whose requests go through the proxy, and whose waits cost no time."""

    def __init__(self, home: Path, server: Server, proxy: Proxy, bucket: str) -> None:
        super().__init__(home, lambda: self.connect(), lock_timeout_ms=2000)
        self.server = server
        self.settings = server.settings(
            bucket,
            home,
            name=home.name,
            endpoint=proxy.url,
            request_timeout_ms=round(SECONDS * 1000),
            lock_timeout_ms=2000,
            pull_concurrency=4,
            push_concurrency=4,
            max_concurrency=128,
        )
        self.patience = Patience(QuickClock())
        self.kept = Kept(
            self.settings,
            server.credentials,
            multipart_above=1 << 20,
            part_size=5 << 20,
            patience=self.patience,
        )

    def connect(self) -> S3Store:
        return self.kept

    def engine(self) -> Engine:
        clock = self.patience.clock = QuickClock()
        return open_engine(self.settings, store=self.kept, clock=clock, patience=self.patience)


class Town:
    """The bucket, the two desks, and the pictures that cases start from."""

    def __init__(self, server: Server, proxy: Proxy, root: Path) -> None:
        self.server, self.proxy, self.root = server, proxy, root
        self.bucket = server.make_bucket()
        self.client = server.client()
        self.homes = root / "homes"
        self.ada, self.bob = (
            Desk(self.homes / n, server, proxy, self.bucket) for n in ("ada", "bob")
        )
        self._pictures: dict[str, dict[str, bytes]] = {}
        self._prepare()

    def _prepare(self) -> None:
        for rel, body in BASE.items():
            self.ada.write(rel, body)
        self.ada.push()
        self.bob.pull()
        self.bob.push()
        for rel in ("files/edit", "data/t/id/new/1/raw", "files/large"):
            self.ada.write(rel, AFTER[rel])
        (self.ada.cache / "files/gone").unlink()
        (self.ada.cache / "files/move").rename(self.ada.cache / "files/moved")
        self._keep("push")
        self.ada.push()
        self._keep("pull")
        self.bob.write("logs/mine", MERGED["logs/mine"])
        self._keep("sync")

    def _keep(self, name: str) -> None:
        self._pictures[name] = contents(self.ada.connect())
        shutil.copytree(self.homes, self.root / name, copy_function=shutil.copy2)

    def end(self) -> None:
        self.ada.kept.end()
        self.bob.kept.end()

    def restore(self, operation: str) -> None:
        """Both caches and the bucket as they were before the operation."""
        name = "sync" if operation == "status" else operation
        shutil.rmtree(self.homes)
        shutil.copytree(self.root / name, self.homes, copy_function=shutil.copy2)
        want = self._pictures[name]
        have = set(self._keys())
        for key in have - want.keys():
            self.client.delete_object(Bucket=self.bucket, Key=key)
        for key, body in want.items():
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body)
        self._abort_uploads()

    def _keys(self) -> Iterator[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        for page in pages:
            yield from (found["Key"] for found in page.get("Contents", []))

    def _abort_uploads(self) -> None:
        for upload in self.open_uploads():
            self.client.abort_multipart_upload(
                Bucket=self.bucket, Key=upload[0], UploadId=upload[1]
            )

    def open_uploads(self) -> list[tuple[str, str]]:
        found = self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return [(u["Key"], u["UploadId"]) for u in found]

    # --- one case -----------------------------------------------------------------------

    def actor(self, operation: str) -> Desk:
        return self.ada if operation == "push" else self.bob

    def run(self, case: Case) -> str:
        """The operation under the fault, then calm; the story. Raises when a promise is broken."""
        self.restore(case.operation)
        began = time.monotonic()
        with self.proxy.choosing(case.rule()):
            told = self.attempt(case.operation)
            assert self.server.secret_key not in told
            injected, log = list(self.proxy.injected), list(self.proxy.log)
        seconds = time.monotonic() - began
        story = "\n".join([f"{case}: {told}, {seconds:.1f} s", *log])
        assert seconds < BOUND_S, story
        self.check_nothing_torn(story)
        self.calm(case, story)
        return told if injected else ""

    def attempt(self, operation: str) -> str:
        """What a user is told: a result, or an error of ours; anything else is a bug."""
        machine = self.actor(operation)
        try:
            result = getattr(machine, operation)()
        except S3DashError as error:
            return f"{type(error).__name__}: {error.message} {error.hint} {error.brief}"
        if operation == "status":
            return f"healthy {result.healthy} {result.message}"
        return f"{result}"

    def check_nothing_torn(self, story: str) -> None:
        """Whatever lies in a cache is a content that somebody wrote, whole."""
        for machine in (self.ada, self.bob):
            for rel, body in machine.files().items():
                assert body in KNOWN, f"TORN {machine.home.name} {rel} {body[:80]!r}\n{story}"

    def calm(self, case: Case, story: str) -> None:
        """Without faults a plain sync or two of both bring everything together."""
        self._lock_is_gone(case, story)
        want = AFTER if case.operation in ("push", "pull") else MERGED
        try:
            for machine in (self.actor(case.operation), self.ada, self.bob, self.ada):
                machine.sync()
            all_have(self.ada.connect, want, self.ada, self.bob)
        except (AssertionError, S3DashError) as error:
            raise AssertionError(f"{type(error).__name__} {error}\n{story}") from error
        lost = case.wanted == "upload begin"  # nobody ever learnt its name
        assert lost or self.open_uploads() == [], story

    def _lock_is_gone(self, case: Case, story: str) -> None:
        """Unless the very requests that release it failed: then it is ours, and runs out.

        So it is after an outage that lasts longer than the operation hopes.
        """
        if LOCK not in set(self._keys()):
            return
        forced = case.wanted.startswith("lock") or case.fault == "away"
        assert forced, f"A LOCK STAYED\n{story}"
        self.client.delete_object(Bucket=self.bucket, Key=LOCK)


class Storm:
    """Two machines write and sync, each its own files, while a share of all requests fails."""

    def __init__(self, server: Server, proxy: Proxy, root: Path, dice: random.Random) -> None:
        self.proxy, self.dice = proxy, dice
        bucket = server.make_bucket()
        self.desks = [Desk(root / name, server, proxy, bucket) for name in ("ada", "bob")]
        self.want: dict[str, bytes] = {}
        self.ever: set[bytes] = set()
        self.log: list[str] = []
        self.injected = 0
        self.client = server.client()
        self.bucket = bucket

    @property
    def story(self) -> str:
        return "\n".join(self.log)

    def rage(self, rounds: int) -> None:
        for nth in range(rounds):
            desk = self.dice.choice(self.desks)
            for _ in range(self.dice.randrange(1, 5)):
                self._edit(desk, nth)
            operation = self.dice.choice(("push", "pull", "sync"))
            share = self.dice.uniform(0.05, 0.3)
            with self.proxy.choosing(self._weather(share)):
                told = self._attempt(desk, operation)
                self.injected += len(self.proxy.injected)
                self.log += [f"{desk.home.name} {operation} at {share:.0%}: {told}"]
                self.log += [f"  {line}" for line in self.proxy.injected]
            for other in self.desks:
                for rel, body in other.files().items():
                    assert body in self.ever, f"TORN {rel} {body!r}\n{self.story}"

    def _edit(self, desk: Desk, nth: int) -> None:
        rel = f"files/{desk.home.name}-{self.dice.randrange(12)}"
        if rel in self.want and self.dice.random() < 0.2:
            (desk.cache / rel).unlink()
            del self.want[rel]
            self.log.append(f"{desk.home.name} deletes {rel}")
            return
        body = f"{rel} {nth} {self.dice.random()}".encode() * self.dice.choice((1, 50))
        desk.write(rel, body)
        self.want[rel] = body
        self.ever.add(body)
        self.log.append(f"{desk.home.name} writes {rel}")

    def _weather(self, share: float) -> Choose:
        lock = threading.Lock()

        def choose(asked: Asked) -> Fault | None:
            with lock:
                hit = self.dice.random() < share
                return FAULTS[self.dice.choice(PASSING)] if hit else None

        return choose

    def _attempt(self, desk: Desk, operation: str) -> str:
        try:
            return f"{getattr(desk, operation)(max_delete=100)}"
        except S3DashError as error:
            return f"{type(error).__name__}: {error.message}"

    def calm(self) -> list[str]:
        """What is missing at the end. A lock that stayed is the last one's, and runs out."""
        self.client.delete_object(Bucket=self.bucket, Key=LOCK)
        for desk in (*self.desks, *self.desks):
            desk.sync(max_delete=100)
        held = self.desks[0].files()
        missing = [rel for rel, body in self.want.items() if held.get(rel) != body]
        if not missing:
            try:
                all_have(self.desks[0].connect, self.want, *self.desks)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.story}") from error
        return missing

    def end(self) -> None:
        for desk in self.desks:
            desk.kept.end()


def matrix() -> list[Case]:
    """Every fault on every kind of request that each operation makes."""
    kinds = {
        "push": ("lock PUT", "lock GET", "lock DELETE", "meta GET", "meta PUT", "shard GET",
                 "shard PUT", "LIST", "intent PUT", "control GET", "data PUT", "data HEAD",
                 "data GET", "data DELETE", "copy", "upload begin", "part PUT",
                 "upload complete"),
        "pull": ("LIST", "meta GET", "shard GET", "data GET", "data HEAD", "control GET"),
        "sync": ("LIST", "meta GET", "meta PUT", "shard GET", "shard PUT", "data GET",
                 "data PUT", "data HEAD", "lock PUT", "lock DELETE", "intent PUT"),
        "status": ("LIST", "meta GET", "shard GET", "data HEAD"),
    }  # fmt: skip
    return [
        Case(operation, wanted, fault, nth=1, times=times)
        for operation, wanteds in kinds.items()
        for wanted in wanteds
        for fault in FAULTS
        if fits(fault, wanted)
        for times in ((1, 1000) if fault in LASTING else (1,))
    ]


def fits(fault: str, wanted: str) -> bool:
    """Whether this fault says anything on this kind of request."""
    method = wanted.rpartition(" ")[2]
    if fault in ("no keys", "without an end"):
        return wanted == "LIST"
    if method == "complete" and fault.startswith("stalled"):
        return False  # two minutes are right there: it may take an endpoint so long
    if fault in BODIES:
        return method in ("GET", "LIST", "copy", "complete")
    if fault == "flipped on the way up":
        return method in ("PUT", "complete")
    if fault == "login page with etag":
        return wanted in ("data GET", "data PUT") or method == "GET"
    if fault.startswith("error in a success"):
        return method != "HEAD"
    return True


LASTING = ("500", "503 SlowDown", "429 with Retry-After", "400 ExpiredToken", "reset before",
           "reset after", "flipped", "truncated", "login page", "no keys", "stalled before",
           "gzipped", "301", "without etag")  # fmt: skip
"""Faults that are also tried on every request of a kind, until the operation gives up."""

BODIES = ("truncated", "one byte short", "flipped", "length too small", "stalled in the body",
          "slow drip", "gzipped", "chunked", "cut xml")  # fmt: skip


def sample(dice: random.Random, count: int, cases: list[Case]) -> list[Case]:
    """So many cases, each fault at least once where there is room."""
    by_fault: dict[str, list[Case]] = {}
    for case in cases:
        by_fault.setdefault(case.fault, []).append(case)
    firsts = [dice.choice(group) for group in by_fault.values()]
    rest = dice.sample(cases, max(0, count - len(firsts)))
    return [*firsts, *rest][:count]
