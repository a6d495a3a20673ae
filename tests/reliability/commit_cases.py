"""Small worlds in which the clients of the commit model are about to collide."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from s3dash.objectstore.memory import Kept, MemoryBucket, MemoryStore
from tests.engine.clocks import TestClock
from tests.engine.peer import PlainPeer
from tests.reliability.commit_ends import Wanted
from tests.reliability.commit_model import Ours, Plain, Program, Steady, pushes
from tests.reliability.explorer import Client

FILES = {"files/a": b"a", "files/b": b"b", "files/c": b"c", "logs/l": b"l", "top": b"t"}
V1 = {"version": 1, "lastPulled": "2026-03-04T05:06:07.000Z", "entries": {}}


class World:
    """Ada and Bob on one bucket, and a plain client. All have `FILES`, unless it is `empty`."""

    def __init__(self, home: Path, *, version: int = 2, empty: bool = False) -> None:
        self.bucket = MemoryBucket(clock=TestClock())
        store = partial(MemoryStore, self.bucket)
        self.ada, self.bob = (Steady(home / name, store, era="past") for name in ("ada", "bob"))
        self.peer = PlainPeer(store())
        self.dirty: dict[str, bytes] = {}
        if empty:
            return
        if version == 1:
            store().put(".datastore-index.json", json.dumps(V1).encode())
        for rel, body in FILES.items():
            (self.bob if rel == "top" else self.ada).write(rel, body)
        self.everybody()

    def everybody(self) -> None:
        """All have what is there now, and have proved the endpoint."""
        self.ada.push()
        self.bob.sync()
        self.ada.pull()
        self.peer.pull()


@dataclass(frozen=True, slots=True)
class Case:
    """`act` makes the world ready and says what must come of it.

    `lock`: the lock holds, as it does wherever the endpoint is safe; else it is worth nothing.
    `large`: our clients behave as with an index that is long to list.
    """

    act: Callable[[World], Wanted]
    version: int = 2
    empty: bool = False
    plain: bool = False
    lock: bool = False
    large: bool = False

    @property
    def crashes(self) -> bool:
        """Whether one may die: not with a lock in its hand, which nobody here outlasts.

        Nor on an empty bucket, which has some fifty times the states of the others without it.
        """
        return not (self.lock or self.empty)

    @property
    def name(self) -> str:
        marks = ("-locked" if self.lock else "") + ("-large" if self.large else "")
        return f"{self.act.__name__}-v{self.version}{marks}"

    def build(
        self, home: Path, program: Program = pushes
    ) -> tuple[list[Client], dict[str, Kept], Wanted]:
        world = World(home, version=self.version, empty=self.empty)
        wanted = self.act(world)
        clients: list[Client] = [Ours(world.ada.home, program, lock=self.lock, large=self.large)]
        if self.plain:
            clients.append(Plain(world.dirty, world.peer.seen))
        else:
            clients.append(Ours(world.bob.home, program, lock=self.lock, large=self.large))
        return clients, world.bucket.objects(), wanted


def _become(*contents: bytes, gone: str = "", **files: bytes) -> Wanted:
    """All of `FILES` but `gone`, with some changed; underscores in a name stand for slashes."""
    exact = {**FILES, **{name.replace("_", "/"): body for name, body in files.items()}}
    exact.pop(gone, None)
    return Wanted([*contents, *files.values()], exact)


# --- ours and ours ----------------------------------------------------------------------


def same_shard(w: World) -> Wanted:
    w.ada.write("files/a", "ada")
    w.bob.write("files/b", "bob")
    return _become(files_a=b"ada", files_b=b"bob")


def same_path(w: World) -> Wanted:
    w.ada.write("files/a", "ada")
    w.bob.write("files/a", "bob")
    return Wanted([b"ada", b"bob"])


def both_create(w: World) -> Wanted:
    w.ada.write("files/n", "ada")
    w.bob.write("files/n", "bob")
    return Wanted([b"ada", b"bob"])


def both_create_alike(w: World) -> Wanted:
    w.ada.write("files/n", "alike")
    w.bob.write("files/n", "alike")
    return _become(files_n=b"alike")


def two_shards(w: World) -> Wanted:
    w.ada.write("files/a", "ada")
    w.bob.write("logs/l", "bob")
    return _become(files_a=b"ada", logs_l=b"bob")


def new_shards(w: World) -> Wanted:
    """Meta alone is shared; each must list the other's shard."""
    w.ada.write("odd/n", "ada")
    w.bob.write("audit/n", "bob")
    return _become(odd_n=b"ada", audit_n=b"bob")


