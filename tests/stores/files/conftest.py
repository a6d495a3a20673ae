"""Places for files that must all behave the same: memory, moto and SeaweedFS."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.settings import Datastore
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore
from s3dash.stores.files.files import Files
from s3dash.stores.files.filesystem import S3DashFileSystem
from s3dash.stores.opened import Opened
from tests.engine.clocks import QuickClock
from tests.servers import Server

MIB = 1 << 20
SIZES = {"multipart_above": 8 * MIB, "part_size": 5 * MIB}


@dataclass
class Place:
    """A bucket, or a prefix in one, that nobody else uses."""

    kind: str
    settings: Datastore
    make: Callable[..., ObjectStore]
    opened: list[ObjectStore] = field(default_factory=list)

    def open(self, **hooks: Any) -> Opened:
        patience = Patience(QuickClock()) if self.kind == "memory" else Patience()
        options = {} if self.kind == "memory" else {"patience": patience}
        store = self.make(**SIZES, **options, **hooks)
        self.opened.append(store)
        return Opened(self.settings, store, patience)

    def files(self, *, hooks: Any = None, **options: Any) -> Files:
        return Files(self.open(**(hooks or {})), **options)

    def filesystem(self, **options: Any) -> S3DashFileSystem:
        return S3DashFileSystem(
            open_bucket=lambda _bucket: self.open(), skip_instance_cache=True, **options
        )


@pytest.fixture(scope="session")
def file_buckets() -> dict[str, str]:
    """One bucket a server; tests differ by prefix."""
    return {}


def place_on(server: Server, buckets: dict[str, str], tmp_path: Path) -> Place:
    if server.kind not in buckets:
        buckets[server.kind] = server.make_bucket()
    prefix = f"team/{uuid.uuid4().hex[:10]}"
    settings = server.settings(buckets[server.kind], tmp_path, prefix=prefix, kind="files")
    return Place(
        server.kind, settings, lambda **more: open_store(settings, server.credentials, **more)
    )


def place_in_memory(tmp_path: Path) -> Place:
    shared = MemoryBucket()
    settings = Datastore(
        name="test",
        bucket="memory",
        kind="files",
        cache=tmp_path / "cache",
        state_dir=tmp_path / "state",
        push_concurrency=4,
    )
    return Place("memory", settings, lambda **more: MemoryStore(shared, **more))


@pytest.fixture(params=["memory", "moto", "weed"])
def place(
    request: pytest.FixtureRequest, file_buckets: dict[str, str], tmp_path: Path
) -> Iterator[Place]:
    if request.param == "memory":
        made = place_in_memory(tmp_path)
    else:
        made = place_on(request.getfixturevalue(request.param), file_buckets, tmp_path)
    yield made
    for store in made.opened:
        store.close()


@pytest.fixture
def memory(tmp_path: Path) -> Place:
    return place_in_memory(tmp_path)


@pytest.fixture
def files(place: Place) -> Files:
    return place.files()
