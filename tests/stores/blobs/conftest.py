"""Places for blobs that must all behave the same: memory, moto and SeaweedFS."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.core.settings import Datastore
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore
from s3dash.stores.blobs.store import BlobStore
from s3dash.stores.opened import Opened
from tests.engine.clocks import QuickClock
from tests.servers import Server

SETTINGS = Datastore(
    name="test", bucket="bucket", cache=Path("/cache"), state_dir=Path("/state"), kind="blobs"
)


@dataclass
class Place:
    """A bucket, or a prefix in one, that nobody else uses."""

    settings: Datastore
    make: Callable[[Patience], ObjectStore]
    clock: QuickClock = field(default_factory=QuickClock)
    opened: list[ObjectStore] = field(default_factory=list)

    def open(self) -> Opened:
        patience = Patience(self.clock)
        store = self.make(patience)
        self.opened.append(store)
        return Opened(self.settings, store, patience)

    def blobs(self, **options: Any) -> BlobStore:
        return BlobStore(self.open(), **options)


def in_memory(bucket: MemoryBucket | None = None, **hooks: Any) -> Place:
    shared = bucket or MemoryBucket()
    return Place(SETTINGS, lambda _: MemoryStore(shared, **hooks))


def on_server(server: Server, bucket: str, tmp_path: Path) -> Place:
    prefix = f"team/{uuid.uuid4().hex[:10]}"
    settings = server.settings(bucket, tmp_path, prefix=prefix)
    return Place(
        replace(settings, kind="blobs"),
        lambda patience: open_store(settings, server.credentials, patience=patience),
    )


@pytest.fixture(params=["memory", "moto", "weed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "memory":
        made = in_memory()
    else:
        server = request.getfixturevalue(request.param)
        made = on_server(server, server.shared_bucket(), tmp_path)
    yield made
    for store in made.opened:
        store.close()


@pytest.fixture
def blobs(place: Place) -> BlobStore:
    return place.blobs()
