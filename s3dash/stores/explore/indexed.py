"""What the index of a shared cache says of its objects: read shard by shard, kept for a job."""

import threading

from s3dash.core import paths
from s3dash.core.index import Entry, decode_entries, decode_meta
from s3dash.core.keys import Keys
from s3dash.core.partitions import partition
from s3dash.engine import cas
from s3dash.errors import IndexCorrupt
from s3dash.objectstore.port import ObjectStore

Document = dict[str, Entry]

NO_INDEX = "no index names it"


class Indexed:
    """Reads each document of an index once, whichever thread asks first.

    `namespaced`: the first segment of a key is the namespace whose index speaks for it.
    """

    def __init__(self, store: ObjectStore, *, namespaced: bool) -> None:
        self._store = store
        self._namespaced = namespaced
        self._turn = threading.Lock()
        self._read: dict[str, Document | None] = {}
        self._versions: dict[str, int] = {}

    def sha256(self, key: str) -> tuple[str, str]:
        """The SHA-256 that the index promises for an object, in hex; empty with the reason why it
        promises none. Raises what the store raises, and IndexCorrupt."""
        with self._turn:
            return self._promised(key)

    def _promised(self, key: str) -> tuple[str, str]:
        for keys, rel in self._places(key):
            if not paths.is_data(rel):
                return "", "the datastore's own record: no index names those"
            version = self._version(keys)
            if not version and self._document(keys.monolith) is None:
                continue
            entry = self._entry(keys, rel, version)
            if entry is None:
                return "", NO_INDEX
            return entry.sha256 or "", "" if entry.sha256 else "the index has no SHA-256 of it"
        return "", "there is no index here"

    def _places(self, key: str) -> list[tuple[Keys, str]]:
        head, slash, rest = key.partition("/")
        inside = [(Keys(head), rest)] if slash and paths.is_namespace(head) else []
        solo = (Keys(None), key)
        return [*inside, solo] if self._namespaced else [solo, *inside]

    def _version(self, keys: Keys) -> int:
        """Of the index: 1, 2, or 0 where nothing says it."""
        if keys.meta not in self._versions:
            meta = cas.read(self._store, keys.meta)
            found = decode_meta(meta.body, name=keys.meta).version if meta else 0
            self._versions[keys.meta] = found
        return self._versions[keys.meta]

    def _entry(self, keys: Keys, rel: str, version: int) -> Entry | None:
        shard, whole = keys.shard(partition(rel)), keys.monolith
        for key in {1: (whole,), 2: (shard,)}.get(version, (shard, whole)):
            found = (self._document(key) or {}).get(rel)
            if found is not None:
                return found
        return None

    def _document(self, key: str) -> Document | None:
        if key not in self._read:
            found = cas.read(self._store, key)
            self._read[key] = None if found is None else decode_entries(found.body, name=key)[0]
        return self._read[key]


def promised(index: Indexed, key: str) -> tuple[str, str]:
    """As `Indexed.sha256`, with an index that cannot be read as a reason like any other."""
    try:
        return index.sha256(key)
    except IndexCorrupt as error:
        return "", error.message
