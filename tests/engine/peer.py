"""A plain client as the protocol describes it: blind writes, its own partitions, no manners.

Source: the shared-datastore protocol («Index», «The cache directory and its sidecar»). Its
cache is a dictionary, for it has no s3dash beside it.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from s3dash.core.partitions import peer_partition
from s3dash.errors import NotFound
from s3dash.objectstore.port import ObjectStore

META = "_index/_meta.json"
MONOLITH = ".datastore-index.json"
TIME = "2026-03-04T05:06:07.000Z"


class PlainPeer:
    """`files` is its cache, `seen` the index as it last read it.

    On a version 1 index it writes the monolith and, beside it, the shards and a meta.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.files: dict[str, bytes] = {}
        self.seen: dict[str, dict[str, Any]] = {}
        self.meta: dict[str, Any] = {}

    def write(self, rel: str, body: bytes) -> None:
        self.files[rel] = body

    def pull(self) -> dict[str, bytes]:
        """Fetch what is missing or differs in size; what it wrote over, by path.

        Remote deletions are not applied, same-size changes are not seen.
        """
        self._load()
        lost = {}
        for rel, entry in self.seen.items():
            mine = self.files.get(rel)
            if mine is not None and len(mine) == entry["size"]:
                continue
            body = self._get(rel)
            if body is not None and peer_partition(rel) is not None:
                lost.update({rel: mine} if mine is not None else {})
                self.files[rel] = body
        return lost

    def push(self) -> None:
        for _ in self.pushing():
            continue

    def pushing(self) -> Iterator[str]:
        """A push, step by step: each `next` does one request, so that others get between."""
        self._load()
        touched = set()
        for rel, body in sorted(self.files.items()):
            digest = hashlib.sha256(body).hexdigest()
            entry = self.seen.get(rel)
            if entry is not None and (entry["size"], entry.get("sha256")) == (len(body), digest):
                continue
            self._store.put(rel, body)
            yield f"put {rel}"
            name = peer_partition(rel)
            if name is not None:
                touched.add(name)
                self.seen[rel] = {
                    "key": rel,
                    "size": len(body),
                    "lastModified": TIME,
                    "sha256": digest,
                }
        if touched:
            yield from self._write_index(touched)

    def _write_index(self, touched: set[str]) -> Iterator[str]:
        """Whole shards from what it read at the start, whoever wrote there since."""
        if self._first:
            body = json.dumps({"version": 1, "lastPulled": TIME, "entries": self.seen}).encode()
            self._store.put(MONOLITH, body)
            yield "monolith"
        shards: dict[str, dict[str, Any]] = {}
        for rel, entry in self.seen.items():
            name = peer_partition(rel)
            if name is not None:
                shards.setdefault(name, {})[rel] = entry
        for name in sorted(touched):
            body = json.dumps({"version": 1, "entries": shards[name]}).encode()
            self._store.put(f"_index/{name}.json", body)
            yield f"shard {name}"
        self.meta = {"version": 1 if self._first else 2, "partitions": sorted(shards)} | (
            {} if self._first else {"commitSeq": self.meta.get("commitSeq", 0) + 1}
        )
        self._store.put(META, json.dumps(self.meta).encode())
        yield "meta"

    def _load(self) -> None:
        raw = self._get(META)
        self.meta = json.loads(raw) if raw else {}
        self.seen = {}
        if self._first:
            monolith = self._get(MONOLITH)
            self.seen = json.loads(monolith)["entries"] if monolith else {}
            return
        for name in self.meta.get("partitions", ()):
            shard = self._get(f"_index/{name}.json")
            self.seen.update(json.loads(shard)["entries"] if shard else {})

    @property
    def _first(self) -> bool:
        """Whether the monolith rules."""
        return self.meta.get("version") == 1

    def _get(self, key: str) -> bytes | None:
        try:
            fetched = self._store.get(key)
        except NotFound:
            return None
        return fetched.body if fetched else None
