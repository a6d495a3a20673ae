"""What every datastore of keys can do, whether it is a bucket, a mount or a wrapper."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, MutableMapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self, TypeVar, overload

from s3dash.errors import KeyNotFound, LocalError, NotFound
from s3dash.objectstore.port import OnBytes
from s3dash.stores.kv.batch import Batch, Changes
from s3dash.stores.kv.keys import Key
from s3dash.stores.kv.query import Entry, Query

T = TypeVar("T")

Feature = Literal["batching", "persistent", "checked"]
"""`batching`: a batch is more than its parts one by one; `persistent`: values outlive the process;
`checked`: values can be verified against their keys."""

_NOTHING = object()


class KeyStore(MutableMapping[str, bytes], ABC):
    """A mapping of clean keys to bytes; thread-safe. Keys may be texts, which are cleaned.

    Beyond the mapping: `get` of a missing key without a default raises KeyNotFound, `delete` is
    idempotent, where `del` raises. `len` and iteration list the bucket. Two are equal when they
    are the same one: nothing is read to compare them.
    """

    @property
    @abstractmethod
    def features(self) -> frozenset[Feature]:
        """What this datastore can do beyond the contract."""

    @abstractmethod
    def read(self, key: str | Key) -> bytes:
        """The value. Raises KeyNotFound."""

    @abstractmethod
    def get_size(self, key: str | Key) -> int:
        """The length of the value in bytes. Raises KeyNotFound."""

    @abstractmethod
    def put(self, key: str | Key, value: bytes) -> None:
        """Raises ValueError for the root, which can have no value."""

    @abstractmethod
    def delete(self, key: str | Key) -> None:
        """One that is missing is fine."""

    @abstractmethod
    def query(self, query: Query = Query()) -> Generator[Entry, None, None]:  # noqa: B008 - frozen
        """The entries that are asked for, as they come; close it to ask for no more.

        An error in the middle is raised: what came before is never all there is.
        """

    @abstractmethod
    def sync(self, prefix: str | Key = "") -> None:
        """Return when all that was put below `prefix` before is durable."""

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def apply(self, changes: Changes) -> None:
        """Carry out a batch. Raises the first failure; to do it all again is safe."""

    # --- what follows from it -----------------------------------------------------------

    def has(self, key: str | Key) -> bool:
        try:
            self.get_size(key)
        except NotFound:
            return False
        return True

    def download(self, key: str | Key, sink: BinaryIO, *, on_bytes: OnBytes | None = None) -> int:
        """Write a value into `sink`; its length in bytes. A bucket's is streamed.

        Raises KeyNotFound before a byte is written.
        """
        value = self.read(key)
        sink.write(value)
        if on_bytes is not None:
            on_bytes(len(value))
        return len(value)

    def upload(self, key: str | Key, source: Path, *, on_bytes: OnBytes | None = None) -> int:
        """The bytes of a file as a value; their number. Into a bucket they are streamed.

        Raises LocalError when the file cannot be read, LocalChanged when it changes meanwhile.
        """
        try:
            value = source.read_bytes()
        except OSError as error:
            raise LocalError(f"{source} cannot be read: {error.strerror}") from error
        self.put(key, value)
        if on_bytes is not None:
            on_bytes(len(value))
        return len(value)

    def batch(self) -> Batch:
        return Batch(self.apply, self.check)

    def check(self, key: Key, value: bytes | None) -> None:
        """Raises ValueError for a key that can have no value."""
        if key.is_root and value is not None:
            raise ValueError("the key / can have no value")

    @overload
    def get(self, key: str | Key) -> bytes: ...
    @overload
    def get(self, key: str | Key, default: T) -> bytes | T: ...
    def get(self, key: str | Key, default: object = _NOTHING) -> object:
        try:
            return self.read(key)
        except NotFound:
            if default is _NOTHING:
                raise
            return default

    def __getitem__(self, key: str | Key) -> bytes:
        return self.read(key)

    def __setitem__(self, key: str | Key, value: bytes) -> None:
        self.put(key, value)

    def __delitem__(self, key: str | Key) -> None:
        if not self.has(key):
            raise KeyNotFound(f"there is no {Key.of(key)}")
        self.delete(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str | Key) and self.has(key)

    def __iter__(self) -> Iterator[str]:
        with closing(self.query(Query(keys_only=True))) as found:
            for entry in found:
                yield entry.key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        """Whether there is any key: one page of a listing."""
        return next(iter(self), None) is not None

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def clear(self) -> None:
        """Delete every key."""
        self.apply({Key(key): None for key in self})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()
