"""A datastore that is moved: what it had, and what must be where in the end."""

import json
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from s3dash.core.moves import Migrated, MigrationPlan
from s3dash.core.paths import is_data
from s3dash.objectstore.port import ObjectStore
from tests.engine.world import Machine, contents, digest

Store = Callable[[], ObjectStore]
REPO = "aaaaaaaa-0000-4000-8000-000000000009"

FILES: dict[str, bytes] = {
    "top": b"at the top",
    "files/a": b"a",
    "files/deep/er/b": b"bb",
    "files/empty": b"",
    "data/t/m/n/1/raw": b"raw",
    "data/t/m/n/2/raw": b"raw too",
    "odd/one": b"a directory that no plain client knows",
    "logs/app.log": b"log",
}


def filled(machine: Machine, files: dict[str, bytes] | None = None) -> Machine:
    """The machine's cache with these files, pushed."""
    for rel, body in (files or FILES).items():
        machine.write(rel, body)
    machine.push()
    return machine


def migrate(machine: Machine, namespace: str, *, repo_id: str = REPO, **how: Any) -> Migrated:
    """Open an engine, move, stop it, as a command does."""
    engine = machine.engine()
    try:
        return engine.migration.run(namespace, repo_id=repo_id, **how)
    finally:
        engine.stop()


def planned(machine: Machine, namespace: str, **how: Any) -> MigrationPlan:
    engine = machine.engine()
    try:
        return engine.migration.plan(namespace, repo_id=REPO, **how)
    finally:
        engine.stop()


def at(machine: Machine, namespace: str | None) -> Machine:
    """The same machine after its configuration was changed."""
    other = Machine(machine.home, machine.store, clock=machine.clock)
    other.settings = replace(machine.settings, namespace=namespace)
    return other


def below(store: Store, namespace: str, *, but: str = "") -> dict[str, bytes]:
    """The data objects of a place: of a namespace, or with an empty name of the solo layout.

    Those of namespaces look like data of the solo layout: those of `but` are left out.
    """
    root = f"{namespace}/" if namespace else ""
    found = {key.removeprefix(root): body for key, body in contents(store(), root).items()}
    other = f"{but}/" if but else "/"
    return {rel: body for rel, body in found.items() if is_data(rel) and not rel.startswith(other)}


def index_of(store: Store, namespace: str) -> dict[str, dict[str, Any]]:
    """All entries, by the rules of the version that the index says."""
    root = f"{namespace}/" if namespace else ""
    docs = {key.removeprefix(root): body for key, body in contents(store(), root).items()}
    meta = json.loads(docs.get("_index/_meta.json", b"{}"))
    if meta.get("version", 1) == 1:
        monolith = docs.get(".datastore-index.json", b'{"entries":{}}')
        entries: dict[str, dict[str, Any]] = json.loads(monolith)["entries"]
        return entries
    found: dict[str, dict[str, Any]] = {}
    for name in meta["partitions"]:
        found.update(json.loads(docs[f"_index/{name}.json"])["entries"])
    return found


def is_moved(store: Store, files: dict[str, bytes], *, to: str, src: str) -> bool:
    """Everything is in the one place, and nothing but the record of the move in the other."""
    assert below(store, to, but=src) == files
    entries = index_of(store, to)
    assert {rel: entry.get("sha256") for rel, entry in entries.items()} == {
        rel: digest(body) for rel, body in files.items()
    }
    keys = contents(store())
    left = [key for key in keys if key.startswith(f"{src}/")] if src else _solo(keys, to)
    record = f"{src}/_control/s3dash/moved.json" if src else "_control/s3dash/moved.json"
    assert left == [record]
    assert json.loads(keys[record])["phase"] == "done"
    assert not [key for key in keys if key.endswith(".lock")]
    return True


def _solo(keys: dict[str, bytes], namespace: str) -> list[str]:
    return [key for key in keys if not key.startswith((f"{namespace}/", "aside/"))]
