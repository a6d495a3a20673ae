"""Indexes to be looked after: golden ones, and what can happen to them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s3dash.core.index_care import IndexMigrated, Repaired, Verified
from s3dash.objectstore.port import ObjectStore
from tests.engine.world import Machine, contents, digest

META = "_index/_meta.json"
MONOLITH = ".datastore-index.json"
TIME = "2026-03-04T05:06:07.000Z"


class Keeper:
    """A machine that looks after an index, one engine per call. `store` is a look past it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.store: ObjectStore = machine.store()

    def _call(self, name: str, **options: Any) -> Any:
        engine = self.machine.engine()
        try:
            return getattr(engine.index_care, name)(**options)
        finally:
            engine.stop()

    def verify(self, **options: Any) -> Verified:
        found: Verified = self._call("verify", **options)
        return found

    def migrate(self, **options: Any) -> IndexMigrated:
        done: IndexMigrated = self._call("migrate", **options)
        return done

    def repair(self, **options: Any) -> Repaired:
        done: Repaired = self._call("repair", **options)
        return done

    def notes(self) -> list[str]:
        return [row.text for row in self.machine.history()]

    def all(self) -> dict[str, bytes]:
        return contents(self.store)

    # --- what other clients do ----------------------------------------------------------

    def put(self, key: str, body: bytes | str) -> None:
        self.store.put(key, body.encode() if isinstance(body, str) else body)

    def delete(self, key: str) -> None:
        self.store.delete(key)

    def document(self, key: str) -> dict[str, Any]:
        fetched = self.store.get(key)
        assert fetched is not None
        found: dict[str, Any] = json.loads(fetched.body)
        return found

    def change(self, key: str, act: Callable[[dict[str, Any]], object]) -> None:
        """As a plain client writes: without a condition."""
        document = self.document(key)
        act(document)
        self.put(key, json.dumps(document))

    def entries(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.document(f"_index/{name}.json")["entries"]
        return found

    def meta(self) -> dict[str, Any]:
        return self.document(META)


def entry(rel: str, body: bytes, **fields: Any) -> dict[str, Any]:
    known = {"key": rel, "size": len(body), "lastModified": TIME, "sha256": digest(body)}
    return {**known, **fields}


def one_machine(home: Path, store: Callable[[], ObjectStore], **settings: Any) -> Keeper:
    return Keeper(Machine(home / "eve", store, **settings))
