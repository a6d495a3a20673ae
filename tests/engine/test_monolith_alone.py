"""A datastore of the oldest clients: a monolith, no shards, no meta. A push adds the copies.

Shards without a meta are taken for the whole index, by every client. So at no moment may there be
a shard and no meta.
"""

import json
from pathlib import Path

from s3dash.core.keys import Keys
from s3dash.engine.remote import IndexReader
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.faults import machine
from tests.engine.index_world import META, MONOLITH, entry
from tests.engine.world import contents

OLD = {"files/a": b"a", "logs/b": b"b", "odd/c": b"c"}


def test_every_reader_finds_everything_while_the_copies_are_made(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    store = MemoryStore(memory)
    for rel, body in OLD.items():
        store.put(rel, body)
    entries = {rel: entry(rel, body) for rel, body in OLD.items()}
    store.put(MONOLITH, json.dumps({"version": 1, "entries": entries}).encode())
    seen: list[str] = []

    def look(op: str, key: str) -> None:
        if op in ("put", "upload", "delete"):
            found = IndexReader(MemoryStore(memory), Keys()).load()
            assert found.entries.keys() >= OLD.keys(), (op, key)
            seen.append(key)

    ada = machine(tmp_path / "ada", memory, after=look)
    ada.pull()
    ada.write("files/new", "new")
    ada.write("logs/new", "new")
    ada.push()
    assert seen.index(META) < seen.index("_index/files.json")
    meta = json.loads(contents(store)[META])
    assert (meta["version"], set(meta["partitions"])) == (1, {"files", "logs"})
