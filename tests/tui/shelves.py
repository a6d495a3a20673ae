"""Buckets in memory for the Explorer, filled as a test wants them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from s3dash.core.settings import Datastore, Kind
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import Level, ObjectInfo
from s3dash.stores.opened import Opened
from s3dash.tui.shelves import Shelves
from tests.tui.fake_engine import FakeClock

THEN = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)


def store(name: str, kind: Kind = "files", **options: Any) -> Datastore:
    fields: dict[str, Any] = {"prefix": name, "state_dir": Path("/srv/s"), **options}
    fields.setdefault("endpoint", "http://127.0.0.1:9000")
    return Datastore(name=name, bucket="team", kind=kind, cache=Path("/srv"), **fields)


class Standing(FakeClock):
    """The server's clock: it stands."""

    def now(self) -> datetime:
        return THEN


class Endless:
    """A store of keys whose listing goes on for ever: three pages come, the others are waited for
    until the store is closed."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def levels(self, prefix: str = "", *, start_after: str = "") -> Iterator[Level]:
        for page in range(3):
            names = (f"{prefix}session-{page * 1000 + n:06}" for n in range(1000))
            yield Level((), tuple(ObjectInfo(name, 412, "e", THEN) for name in names))
        self._patience.cancel.event.wait()

    def get_range(self, key: str, **_: object) -> bytes:
        return b'{"user": 17, "since": "2026-03-12"}'.ljust(412)

    def close(self) -> None:
        """Nothing is held open."""


class Buckets:
    """`opened` are the stores that were asked for, with their hooks to be set."""

    def __init__(self, held: Mapping[Datastore, Mapping[str, bytes]]) -> None:
        self.bucket = MemoryBucket(clock=Standing())
        self.stores = list(held)
        self.opened: list[MemoryStore] = []
        for settings, objects in held.items():
            filling = self._store(settings)
            for key, body in objects.items():
                filling.put(key, body)

    def _store(self, settings: Datastore) -> MemoryStore:
        return MemoryStore(self.bucket, settings.prefix)

    def open(self, settings: Datastore) -> Opened:
        made = self._store(settings)
        self.opened.append(made)
        return Opened(settings, made, Patience())

    def shelves(self, first: str = "") -> Shelves:
        return Shelves(stores=tuple(self.stores), open=self.open, first=first)

    def body(self, name: str, key: str) -> bytes:
        """What an object holds now."""
        return self.bucket.read(f"{name}/{key}").body

    def keys(self, name: str) -> list[str]:
        """What a datastore holds now."""
        settings = next(one for one in self.stores if one.name == name)
        return [info.key for info in self._store(settings).list()]


def endless() -> Shelves:
    """A datastore of keys that is being listed as long as one looks."""

    def opened(settings: Datastore) -> Opened:
        patience = Patience()
        listing: Any = Endless(patience)
        return Opened(settings, listing, patience)

    return Shelves(stores=(store("sessions", "keys"),), open=opened)
