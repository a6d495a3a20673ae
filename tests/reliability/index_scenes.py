"""Indexes that are being migrated or repaired, and the others who read and push meanwhile."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3dash.core.index import EMPTY_SHARD
from s3dash.core.keys import Keys
from s3dash.core.partitions import peer_partition
from s3dash.engine.engine import Engine
from s3dash.engine.remote import IndexReader
from s3dash.errors import Integrity, NotFound
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities, ObjectStore
from tests.engine.peer import META, TIME, PlainPeer
from tests.engine.storm import FastClock
from tests.engine.world import Machine, Stores, contents, fill

MONOLITH = ".datastore-index.json"
CAN = Capabilities(create=True, replace=True, delete=True, races=True, dated=True)
WRITES = frozenset({"put", "delete", "delete_many", "copy", "upload"})
FILES = {
    "files/a": b"a",
    "files/b": b"bb",
    "logs/x": b"x",
    "data/t/id/v/1/raw": b"raw",
    "odd/place": b"no shard of the peers",
}


def entry(rel: str, body: bytes, **fields: Any) -> dict[str, Any]:
    digest = hashlib.sha256(body).hexdigest()
    return {"key": rel, "size": len(body), "lastModified": TIME, "sha256": digest, **fields}


def shard(entries: Mapping[str, Any]) -> bytes:
    return json.dumps({"version": 1, "entries": entries}).encode()


class Dead(Integrity):
    """The process is dead: nothing of what it asks gets through any more."""


class Death:
    """Ends a process at its n-th write, 0: never. `after`: that write got through.

    `look` is called after every write that did.
    """

    def __init__(self, at: int, *, after: bool, look: Callable[[str], None] | None = None) -> None:
        self.at, self.is_after, self.look = at, after, look
        self.writes = 0
        self.dead = False
        self.story: list[str] = []

    def before(self, op: str, key: str) -> None:
        if self.dead:
            raise Dead("dead")
        if op in WRITES:
            self.writes += 1
            self.story.append(f"{self.writes}: {op} {key}")
            if self.writes == self.at and not self.is_after:
                self._die("before")

    def after(self, op: str, key: str) -> None:
        if op in WRITES and self.look is not None:
            self.look(self.story[-1])
        if op in WRITES and self.writes == self.at and self.is_after and not self.dead:
            self._die("after")

    def _die(self, when: str) -> None:
        self.dead = True
        self.story.append(f"dies {when} it")
        raise Dead("dead")


@dataclass
class Town:
    """A bucket, and machines on it, each call of which is a process of its own."""

    home: Path
    bucket: MemoryBucket
    clock: FastClock

    @property
    def store(self) -> ObjectStore:
        return MemoryStore(self.bucket)

    def call(self, name: str, act: Callable[[Engine], Any], death: Death | None = None) -> Any:
        """What `act` makes of an engine of this machine; None when it died."""
        hooks: dict[str, Hook] = {"before": death.before, "after": death.after} if death else {}
        stores = Stores(lambda: MemoryStore(self.bucket, **hooks), CAN)  # type: ignore[arg-type] # hooks alone
        machine = Machine(
            self.home / name,
            stores,
            clock=self.clock,
            push_concurrency=1,
            pull_concurrency=1,
            lock_timeout_ms=120_000,
        )
        engine = machine.engine()
        try:
            return act(engine)
        except Dead:
            return None
        finally:
            engine.stop()

    def copy(self, home: Path) -> "Town":
        """The bucket alone: who comes next knows nothing but what is in it."""
        bucket = MemoryBucket(clock=self.clock, objects=self.bucket.objects())
        return Town(home, bucket, self.clock)


def readable(store: ObjectStore) -> dict[str, str]:
    """What a plain client reads: path to SHA-256. Fails where it takes the index for corrupt."""
    meta = json.loads(_get(store, META) or b"{}")
    found: dict[str, Any] = {}
    if meta.get("version") == 2:
        assert isinstance(meta["commitSeq"], int), "meta makes no sense"
        for name in meta["partitions"]:
            body = _get(store, f"_index/{name}.json")
            assert body is not None, f"meta names {name}, which is not there"
            found |= json.loads(body)["entries"]
    else:
        body = _get(store, MONOLITH)
        assert body is not None, "there is no monolith"
        found = json.loads(body)["entries"]
    return {rel: one["sha256"] for rel, one in found.items()}


def read_by_ours(store: ObjectStore) -> dict[str, str | None]:
    """What a fresh s3dash reads."""
    return {rel: e.sha256 for rel, e in IndexReader(store, Keys()).load().entries.items()}


def _get(store: ObjectStore, key: str) -> bytes | None:
    try:
        fetched = store.get(key)
    except NotFound:
        return None
    return fetched.body if fetched else None


def peer_pushes(store: ObjectStore, rel: str, body: bytes) -> None:
    """A plain client adds a file, without a lock, by the rule that it finds in force."""
    meta = json.loads(_get(store, META) or b"{}")
    if meta.get("version") == 2:
        peer = PlainPeer(store)
        peer.pull()
        peer.write(rel, body)
        peer.push()
        return
    store.put(rel, body)
    monolith = json.loads(_get(store, MONOLITH) or b"{}")
    monolith["entries"][rel] = entry(rel, body)
    store.put(MONOLITH, json.dumps(monolith).encode())
    by_name: dict[str, dict[str, Any]] = {}
    for path, one in monolith["entries"].items():
        name = peer_partition(path)
        if name is not None:
            by_name.setdefault(name, {})[path] = one
    touched = peer_partition(rel)
    assert touched is not None
    store.put(f"_index/{touched}.json", shard(by_name[touched]))
    names = [*meta.get("partitions", []), touched]
    written = {"version": 1, "partitions": list(dict.fromkeys(names))}
    store.put(META, json.dumps(written).encode())


# --- what there is to be migrated or repaired ----------------------------------------------


@dataclass(frozen=True)
class Scene:
    """`begin` makes the bucket, `act` is what is done. `whole`: every reader can read it all the
    while; else only after it. `want` is what is to be readable at the end."""

    begin: Callable[[ObjectStore], None]
    act: Callable[[Engine], Any]
    whole: bool = True
    want: Mapping[str, bytes] = field(default_factory=lambda: FILES)


def version_1(store: ObjectStore) -> None:
    fill(store, dict(FILES))
    entries = {rel: entry(rel, body, odd=[1, 2]) for rel, body in FILES.items()}
    store.put(MONOLITH, shard(entries))
    store.put("_index/files.json", shard({r: e for r, e in entries.items() if r == "files/a"}))
    store.put("_index/audit.json", shard({"audit/old": entry("audit/old", b"?")}))
    store.put(META, b'{"version":1,"partitions":["files","audit"]}')


def _monolith_alone(store: ObjectStore) -> None:
    """As the oldest clients leave it."""
    fill(store, dict(FILES))
    store.put(MONOLITH, shard({rel: entry(rel, body) for rel, body in FILES.items()}))


def version_2(store: ObjectStore) -> None:
    fill(store, dict(FILES))
    for name, entries in _shards().items():
        store.put(f"_index/{name}.json", shard(entries))
    meta = {"version": 2, "partitions": sorted(_shards()), "commitSeq": 7}
    store.put(META, json.dumps(meta).encode())


def _shards() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for rel, body in FILES.items():
        found.setdefault(peer_partition(rel) or "odd", {})[rel] = entry(rel, body, odd=[1, 2])
    return found


def _without_meta(store: ObjectStore) -> None:
    version_2(store)
    store.delete(META)


def _with_broken_meta(store: ObjectStore) -> None:
    version_2(store)
    store.put(META, b"<html>")


def _with_dropped_and_missing(store: ObjectStore) -> None:
    version_2(store)
    store.put(META, b'{"version":2,"partitions":["files","ghost","logs"],"commitSeq":9}')
    store.delete("_index/logs.json")


def _with_corrupt_shards(store: ObjectStore) -> None:
    version_2(store)
    store.put("_index/files.json", b'{"version":1,"entries":{"files/a":')
    store.put("_index/odd.json", b"")


def _with_zombies(store: ObjectStore) -> None:
    version_2(store)
    all_of_it = _shards()
    lost = all_of_it["data--t--id"]
    strays = {**all_of_it["files"], **lost, "_index/y": entry("_index/y", b"y")}
    strays["logs/x"] = entry("logs/x", b"older")
    store.put("_index/files.json", shard(strays))
    store.put("_index/data--t--id.json", EMPTY_SHARD)


def _without_monolith(store: ObjectStore) -> None:
    version_1(store)
    store.delete(MONOLITH)


def _without_anything(store: ObjectStore) -> None:
    fill(store, dict(FILES))


def _with_all_of_it(store: ObjectStore) -> None:
    _with_zombies(store)
    store.put("_index/odd.json", b"no")
    store.delete("_index/logs.json")
    store.put(META, b'{"version":2,"partitions":["files","odd","logs"],"commitSeq":"x"}')


def _migrate(engine: Engine) -> Any:
    return engine.index_care.migrate()


def _repair(engine: Engine) -> Any:
    return engine.index_care.repair()


SCENES = {
    "migrate": Scene(version_1, _migrate),
    "migrate a monolith alone": Scene(_monolith_alone, _migrate),
    "meta lost": Scene(_without_meta, _repair, whole=False),
    "meta broken": Scene(_with_broken_meta, _repair, whole=False),
    "shards dropped and missing": Scene(_with_dropped_and_missing, _repair, whole=False),
    "shards corrupt": Scene(_with_corrupt_shards, _repair, whole=False),
    "zombies and strays": Scene(_with_zombies, _repair),
    "monolith lost": Scene(_without_monolith, _repair, whole=False),
    "no index at all": Scene(_without_anything, _repair, whole=False),
    "all of it": Scene(_with_all_of_it, _repair, whole=False),
}


def begun(home: Path, scene: Scene) -> Town:
    clock = FastClock()
    town = Town(home, MemoryBucket(clock=clock), clock)
    scene.begin(town.store)
    return town


def bodies(town: Town) -> dict[str, bytes]:
    """The index documents, without what tells one run from another."""
    found = {k: b for k, b in contents(town.store).items() if k.startswith("_index/")}
    return {k: b for k, b in found.items() if k != META}
