"""A datastore that is to be moved, and a process that dies in the middle of that."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from s3dash.core.keys import Keys
from s3dash.engine.remote import IndexReader
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities
from tests.engine.ends import base
from tests.engine.moves import FILES, at, filled, is_moved, migrate
from tests.engine.peer import PlainPeer
from tests.engine.storm import FastClock
from tests.engine.world import Machine, Stores, contents, digest, fill, golden_bucket
from tests.reliability.powercut import Process

NS = "web"
COPY_IN_PARTS_ABOVE = 60
"""Bytes: what is larger is copied in parts, and its ETag tells nothing."""


class Town:
    """One bucket, one machine that moves its datastore, all below `home`."""

    def __init__(self, home: Path, bucket: MemoryBucket, clock: FastClock) -> None:
        self.home = home
        self.bucket = bucket
        self.clock = clock

    def store(self) -> MemoryStore:
        return MemoryStore(self.bucket)

    def machine(self, name: str = "ada", process: Process | None = None) -> Machine:
        before = process.request("before") if process else None
        after = process.request("after") if process else None

        def store() -> MemoryStore:
            return MemoryStore(
                self.bucket,
                before=before,
                after=after,
                copy_in_parts_above=COPY_IN_PARTS_ABOVE,
                part_size=20,
            )

        return Machine(
            self.home / name,
            Stores(store, PROVED),
            clock=self.clock,
            pull_concurrency=1,
            push_concurrency=1,
            lock_timeout_ms=120_000,
        )

    def copy(self, home: Path) -> "Town":
        shutil.copytree(self.home, home)
        bucket = MemoryBucket(clock=self.clock)
        fill(MemoryStore(bucket), contents(self.store()))
        return Town(home, bucket, self.clock)


PROVED = Capabilities(create=True, replace=True, delete=True, races=True, dated=True, complete=True)
LARGE = {"files/large": bytes(range(200))}


def solo(home: Path) -> Town:
    clock = FastClock()
    town = Town(home, MemoryBucket(clock=clock), clock)
    filled(town.machine(), FILES | LARGE)
    town.store().put("_control/team/settings", b"any bytes")
    return town


def bound(home: Path) -> Town:
    town = solo(home)
    migrate(town.machine(), NS)
    return town


def old_index(home: Path) -> Town:
    """As a real client left it, of version 1."""
    clock = FastClock()
    town = Town(home, MemoryBucket(clock=clock), clock)
    fill(town.store(), golden_bucket("gold-solo-v1"))
    town.machine().pull()
    return town


def pushed_again(home: Path) -> Town:
    """A plain client did not hear of the move, and pushed all that its cache has."""
    town = bound(home)
    peer = PlainPeer(town.store())
    for rel, body in FILES.items():
        peer.write(rel, body)
    peer.write("files/of the peer", b"only in its cache")
    peer.push()
    return town


@dataclass(frozen=True)
class Move:
    """`files` is what the new place has in the end."""

    begin: Callable[[Path], Town]
    to_solo: bool
    files: dict[str, bytes]

    def run(self, machine: Machine) -> None:
        assert migrate(machine, NS, to_solo=self.to_solo).kept == ()

    @property
    def new(self) -> str | None:
        return None if self.to_solo else NS

    @property
    def old(self) -> str | None:
        return NS if self.to_solo else None

    def mover(self, town: Town, process: Process | None = None) -> Machine:
        return at(town.machine(process=process), self.old)


GOLD = {
    key: body
    for key, body in golden_bucket("gold-solo-v1").items()
    if not key.startswith(("_", ".datastore"))
}
MOVES = {
    "into a namespace": Move(solo, False, FILES | LARGE),
    "back": Move(bound, True, FILES | LARGE),
    "a version 1 index": Move(old_index, False, GOLD),
}


def held(town: Town, namespace: str | None) -> dict[str, bytes]:
    """What a reader of this place gets: by its index, and only bytes that are what it says."""
    store, keys = town.store(), Keys(namespace)
    index = IndexReader(store, keys).load()
    assert index.missing == frozenset(), "a plain client calls this index corrupt"
    found = {}
    for rel, entry in index.entries.items():
        body = contents(store, keys.data(rel)).get(keys.data(rel))
        if body is not None and digest(body) == entry.sha256:
            found[rel] = body
    return found


def is_readable(town: Town, move: Move) -> dict[str, bytes]:
    """Either place can be read at any moment; what neither has is missing."""
    both = held(town, move.old) | held(town, move.new)
    return {rel: body for rel, body in move.files.items() if both.get(rel) != body}


def is_done(town: Town, move: Move, files: dict[str, bytes], known: dict[str, str]) -> bool:
    """Bucket, cache and base are in the new place, as they would be without the death."""
    there = at(town.machine(), move.new)
    assert is_moved(town.store, files, to=move.new or "", src=move.old or "")
    assert there.files() == move.files
    assert base(there) == known
    after = there.sync()
    assert (after.pushed, after.pulled, after.deleted_local, after.deleted_remote) == (0,) * 4
    return True


# --- foreign objects ----------------------------------------------------------------------

HOME = {"data/t/id/1/raw": b"at its home", "files/w": b"of web"}
STRAY = {"data/t/id/1/raw": b"at its home", "data/t/id/2/raw": b"nowhere else", "files/n": b"nor"}


def foreign(home: Path) -> Town:
    """`infra` holds objects of `web`: one that is there as well, and two that are not."""
    clock = FastClock()
    town = Town(home, MemoryBucket(clock=clock), clock)
    infra, web = at(town.machine("ada"), "infra"), at(town.machine("bob"), "web")
    for machine, name in ((infra, "infra"), (web, "web")):
        engine = machine.engine()
        engine.registry.register(name, repo_id=name)
        engine.stop()
    filled(web, HOME)
    filled(infra, FILES | {f"web/{rel}": body for rel, body in STRAY.items()})
    return town


def lost_of(town: Town) -> set[str]:
    """Bytes that a reader of neither place gets."""
    web, infra = held(town, "web"), held(town, "infra")
    wanted = HOME | STRAY
    got = {**{r.removeprefix("web/"): b for r, b in infra.items()}, **web}
    return {r for r, body in wanted.items() if got.get(r) != body} | (FILES.keys() - infra.keys())


def is_mended(town: Town) -> bool:
    """A lock that a death left behind is not looked at: with nothing left to do none is taken."""
    assert held(town, "infra") == FILES
    assert held(town, "web") == HOME | STRAY
    keys = contents(town.store())
    assert not [key for key in keys if key.startswith("infra/web/")]
    return True
