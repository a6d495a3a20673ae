"""`Datastore`: keys and values in a bucket, below its prefix. Scenarios KV-1 to KV-20."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from s3dash.errors import KeyNotFound, NotFound, S3DashError
from s3dash.objectstore.port import OnBytes
from s3dash.stores.kv.batch import Changes, whole
from s3dash.stores.kv.contract import Feature, KeyStore
from s3dash.stores.kv.evaluate import Source, answers
from s3dash.stores.kv.keys import Key
from s3dash.stores.kv.layouts import LAYOUTS
from s3dash.stores.kv.query import Entry, Query
from s3dash.stores.opened import Opened
from s3dash.stores.turns import in_turn

AT_ONCE = 1000
"""Keys that one request deletes."""

T = TypeVar("T")


class Datastore(KeyStore):
    """An opened bucket as keys and values; the settings say how keys become names (`layout`).

    Objects whose names are no keys of the layout are passed over. Values are whole in memory but
    in `download` and `upload`; a query reads `pull_concurrency` of them at a time, at most 64 MiB,
    a batch writes `push_concurrency`. Raises ReadOnly where the settings say so, and what the
    object store raises.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._store = opened.store
        self._layout = LAYOUTS[opened.settings.layout]

    @property
    def features(self) -> frozenset[Feature]:
        return frozenset({"batching", "persistent", "checked"})

    def read(self, key: str | Key) -> bytes:
        key = Key.of(key)
        found = self._asked(key, self._store.get)
        if found is None:
            raise AssertionError("without a condition nothing is unchanged")
        return found.body

    def get_size(self, key: str | Key) -> int:
        return self._asked(Key.of(key), self._store.head).size

    def put(self, key: str | Key, value: bytes) -> None:
        self._opened.steady.put(self.name_of(key), whole(value))

    def delete(self, key: str | Key) -> None:
        name = self._name_or_none(Key.of(key))
        if name is not None:
            self._opened.steady.delete(name)

    def query(self, query: Query = Query()) -> Generator[Entry, None, None]:  # noqa: B008 - frozen
        source = Source(
            self._listed, self.read, self._opened.settings.pull_concurrency, self._check_cancel
        )
        return answers(query, source)

    def sync(self, prefix: str | Key = "") -> None:
        """Nothing to do: what a put returned from is durable."""

    def close(self) -> None:
        self._store.close()

    def check(self, key: Key, value: bytes | None) -> None:
        if value is not None:
            self.name_of(key)

    def apply(self, changes: Changes) -> None:
        puts = [(key, value) for key, value in changes.items() if value is not None]
        gone = [key for key, value in changes.items() if value is None]
        self._each(puts, lambda one: self.put(*one))
        self._each([gone[at : at + AT_ONCE] for at in range(0, len(gone), AT_ONCE)], self._gone)

    # --- values that are too large for memory -------------------------------------------

    def download(self, key: str | Key, sink: BinaryIO, *, on_bytes: OnBytes | None = None) -> int:
        return self._asked(
            Key.of(key), lambda name: self._store.download(name, sink, on_bytes=on_bytes)
        ).size

    def upload(self, key: str | Key, source: Path, *, on_bytes: OnBytes | None = None) -> int:
        name = self.name_of(key)
        return self._patiently(lambda: self._store.upload(name, source, on_bytes=on_bytes)).size

    # --- how ----------------------------------------------------------------------------

    def name_of(self, key: str | Key) -> str:
        """The object of a key, below the prefix. Raises ValueError where there can be none."""
        key = Key.of(key)
        if key.is_root:
            raise ValueError("the key / can have no value")
        name = self._layout.name_of(key)
        if not name.isprintable():
            name.encode()  # a lone surrogate is a ValueError: it has no bytes
        return name

    def _name_or_none(self, key: Key) -> str | None:
        try:
            return self.name_of(key)
        except ValueError:
            return None

    def _asked(self, key: Key, ask: Callable[[str], T]) -> T:
        name = self._name_or_none(key)
        if name is None:
            raise KeyNotFound(f"there is no {key}")
        try:
            return ask(name)
        except NotFound as error:
            raise KeyNotFound(f"there is no {key}") from error

    def _listed(self, begin: str) -> Iterator[Entry]:
        for found in self._store.list(self._layout.begin_of(begin)):
            self._check_cancel()
            key = self._layout.key_of(found.key)
            if key is not None:
                yield Entry(key, found.size)

    def _each(self, items: Iterable[T], do: Callable[[T], None]) -> None:
        at_a_time = self._opened.settings.push_concurrency
        for _ in in_turn(items, do, at_a_time=at_a_time, check=self._check_cancel):
            pass

    def _gone(self, keys: Sequence[Key]) -> None:
        names = [name for key in keys if (name := self._name_or_none(key)) is not None]
        self._patiently(lambda: self._store.delete_many(names))

    def _patiently(self, do: Callable[[], T]) -> T:
        tried = 0
        while True:
            try:
                return do()
            except S3DashError as error:
                tried += 1
                if not self._opened.patience.again(tried, error):
                    raise

    def _check_cancel(self) -> None:
        self._opened.patience.cancel.check()
