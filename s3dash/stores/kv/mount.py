"""`Mount`: several datastores as one, each below a key of its own. Scenarios MT-1 to MT-9."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from s3dash.errors import KeyNotFound, MountFailed, NoMount, NotFound, StoreError
from s3dash.objectstore.port import OnBytes
from s3dash.stores.kv.batch import Changes
from s3dash.stores.kv.contract import Feature, KeyStore
from s3dash.stores.kv.evaluate import Source, answers
from s3dash.stores.kv.keys import Key
from s3dash.stores.kv.query import Entry, Query
from s3dash.stores.turns import READS


class Mount(KeyStore):
    """Each key belongs to the mount that is its nearest ancestor, and is relative to it there.

    What another mount holds below that is masked: it is neither read nor listed. A query asks the
    mounts for their keys, and sorts, filters and cuts what they answer together.
    """

    def __init__(self, mounts: Mapping[str, KeyStore]) -> None:
        found = {Key(text): store for text, store in mounts.items()}
        if len(found) < len(mounts):
            raise ValueError("two datastores are mounted at the same key")
        self._mounts = dict(sorted(found.items(), reverse=True))

    @property
    def features(self) -> frozenset[Feature]:
        every = [store.features for store in self._mounts.values()]
        return frozenset.intersection(*every) if every else frozenset()

    def read(self, key: str | Key) -> bytes:
        store, rest = self._found(Key.of(key))
        return store.read(rest)

    def get_size(self, key: str | Key) -> int:
        store, rest = self._found(Key.of(key))
        return store.get_size(rest)

    def put(self, key: str | Key, value: bytes) -> None:
        """Raises NoMount where nothing is mounted."""
        store, rest = self._wanted(Key.of(key))
        store.put(rest, value)

    def delete(self, key: str | Key) -> None:
        at = self._mount_of(Key.of(key))
        if at is not None:
            self._mounts[at].delete(Key.of(key).relative_to(at))

    def download(self, key: str | Key, sink: BinaryIO, *, on_bytes: OnBytes | None = None) -> int:
        store, rest = self._found(Key.of(key))
        return store.download(rest, sink, on_bytes=on_bytes)

    def upload(self, key: str | Key, source: Path, *, on_bytes: OnBytes | None = None) -> int:
        store, rest = self._wanted(Key.of(key))
        return store.upload(rest, source, on_bytes=on_bytes)

    def query(self, query: Query = Query()) -> Generator[Entry, None, None]:  # noqa: B008 - frozen
        """An error of a mount is raised as MountFailed, which names it."""
        return answers(query, Source(self._listed, self._read, READS, lambda: None))

    def sync(self, prefix: str | Key = "") -> None:
        """Reaches the mounts below the prefix, and the one that it lies in."""
        for at, below in self._touched(Key.of(prefix)):
            with _named(at):
                self._mounts[at].sync(below)

    def close(self) -> None:
        for store in self._mounts.values():
            store.close()

    def check(self, key: Key, value: bytes | None) -> None:
        if value is not None:
            store, rest = self._wanted(key)
            store.check(rest, value)

    def apply(self, changes: Changes) -> None:
        parted: dict[Key, dict[Key, bytes | None]] = {}
        for key, value in changes.items():
            at = self._mount_of(key)
            if at is not None:
                parted.setdefault(at, {})[key.relative_to(at)] = value
        for at, part in parted.items():
            with _named(at):
                self._mounts[at].apply(part)

    # --- how ----------------------------------------------------------------------------

    def _mount_of(self, key: Key) -> Key | None:
        """The mounts are in descending order: the nearest ancestor comes first."""
        return next((at for at in self._mounts if at.is_ancestor_of(key)), None)

    def _found(self, key: Key) -> tuple[KeyStore, Key]:
        at = self._mount_of(key)
        if at is None:
            raise KeyNotFound(f"there is no {key}: nothing is mounted there")
        return self._mounts[at], key.relative_to(at)

    def _wanted(self, key: Key) -> tuple[KeyStore, Key]:
        if key.is_root:
            raise ValueError("the key / can have no value")
        at = self._mount_of(key)
        if at is None:
            raise NoMount(f"nothing is mounted where {key} lies")
        return self._mounts[at], key.relative_to(at)

    def _touched(self, prefix: Key) -> list[tuple[Key, Key]]:
        """Mounts that may hold keys below the prefix, each with the prefix as it sees it."""
        inside = [(at, Key()) for at in self._mounts if at == prefix or prefix.is_ancestor_of(at)]
        around = self._mount_of(prefix)
        if around is not None and prefix not in self._mounts:
            inside.append((around, prefix.relative_to(around)))
        return inside

    def _listed(self, begin: str) -> Iterator[Entry]:
        for at, below in self._touched(Key(begin.rpartition("/")[0])):
            asked = Query(prefix=below.text, keys_only=True)
            with _named(at), closing(self._mounts[at].query(asked)) as found:
                for entry in found:
                    key = at.child(entry.key)
                    if self._mount_of(key) == at:
                        yield Entry(key.text, entry.size)

    def _read(self, key: str) -> bytes:
        at = self._mount_of(Key(key))
        with _named(at or Key()):
            return self.read(key)


@contextmanager
def _named(at: Key) -> Iterator[None]:
    """Tells in which mount something failed."""
    try:
        yield
    except (NotFound, MountFailed):
        raise
    except StoreError as error:
        raise MountFailed(
            f"the datastore at {at}: {error.message}", hint=error.hint, brief=error.brief
        ) from error
