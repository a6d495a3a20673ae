"""What the documents of an index say: decoded once per version, merged into one index.

Where a few of many shards changed the merge goes on from the last one, so that a look at a large
index costs what changed in it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from s3dash.core.index import Entry, decode_entries, sound
from s3dash.core.keys import Keys
from s3dash.core.partitions import partition


class Said(NamedTuple):
    """One version of a document: its entries by path, and why the others must not be acted on."""

    etag: str
    entries: dict[str, Entry]
    bad: dict[str, str]


class Merged(msgspec.Struct):
    """What was merged, by key, and what came of it. `disjoint`: no path is in two documents.

    `entries` is shared with whoever got it: it is never changed, but replaced.
    """

    said: dict[str, Said] = msgspec.field(default_factory=dict)
    entries: dict[str, Entry] = msgspec.field(default_factory=dict)
    disjoint: bool = True

    def blocked(self) -> dict[str, str]:
        """A new dictionary at each call."""
        found: dict[str, str] = {}
        for one in self.said.values():
            found.update(one.bad)
        return found


class Decoded:
    """The documents of one index, by key. Not for several threads at a time."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._said: dict[str, Said] = {}
        self._last = Merged()

    def __contains__(self, key: str) -> bool:
        return key in self._said

    def forget(self, key: str) -> None:
        """As if it had never been decoded."""
        self._said.pop(key, None)

    def keep(self, keys: Collection[str]) -> None:
        """Forget all others: those documents are gone."""
        if self._said.keys() - keys:
            self._said = {key: one for key, one in self._said.items() if key in keys}

    def holders(self, rel: str) -> list[str]:
        """Keys of the documents that hold an entry for this path."""
        return [key for key, one in self._said.items() if rel in one.entries]

    def knows(self, key: str, etag: str) -> bool:
        """Whether this version was decoded already."""
        known = self._said.get(key)
        return known is not None and known.etag == etag

    def take(self, key: str, etag: str, body: bytes) -> None:
        """Decode a version of a document. Raises IndexCorrupt."""
        entries, bad = decode_entries(body, name=key)
        good, unsound = sound(entries, key_prefix_bytes=len(self._keys.root.encode()))
        self._said[key] = Said(etag, good, bad | unsound)

    def merge(self, keys: Iterable[str]) -> Merged:
        """The index that these documents make up; each was taken before. The order decides which
        entry of two equal ones is taken."""
        said = {key: self._said[key] for key in keys}
        self._last = self._following(said) or self._afresh(said)
        return self._last

    def _following(self, said: Mapping[str, Said]) -> Merged | None:
        """The last merge with what changed since; None when that is not simpler."""
        last = self._last
        fresh = [key for key, one in said.items() if last.said.get(key) is not one]
        stale = [key for key, one in last.said.items() if said.get(key) is not one]
        if not last.disjoint or len(fresh) + len(stale) > len(said) // 2:
            return None
        entries = last.entries.copy()
        for key in stale:
            for rel in last.said[key].entries:
                del entries[rel]
        for key in fresh:
            if not entries.keys().isdisjoint(said[key].entries):
                return None
            entries.update(said[key].entries)
        return Merged(dict(said), entries)

    def _afresh(self, said: Mapping[str, Said]) -> Merged:
        merged = Merged(dict(said))
        for key, one in said.items():
            if merged.entries.keys().isdisjoint(one.entries):
                merged.entries.update(one.entries)
            else:
                merged.disjoint = False
                self._over(merged.entries, key, one.entries)
        return merged

    def _over(self, entries: dict[str, Entry], key: str, said: Mapping[str, Entry]) -> None:
        """Where two shards hold a path, its own one wins."""
        shard = self._keys.partition_of(key)
        for rel, entry in said.items():
            if rel not in entries or partition(rel) == shard:
                entries[rel] = entry
