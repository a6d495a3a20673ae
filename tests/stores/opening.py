"""Opened buckets for the tests of the stores: in memory, on moto, on SeaweedFS."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from s3dash.core.settings import Datastore as Settings
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import Fetched, ObjectInfo, ObjectStore
from s3dash.objectstore.sealed import Sealed
from s3dash.stores.kv.datastore import Datastore
from s3dash.stores.opened import Opened
from tests.engine.clocks import QuickClock

SETTINGS = Settings(
    name="test", bucket="bucket", cache=Path("/cache"), state_dir=Path("/state"), kind="keys"
)


def opened(store: ObjectStore, **fields: Any) -> Opened:
    """`store` as a session opens it; it waits for nobody."""
    return Opened(replace(SETTINGS, **fields), store, Patience(QuickClock()))


def in_memory(store: MemoryStore | None = None, **fields: Any) -> Datastore:
    """A datastore in memory, empty unless a store is given."""
    return Datastore(opened(store or MemoryStore(MemoryBucket()), **fields))


class Recalling(Sealed):
    """A store that does not change: what was asked once is answered from memory."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store)
        self._listed: dict[str, list[ObjectInfo]] = {}
        self._got: dict[str, Fetched] = {}

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectInfo]:
        assert not start_after
        if prefix not in self._listed:
            self._listed[prefix] = [*super().list(prefix)]
        return iter(self._listed[prefix])

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Fetched:
        assert if_match is None
        assert if_none_match is None
        if key not in self._got:
            found = super().get(key)
            assert found is not None
            self._got[key] = found
        return self._got[key]
