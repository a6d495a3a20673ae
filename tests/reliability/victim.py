"""A machine on a good bucket that is then poisoned, and what must hold whatever was put there.

One state of the world is made once; every case starts from a copy of it.
"""

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from s3dash.errors import OtherDatastore, S3DashError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.clocks import QuickClock
from tests.engine.ends import trash
from tests.engine.world import Machine, contents, digest, fill
from tests.reliability.fence import fenced, tree
from tests.reliability.mutate import NAMES, Mutator, corpus

MINE = {"files/edited": b"my edit", "files/added": b"mine alone"}
"""What only this machine has when the case begins."""

OPERATIONS = ("status", "plan", "pull", "locks", "namespaces", "push", "sync", "history", "trash")
DIRTY = "files/edited"
THEIRS = "web/"

LOCK = json.dumps(
    {
        "holder": "eve@far", "hostname": "far", "pid": 1, "acquiredAt": "2026-01-01T00:00:00.000Z",
        "ttlMs": 30000, "nonce": "n",
    }
).encode()  # fmt: skip


def theirs() -> dict[str, bytes]:
    """Another namespace in the same bucket."""
    return {
        "web/.namespace.json": b'{"namespace":"web","repoId":"w","registeredAt":"2026-01-01"}',
        "web/.catalog-export.json": b'[{"relPath":"files/theirs","size":6}]',
        "web/files/theirs": b"theirs",
        "web/_index/_meta.json": b'{"version":2,"partitions":["files"],"commitSeq":3}',
        "web/_index/files.json": json.dumps(
            {
                "version": 1,
                "entries": {
                    "files/theirs": {"key": "files/theirs", "size": 6, "sha256": digest(b"theirs")}
                },
            }
        ).encode(),
        "web/data/t/id/.lock": LOCK,
    }


@dataclass(frozen=True)
class World:
    """The good state: objects by key, and a home that has synced them and edited since."""

    objects: dict[str, bytes]
    home: Path

    @classmethod
    def make(cls, root: Path) -> "World":
        bucket = MemoryBucket()
        ada = Machine(root / "good", lambda: MemoryStore(bucket))
        fill(MemoryStore(bucket), theirs())
        for rel in ("files/edited", "files/one", "files/two", "data/t/id/a/1/raw", "top", "odd/x"):
            ada.write(rel, f"content of {rel}")
        ada.push()
        for rel, body in MINE.items():
            ada.write(rel, body)
        return cls(contents(MemoryStore(bucket)), ada.home)


