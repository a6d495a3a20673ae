"""`Measure`: how often a datastore is asked, how long it takes, how much moves. Scenario ME-1."""

import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from s3dash.clock import Clock, SystemClock
from s3dash.errors import NotFound
from s3dash.objectstore.port import OnBytes
from s3dash.stores.kv.batch import Changes
from s3dash.stores.kv.contract import Feature, KeyStore
from s3dash.stores.kv.keys import Key
from s3dash.stores.kv.query import Entry, Query


class Figures(msgspec.Struct, frozen=True):
    """Of one kind of call: how many, how many failed, seconds in all, bytes of values, rows.

    A key that is missing is no failure. `seconds` of a query are to its end, not counting what
    the caller does between two rows.
    """

    calls: int = 0
    errors: int = 0
    seconds: float = 0.0
    bytes: int = 0
    rows: int = 0

    def plus(self, *, errors: int, seconds: float, bytes: int, rows: int) -> "Figures":
        return Figures(
            self.calls + 1,
            self.errors + errors,
            self.seconds + seconds,
            self.bytes + bytes,
            self.rows + rows,
        )


class _Call:
    """One call that is going on: what it moved so far, and the time of it that is the child's."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.bytes = 0
        self.rows = 0


class Measure(KeyStore):
    """Asks `child` for everything, and counts. `prefix` is a name for the figures, as in kubo."""

    def __init__(self, child: KeyStore, *, prefix: str = "", clock: Clock | None = None) -> None:
        self.prefix = prefix
        self._child = child
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._figures: dict[str, Figures] = {}

    def figures(self) -> dict[str, Figures]:
        """By call: get, get_size, put, delete, query, sync, batch."""
        with self._lock:
            return dict(self._figures)

    @property
    def features(self) -> frozenset[Feature]:
        return self._child.features

    def read(self, key: str | Key) -> bytes:
        with self._counted("get") as call, self._timed(call):
            value = self._child.read(key)
            call.bytes += len(value)
            return value

    def get_size(self, key: str | Key) -> int:
        with self._counted("get_size") as call, self._timed(call):
            return self._child.get_size(key)

    def put(self, key: str | Key, value: bytes) -> None:
        with self._counted("put") as call, self._timed(call):
            self._child.put(key, value)
            call.bytes += len(value)

    def delete(self, key: str | Key) -> None:
        with self._counted("delete") as call, self._timed(call):
            self._child.delete(key)

    def download(self, key: str | Key, sink: BinaryIO, *, on_bytes: OnBytes | None = None) -> int:
        with self._counted("get") as call, self._timed(call):
            size = self._child.download(key, sink, on_bytes=on_bytes)
            call.bytes += size
            return size

    def upload(self, key: str | Key, source: Path, *, on_bytes: OnBytes | None = None) -> int:
        with self._counted("put") as call, self._timed(call):
            size = self._child.upload(key, source, on_bytes=on_bytes)
            call.bytes += size
            return size

    def query(self, query: Query = Query()) -> Generator[Entry, None, None]:  # noqa: B008 - frozen
        with self._counted("query") as call, closing(self._child.query(query)) as found:
            while True:
                with self._timed(call):
                    entry = next(found, None)
                if entry is None:
                    return
                call.rows += 1
                call.bytes += len(entry.value or b"")
                yield entry

    def sync(self, prefix: str | Key = "") -> None:
        with self._counted("sync") as call, self._timed(call):
            self._child.sync(prefix)

    def close(self) -> None:
        self._child.close()

    def check(self, key: Key, value: bytes | None) -> None:
        self._child.check(key, value)

    def apply(self, changes: Changes) -> None:
        with self._counted("batch") as call, self._timed(call):
            self._child.apply(changes)
            call.rows += len(changes)
            call.bytes += sum(len(value or b"") for value in changes.values())

    @contextmanager
    def _counted(self, what: str) -> Iterator[_Call]:
        call, errors = _Call(), 0
        try:
            yield call
        except (NotFound, GeneratorExit):
            raise
        except BaseException:
            errors = 1
            raise
        finally:
            with self._lock:
                self._figures[what] = self._figures.get(what, Figures()).plus(
                    errors=errors, seconds=call.seconds, bytes=call.bytes, rows=call.rows
                )

    @contextmanager
    def _timed(self, call: _Call) -> Iterator[None]:
        began = self._clock.monotonic()
        try:
            yield
        finally:
            call.seconds += self._clock.monotonic() - began
