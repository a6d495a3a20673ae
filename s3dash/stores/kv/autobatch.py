"""`Autobatch`: single changes that are sent as batches. Scenario AB-1."""

import threading
from collections.abc import Generator

from s3dash.errors import KeyNotFound
from s3dash.stores.kv.batch import Changes, whole
from s3dash.stores.kv.contract import Feature, KeyStore
from s3dash.stores.kv.keys import Key
from s3dash.stores.kv.query import Entry, Query

SIZE = 1000
MOST_BYTES = 64 << 20


class Autobatch(KeyStore):
    """Keeps changes back until there are `size` of them, or 64 MiB of values.

    They are sent on `sync`, `close` and before a query, too; reads see them at once. Until then
    they are in memory only: whoever ends without `close` loses them. Where sending fails they are
    kept, and go with the next.
    """

    def __init__(self, child: KeyStore, *, size: int = SIZE, most_bytes: int = MOST_BYTES) -> None:
        if size < 1:
            raise ValueError("the size must be at least 1")
        self._child = child
        self._size = size
        self._most_bytes = most_bytes
        self._lock = threading.RLock()
        self._kept: dict[Key, bytes | None] = {}
        self._bytes = 0

    @property
    def features(self) -> frozenset[Feature]:
        return self._child.features

    def read(self, key: str | Key) -> bytes:
        key = Key.of(key)
        with self._lock:
            if key not in self._kept:
                kept = None
            elif (kept := self._kept[key]) is None:
                raise KeyNotFound(f"there is no {key}")
        return self._child.read(key) if kept is None else kept

    def get_size(self, key: str | Key) -> int:
        with self._lock:
            if Key.of(key) in self._kept:
                return len(self.read(key))
        return self._child.get_size(key)

    def put(self, key: str | Key, value: bytes) -> None:
        key, value = Key.of(key), whole(value)
        self.check(key, value)
        self.apply({key: value})

    def delete(self, key: str | Key) -> None:
        self.apply({Key.of(key): None})

    def query(self, query: Query = Query()) -> Generator[Entry, None, None]:  # noqa: B008 - frozen
        self.flush()
        return self._child.query(query)

    def sync(self, prefix: str | Key = "") -> None:
        self.flush()
        self._child.sync(prefix)

    def close(self) -> None:
        try:
            self.flush()
        finally:
            self._child.close()

    def check(self, key: Key, value: bytes | None) -> None:
        self._child.check(key, value)

    def apply(self, changes: Changes) -> None:
        with self._lock:
            for key, value in changes.items():
                self._bytes += len(value or b"") - len(self._kept.get(key) or b"")
                self._kept[key] = value
            if len(self._kept) >= self._size or self._bytes >= self._most_bytes:
                self.flush()

    def flush(self) -> None:
        """Send what is kept back."""
        with self._lock:
            if self._kept:
                self._child.apply(self._kept)
            self._kept, self._bytes = {}, 0
