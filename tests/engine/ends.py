"""What a scenario ends with: exactly what lies where, on every side."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from s3dash.core.paths import is_data
from s3dash.engine.open import state_file
from s3dash.local.state import State
from s3dash.objectstore.port import ObjectStore
from tests.engine.world import Machine, contents, digest

Store = Callable[[], ObjectStore]

STAY: dict[str, bytes | str] = {"files/stay": "stay"}
"""What the fixture `world` has that no scenario touches."""


def base(machine: Machine) -> dict[str, str]:
    """What the machine believes both sides have: path to SHA-256."""
    state = State(state_file(machine.settings), read_only=True)
    try:
        return {rel: row.sha256 for rel, row in state.base_rows().items()}
    finally:
        state.close()


def journal(machine: Machine) -> list[str]:
    """Paths of steps that are not finished."""
    state = State(state_file(machine.settings), read_only=True)
    try:
        return [row.rel for row in state.journal()]
    finally:
        state.close()


def trash(machine: Machine) -> list[tuple[str, bytes]]:
    """Path and content of everything in the machine's trash, sorted."""
    found = []
    for record in (machine.home / "state/trash").glob("*.json"):
        rel = json.loads(record.read_text())["rel"]
        found.append((rel, record.with_suffix(".blob").read_bytes()))
    return sorted(found)


def entries(store: Store, namespace: str = "") -> dict[str, str | None]:
    """The index: path to SHA-256."""
    found: dict[str, str | None] = {}
    lead = f"{namespace}/_index/" if namespace else "_index/"
    for key, body in contents(store(), lead).items():
        if not key.endswith("/_meta.json"):
            shard: dict[str, dict[str, Any]] = json.loads(body)["entries"]
            found.update({rel: entry.get("sha256") for rel, entry in shard.items()})
    return found


def data(store: Store) -> dict[str, bytes]:
    """The data objects of a datastore without namespaces."""
    return {key: body for key, body in contents(store()).items() if is_data(key)}


def commit_seq(store: Store) -> int:
    return int(json.loads(contents(store(), "_index/_meta.json")["_index/_meta.json"])["commitSeq"])


def is_clean(machine: Machine) -> bool:
    """Nothing to push, nothing to pull, nothing to decide."""
    status = machine.status()
    left = (status.local.dirty, status.remote.changed, status.conflicts, status.blocked)
    assert left == ([], [], [], []), machine.home.name
    return True


def all_have(store: Store, want: Mapping[str, bytes | str], *machines: Machine) -> None:
    """Caches, objects, index and bases agree on exactly this, and no lock is left behind."""
    files = {rel: body.encode() if isinstance(body, str) else body for rel, body in want.items()}
    hashes = {rel: digest(body) for rel, body in files.items()}
    assert data(store) == files
    assert entries(store) == hashes
    assert ".datastore.lock" not in contents(store())
    for machine in machines:
        assert machine.files() == files, machine.home.name
        assert base(machine) == hashes, machine.home.name
        assert journal(machine) == [], machine.home.name
        assert is_clean(machine)


def aside(machine: Machine) -> dict[str, bytes]:
    """The conflict copies in a cache, by path."""
    return {rel: body for rel, body in machine.files().items() if ".conflict-" in rel}