def add_and_delete(w: World) -> Wanted:
    w.ada.write("files/n", "ada")
    (w.bob.cache / "files/a").unlink()
    return _become(gone="files/a", files_n=b"ada")


def edit_and_delete(w: World) -> Wanted:
    """The edit wins."""
    w.ada.write("files/a", "ada")
    (w.bob.cache / "files/a").unlink()
    return _become(files_a=b"ada")


def both_first(w: World) -> Wanted:
    w.ada.write("files/a", "ada")
    w.bob.write("files/b", "bob")
    return Wanted([b"ada", b"bob"], {"files/a": b"ada", "files/b": b"bob"})


def deleted_and_created_alike(w: World) -> Wanted:
    """Ada deletes the very bytes that Bob, who never had them from her, is about to add."""
    w.ada.write("files/n", "alike")
    w.ada.push()
    (w.ada.cache / "files/n").unlink()
    w.bob.write("files/n", "alike")
    return Wanted([b"alike"])


# --- ours and plain ---------------------------------------------------------------------


def plain_same_shard(w: World) -> Wanted:
    w.ada.write("files/a", "ada")
    w.dirty = {"files/b": b"plain"}
    return _become(files_a=b"ada", files_b=b"plain")


def plain_same_path(w: World) -> Wanted:
    w.ada.write("files/a", "ada")
    w.dirty = {"files/a": b"plain"}
    return Wanted([b"ada", b"plain"])


def plain_two_shards(w: World) -> Wanted:
    w.ada.write("files/a", "ada")
    w.dirty = {"logs/l": b"plain"}
    return _become(files_a=b"ada", logs_l=b"plain")


def plain_new_shards(w: World) -> Wanted:
    """The plain client's meta lists only the shards that it knows."""
    w.ada.write("odd/n", "ada")
    w.dirty = {"audit/n": b"plain"}
    return _become(odd_n=b"ada", audit_n=b"plain")


def plain_and_delete(w: World) -> Wanted:
    (w.ada.cache / "files/a").unlink()
    w.dirty = {"files/n": b"plain"}
    return _become(gone="files/a", files_n=b"plain")


def plain_stale(w: World) -> Wanted:
    """It takes its whole cache for dirty, and so writes old versions over new ones."""
    w.ada.write("files/a", "ada")
    w.dirty = {**w.peer.files, "files/b": b"plain"}
    return Wanted([b"ada", b"plain"])


OURS = (
    Case(same_shard),
    Case(same_path),
    Case(both_create),
    Case(both_create_alike),
    Case(two_shards),
    Case(new_shards),
    Case(add_and_delete),
    Case(edit_and_delete),
    Case(both_first, empty=True),
    Case(deleted_and_created_alike, lock=True),
    Case(same_shard, version=1),
    Case(same_path, version=1),
    Case(add_and_delete, version=1),
)
PLAIN = tuple(
    Case(act, plain=True)
    for act in (
        plain_same_shard,
        plain_same_path,
        plain_two_shards,
        plain_new_shards,
        plain_and_delete,
        plain_stale,
    )
)
LARGE = tuple(
    replace(case, large=True)
    for case in (*OURS, *PLAIN)
    if case.version == 2 and not (case.empty or case.lock)
)
CASES = (*OURS, *PLAIN, *LARGE)
