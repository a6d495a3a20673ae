"""The same shared bucket in memory and on SeaweedFS."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities, ObjectStore
from s3dash.objectstore.probe import quick_probe
from tests.engine.faults import machine
from tests.engine.world import Machine, Stores
from tests.servers import Server

Join = Callable[..., Machine]


@pytest.fixture(params=["memory", "seaweedfs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], ObjectStore]:
    """A factory of stores over one fresh bucket: each machine has a connection of its own."""
    if request.param == "memory":
        bucket = MemoryBucket()
        return lambda: MemoryStore(bucket)
    weed = request.getfixturevalue("weed")
    settings = weed.settings(weed.make_bucket(), tmp_path)
    from s3dash.objectstore.s3 import S3Store

    return Stores(lambda: S3Store(settings, weed.credentials), request.getfixturevalue("weed_can"))


@pytest.fixture(scope="session")
def weed_can(weed: Server, tmp_path_factory: pytest.TempPathFactory) -> Capabilities:
    """Proved once: SeaweedFS lets the racers for one key wait for seconds."""
    with closing(weed.store(weed.make_bucket(), tmp_path_factory.mktemp("proof"))) as store:
        return quick_probe(store, nonce="proof")


@pytest.fixture
def join(store: Callable[[], ObjectStore], tmp_path: Path) -> Join:
    """`join("ada")`: a machine with a cache of its own on the shared bucket."""

    def make(name: str, **settings: Any) -> Machine:
        return Machine(tmp_path / name, store, **settings)

    return make


@pytest.fixture
def memory() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def world(tmp_path: Path, store: Callable[[], ObjectStore]) -> tuple[Machine, Machine]:
    """Ada and Bob in sync on `files/a` and `files/stay`."""
    ada, bob = machine(tmp_path / "ada", store), machine(tmp_path / "bob", store)
    ada.write("files/a", "base")
    ada.write("files/stay", "stay")
    ada.push()
    bob.pull()
    return ada, bob
