"""What the tests of catalogs and of fetching share."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from s3dash.engine.engine import Engine
from s3dash.objectstore.port import ObjectStore
from tests.engine.world import Machine, digest


@contextmanager
def opened(machine: Machine) -> Iterator[Engine]:
    """An engine of a machine for the length of a block."""
    engine = machine.engine()
    try:
        yield engine
    finally:
        engine.stop()


def register(store: ObjectStore, *slugs: str) -> None:
    for slug in slugs:
        body = {"namespace": slug, "repoId": f"repo-{slug}", "registeredAt": "2026-01-01T00:00:00Z"}
        store.put(f"{slug}/.namespace.json", json.dumps(body).encode())


def catalog_of(store: ObjectStore, slug: str) -> list[dict[str, Any]]:
    """What is in the bucket, as any client reads it."""
    fetched = store.get(f"{slug}/.catalog-export.json")
    assert fetched is not None
    found: list[dict[str, Any]] = json.loads(fetched.body)
    return found


def entry(rel: str, body: bytes, **over: object) -> dict[str, object]:
    """An entry of a catalog as a plain client writes it."""
    time = "2026-01-02T03:04:05.000Z"
    return {
        "relPath": rel, "size": len(body), "lastModified": time, "sha256": digest(body), **over
    }  # fmt: skip


def put_catalog(store: ObjectStore, slug: str, entries: object) -> None:
    store.put(f"{slug}/.catalog-export.json", json.dumps(entries).encode())


Factory = Callable[[], ObjectStore]
