"""`Namespace`: the part of a datastore below one key, as a datastore. Scenarios NS-1 and NS-2."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, TypeVar

from s3dash.errors import KeyNotFound, NotFound
from s3dash.objectstore.port import OnBytes
from s3dash.stores.kv.batch import Changes
from s3dash.stores.kv.contract import Feature, KeyStore
from s3dash.stores.kv.evaluate import Source, answers
from s3dash.stores.kv.keys import Key
from s3dash.stores.kv.query import Entry, Query
from s3dash.stores.turns import READS

T = TypeVar("T")


class Namespace(KeyStore):
    """Every key goes below `prefix`, also one that begins like it already."""

    def __init__(self, child: KeyStore, prefix: str | Key) -> None:
        self._child = child
        self._prefix = Key.of(prefix)

    @property
    def features(self) -> frozenset[Feature]:
        return self._child.features

    def read(self, key: str | Key) -> bytes:
        return self._asked(Key.of(key), self._child.read)

    def get_size(self, key: str | Key) -> int:
        return self._asked(Key.of(key), self._child.get_size)

    def put(self, key: str | Key, value: bytes) -> None:
        self.check(Key.of(key), value)
        self._child.put(self._inner(key), value)

    def delete(self, key: str | Key) -> None:
        if not Key.of(key).is_root:
            self._child.delete(self._inner(key))

    def download(self, key: str | Key, sink: BinaryIO, *, on_bytes: OnBytes | None = None) -> int:
        return self._asked(
            Key.of(key), lambda inner: self._child.download(inner, sink, on_bytes=on_bytes)
        )

    def upload(self, key: str | Key, source: Path, *, on_bytes: OnBytes | None = None) -> int:
        self.check(Key.of(key), b"")
        return self._child.upload(self._inner(key), source, on_bytes=on_bytes)

    def query(self, query: Query = Query()) -> Generator[Entry, None, None]:  # noqa: B008 - frozen
        return answers(query, Source(self._listed, self.read, READS, lambda: None))

    def sync(self, prefix: str | Key = "") -> None:
        self._child.sync(self._inner(prefix))

    def close(self) -> None:
        self._child.close()

    def check(self, key: Key, value: bytes | None) -> None:
        super().check(key, value)
        self._child.check(self._inner(key), value)

    def apply(self, changes: Changes) -> None:
        below = {key: value for key, value in changes.items() if not key.is_root}
        self._child.apply({self._inner(key): value for key, value in below.items()})

    def _asked(self, key: Key, ask: Callable[[Key], T]) -> T:
        try:
            if not key.is_root:
                return ask(self._inner(key))
        except NotFound as error:
            raise KeyNotFound(f"there is no {key}") from error
        raise KeyNotFound(f"there is no {key}")

    def _inner(self, key: str | Key) -> Key:
        return self._prefix.child(Key.of(key))

    def _listed(self, begin: str) -> Iterator[Entry]:
        below = self._prefix.child(begin.rpartition("/")[0])
        with closing(self._child.query(Query(prefix=below.text, keys_only=True))) as found:
            for entry in found:
                yield Entry(Key(entry.key).relative_to(self._prefix).text, entry.size)
