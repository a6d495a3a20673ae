"""The stores that must all behave the same: memory, moto and SeaweedFS."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from s3dash.objectstore.s3 import S3Store
from tests.servers import Server

PART = 5 << 20
"""The smallest part that S3 takes: files above it go in parts here."""

GAPS = {
    "memory": frozenset[str](),
    # moto joins parts whatever If-Match says, and copies whatever the source's version.
    "moto": frozenset({"complete-if-match", "copy-if-match", "credentials"}),
    # SeaweedFS sorts listings segment by segment, and bends keys with `//` and `\\` to paths.
    "weed": frozenset({"key-order", "any-key"}),
}
"""What a server is known not to do. A test states what happens instead, so that it tells when
the gap closes."""


@dataclass
class Backend:
    """One kind of store; every store from `open` sees the same objects."""

    kind: str
    make: Callable[..., ObjectStore]
    server: Server | None = None
    bucket: str = ""
    prefix: str = ""
    opened: list[ObjectStore] = field(default_factory=list)

    def open(self, **options: Any) -> ObjectStore:
        store = self.make(**options)
        self.opened.append(store)
        return store

    def lacks(self, feature: str) -> bool:
        return feature in GAPS[self.kind]


@pytest.fixture(scope="session")
def buckets() -> dict[str, str]:
    """One bucket a server, as a new one costs SeaweedFS 0.2 s; tests differ by prefix."""
    return {}


@pytest.fixture(params=["memory", "moto", "weed"])
def backend(
    request: pytest.FixtureRequest, buckets: dict[str, str], tmp_path: Path
) -> Iterator[Backend]:
    prefix = f"team/{uuid.uuid4().hex[:10]}"
    if request.param == "memory":
        shared = MemoryBucket()

        def in_memory(*, page_size: int = 0, copy_part: int = PART, **options: Any) -> ObjectStore:
            sizes = {"multipart_above": PART, "part_size": PART, **options}
            return MemoryStore(shared, prefix, **sizes)

        made = Backend("memory", in_memory, prefix=prefix)
    else:
        made = _on_server(request.getfixturevalue(request.param), buckets, tmp_path, prefix)
    yield made
    for store in made.opened:
        store.close()


@pytest.fixture
def store(backend: Backend) -> ObjectStore:
    return backend.open()


def _on_server(server: Server, buckets: dict[str, str], tmp_path: Path, prefix: str) -> Backend:
    if server.kind not in buckets:
        buckets[server.kind] = server.make_bucket()
    bucket = buckets[server.kind]
    settings = server.settings(bucket, tmp_path, prefix=prefix)

    def make(**options: Any) -> ObjectStore:
        sizes = {"multipart_above": PART, "part_size": PART, **options}
        return S3Store(settings, server.credentials, **sizes)

    return Backend(server.kind, make, server, bucket, prefix)