class Victim:
    """One case. `story` tells how it was made; `tried` what every operation answered."""

    def __init__(self, world: World, root: Path, store: Callable[[], ObjectStore]) -> None:
        self.world = world
        self.root = root
        self.store = store
        self.story: list[str] = []
        shutil.copytree(world.home, root / "victim", symlinks=True)
        (root / "sentinel").write_bytes(b"stay")
        (root / "escape").mkdir()
        self.ada = Machine(root / "victim", store, clock=QuickClock(), lock_timeout_ms=1000)
        (self.ada.cache / ".git").mkdir()
        fill(store(), world.objects)

    # --- poison -------------------------------------------------------------------------

    def poison(self, dice: random.Random) -> None:
        """One to three things in the bucket or in the cache become hostile."""
        mutator = Mutator(dice, corpus())
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            dice.choice((self._object, self._object, self._object, self._extra, self._cached))(
                dice, mutator
            )

    def _object(self, dice: random.Random, mutator: Mutator) -> None:
        keys = [k for k in self.world.objects if not k.startswith(THEIRS) and _is_record(k)]
        key = dice.choice([*keys, ".datastore.lock", ".datastore-index.json"])
        self.put(key, mutator.of(self.world.objects.get(key, LOCK)))

    def _extra(self, dice: random.Random, mutator: Mutator) -> None:
        """A new object: a data file, a lock, a shard or a record of an odd name."""
        name = dice.choice(NAMES)
        lead = dice.choice(("", "", "_index/", ".locks/", "data/", "_control/s3dash/commits/"))
        key = lead + name + dice.choice(("", "", ".json", ".lock", "/.lock", "/.namespace.json"))
        if key and not key.startswith(THEIRS) and key not in self.world.objects:
            self.put(key, mutator.any())

    def _cached(self, dice: random.Random, mutator: Mutator) -> None:
        how = dice.randrange(3)
        if how == 2:
            self._documents(mutator)
            return
        name = (".datastore-sync-state.json", ".datastore-index.json")[how]
        path = self.ada.cache / name
        body = mutator.of(path.read_bytes())
        self.story.append(f"cache: {name}: {body[:300]!r}")
        path.write_bytes(body)

    def _documents(self, mutator: Mutator) -> None:
        """The index documents that the state remembers, under the ETags that the bucket has."""
        for path in (self.ada.home / "state").glob("*.sqlite"):
            with sqlite3.connect(path) as db:
                for key, body in db.execute("SELECT key, body FROM docs").fetchall():
                    poison = mutator.of(bytes(body))
                    self.story.append(f"state: {key}: {poison[:300]!r}")
                    db.execute("UPDATE docs SET body=? WHERE key=?", (poison, key))
            db.close()

    def put(self, key: str, body: bytes) -> None:
        self.story.append(f"{key!r}: {body[:600]!r}")
        self.store().put(key, body)

    # --- what must hold -----------------------------------------------------------------

    def run(self) -> None:
        """All operations; only errors of ours, and no write outside."""
        before = contents(self.store())
        local = self.ada.files()
        kept = tree(self.root / "escape"), (self.root / "sentinel").read_bytes()
        with fenced(self.ada.cache, self.ada.home / "state") as outside:
            for name in OPERATIONS:
                self.operate(name)
        assert outside == [], self.told
        assert kept == (tree(self.root / "escape"), (self.root / "sentinel").read_bytes()), (
            self.told
        )
        names = {path.name for path in self.root.iterdir()}
        assert names == {"sentinel", "escape", "victim"}, self.told
        assert {p.name for p in (self.root / "victim").iterdir()} == {"cache", "state"}, self.told
        assert tree(self.ada.cache / ".git") == {}, self.told
        self._nothing_lost(before, local)

    def operate(self, name: str) -> None:
        try:
            if name == "plan":
                self.ada.plan("sync")
            else:
                getattr(self.ada, name)()
        except S3DashError as error:
            self.story.append(f"{name} → {type(error).__name__}: {error.message[:200]}")

    def _nothing_lost(self, before: dict[str, bytes], local: dict[str, bytes]) -> None:
        after = contents(self.store())
        foreign = {k: v for k, v in before.items() if k.startswith(THEIRS)}
        assert foreign == {k: v for k, v in after.items() if k.startswith(THEIRS)}, self.told
        records = {k: v for k, v in before.items() if k.startswith("_control/")}
        assert records.items() <= after.items() or _pruned(records, after), self.told
        data = {k: v for k, v in before.items() if not _is_record(k) and k != DIRTY}
        gone = {k for k, v in data.items() if after.get(k) != v}
        assert gone == set(), f"objects changed: {sorted(gone)}\n{self.told}"
        kept = set(self.ada.files().values()) | {body for _, body in trash(self.ada)}
        lost = {rel for rel, body in local.items() if body not in kept}
        assert lost == set(), f"local contents lost: {sorted(lost)}\n{self.told}"

    def heal(self) -> None:
        """The bucket is good again: what the state learnt meanwhile must not stand in the way."""
        bucket = self.store()
        bucket.delete_many([k for k in contents(bucket) if k not in self.world.objects])
        fill(bucket, self.world.objects)
        try:
            self.ada.sync(policy="keep-both")
        except OtherDatastore:  # right, when the mark of the datastore was what became hostile
            assert any("datastore-id" in line for line in self.story), self.told
            return
        self.ada.write("files/after", "after")
        self.ada.push()
        assert contents(bucket).get("files/after") == b"after", self.told

    @property
    def told(self) -> str:
        return "\n".join(self.story)


def _is_record(key: str) -> bool:
    """True for what is no data: index, locks, and what stands below `_control/`."""
    return key.startswith(("_index/", "_control/", ".")) or key.endswith((".lock", ".json"))


def _pruned(records: dict[str, bytes], after: dict[str, bytes]) -> bool:
    return all(key.startswith("_control/s3dash/commits/") for key in records.keys() - after.keys())
