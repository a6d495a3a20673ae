"""Reading the remote index: v1, v2, rebuilt from a listing, or none.

The fingerprint is one LIST of `_index/`; only what moved since is fetched. A failed read is an
error, never an empty index (source: shared-datastore protocol; reliability section 3, «Read»).
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from s3dash.clock import iso
from s3dash.core import paths
from s3dash.core.cancel import CancelToken
from s3dash.core.index import Entry, Meta, decode_entries, decode_meta, entry_problem
from s3dash.core.keys import Keys
from s3dash.core.partitions import PEER_TOPS, partition
from s3dash.engine.jobs import each
from s3dash.errors import (
    CommitConflict,
    IndexCorrupt,
    InvalidResponse,
    NotFound,
    PreconditionFailed,
    S3DashError,
)
from s3dash.objectstore.port import Fetched, ObjectInfo, ObjectStore

LOAD_ROUNDS = 5
READERS = 16
_INDEXES = (Keys().meta, Keys().monolith)
MAX_MISSING = 1000
"""Shards that are named and not there, and may still be made anew: each costs two requests."""


@dataclass(frozen=True, slots=True)
class Doc:
    """An index object as it was read: its version and its bytes."""

    etag: str
    body: bytes


@dataclass(slots=True)
class RemoteIndex:
    """What the bucket says there is.

    `version` 0: no index, so that the first commit starts one of version 2. `docs` are the
    objects it was read from, by key. `dropped` shards are listed but not in meta; `missing`
    ones the other way round. `rebuilt`: there was no index, the entries come from a listing of
    the data, and `etags` are the objects' versions. `fingerprint` tells two states apart.
    """

    version: int = 0
    meta: Meta | None = None
    docs: dict[str, Doc] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    entries: dict[str, Entry] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    rebuilt: bool = False
    etags: dict[str, str] = field(default_factory=dict)
    fingerprint: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_broken(self) -> bool:
        """True when the next push has to put the index right, even with nothing else to do."""
        return self.rebuilt or bool(self.dropped) or bool(self.missing)

    @property
    def commit_seq(self) -> int | None:
        return self.meta.commitSeq if self.meta is not None and self.version == 2 else None


class IndexReader:
    """Keeps the documents it has read, so that the next load fetches only what changed.

    `readers` is how many documents are fetched at a time.
    """

    def __init__(
        self,
        store: ObjectStore,
        keys: Keys,
        docs: dict[str, Doc] | None = None,
        *,
        readers: int = READERS,
    ) -> None:
        self._store = store
        self._keys = keys
        self._readers = readers
        self._lacking = ""
        self._doubted = False
        self._docs = dict(docs or {})
        self._parsed: dict[str, tuple[str, dict[str, Entry], dict[str, str]]] = {}
        self._latest: RemoteIndex | None = None

    @property
    def latest(self) -> RemoteIndex | None:
        """What the last load found."""
        return self._latest

    def load(self) -> RemoteIndex:
        """The index now; the same object again when nothing moved.

        Raises IndexCorrupt, and every failure of the store as it is.
        """
        for _ in range(LOAD_ROUNDS):
            listing = {info.key: info for info in self._store.list(self._keys.index_dir)}
            index = self._from_listing(listing)
            if index is not None:
                self._latest = index
                self._doubted = False
                return index
        if self._lacking:
            raise InvalidResponse(
                f"the listing of {self._keys.index_dir} lacks {self._lacking}, which is there",
                hint="the endpoint, or something before it, answers wrongly; try again later",
            )
        raise CommitConflict(
            "the remote index kept moving while it was read", hint="try again in a moment"
        )

    def know(self, key: str, doc: Doc) -> None:
        """A document that we have just written: no need to fetch it."""
        self._docs[key] = doc

    def doubt(self, rel: str) -> None:
        """What the index says of this path is not so: the next load reads it anew.

        An ETag tells versions apart, and not whether the bytes that came with it were damaged.
        """
        for key in self.holders(rel):
            self._forget(key)
            self._doubted = True

    def holders(self, rel: str) -> list[str]:
        """Keys of the documents of the last load that hold an entry for this path."""
        docs = self._latest.docs if self._latest else {}
        return [key for key, parsed in self._parsed.items() if key in docs and rel in parsed[1]]

    def docs(self) -> dict[str, Doc]:
        """All documents that are known, to be kept for the next process."""
        return dict(self._docs)

    def _from_listing(self, listing: dict[str, ObjectInfo]) -> RemoteIndex | None:
        """None when an object moved between the listing and its GET."""
        shards = {k: i for k, i in listing.items() if self._keys.partition_of(k) is not None}
        meta_info = listing.get(self._keys.meta)
        if meta_info is None and self._is_short([self._keys.meta]):
            return None
        if meta_info is None and not shards:
            return self._from_monolith(None, listing)
        meta = None
        if meta_info is not None:
            doc = self._fetch(self._keys.meta, meta_info.etag)
            if doc is None:
                return None
            with self._forgotten_if_corrupt(self._keys.meta):
                meta = decode_meta(doc.body, name=self._keys.meta)
            if meta.version == 1:
                return self._from_monolith(meta, listing)
        return self._from_shards(meta, shards, listing)

    def _is_short(self, missing: Iterable[str]) -> bool:
        """True when an object is there that the listing lacks: it must not be believed."""
        for key in missing:
            with suppress(NotFound):  # as listed
                self._store.head(key)
                self._lacking = key
                return True
        return False

    # --- version 2 ----------------------------------------------------------------------

    def _from_shards(
        self, meta: Meta | None, shards: dict[str, ObjectInfo], listing: dict[str, ObjectInfo]
    ) -> RemoteIndex | None:
        fingerprint = frozenset((k, i.etag) for k, i in listing.items())
        if self._is_latest(fingerprint):
            return self._latest
        if not self._fetch_all(shards):
            return None
        names = {self._keys.partition_of(key) or "" for key in shards}
        said = set(meta.partitions) if meta else names
        gone = sorted(said - names)
        if self._is_short(self._keys.shard(name) for name in gone[:MAX_MISSING]):
            return None
        if len(gone) > MAX_MISSING:
            raise IndexCorrupt(f"{self._keys.meta} names {len(gone):,} shards that are not there")
        self._docs = {k: d for k, d in self._docs.items() if k in listing}
        index = RemoteIndex(
            version=2,
            meta=meta or Meta(version=2, partitions=tuple(sorted(names))),
            docs=dict(self._docs),
            listed=frozenset(names),
            dropped=frozenset(names - said),
            missing=frozenset(said - names),
            fingerprint=fingerprint,
        )
        for key in sorted(shards):
            self._merge(index, key, self._keys.partition_of(key))
        return index

    def _merge(self, index: RemoteIndex, key: str, shard: str | None) -> None:
        """Add a document's entries; where two shards hold a path, its own one wins."""
        good, bad = self._parse(key, index.docs[key])
        index.blocked.update(bad)
        if not index.entries:
            index.entries.update(good)
            return
        for rel, entry in good.items():
            if rel not in index.entries or partition(rel) == shard:
                index.entries[rel] = entry

    def _parse(self, key: str, doc: Doc) -> tuple[dict[str, Entry], dict[str, str]]:
        known = self._parsed.get(key)
        if known is not None and known[0] == doc.etag:
            return known[1], known[2]
        with self._forgotten_if_corrupt(key):
            entries, bad = decode_entries(doc.body, name=key)
        lead = len(self._keys.root.encode())
        good: dict[str, Entry] = {}
        for rel, entry in entries.items():
            if not paths.is_data(rel):
                continue  # scrubbed: internal paths are nobody's data
            if reason := entry_problem(rel, entry, key_prefix_bytes=lead):
                bad[rel] = reason
            else:
                good[rel] = entry
        self._parsed[key] = (doc.etag, good, bad)
        return good, bad

    # --- version 1 and none -------------------------------------------------------------

    def _from_monolith(
        self, meta: Meta | None, listing: dict[str, ObjectInfo]
    ) -> RemoteIndex | None:
        doc = self._fetch_monolith()
        fingerprint = {(k, i.etag) for k, i in listing.items()}
        if doc is None:
            return self._rebuild(meta)
        fingerprint.add((self._keys.monolith, doc.etag))
        if self._is_latest(fingerprint):
            return self._latest
        names = frozenset(n for n in map(self._keys.partition_of, listing) if n)
        index = RemoteIndex(
            version=1,
            meta=meta,
            docs={k: d for k, d in self._docs.items() if k in listing or k == self._keys.monolith},
            listed=names,
            fingerprint=frozenset(fingerprint),
        )
        self._merge(index, self._keys.monolith, None)
        return index

    def _rebuild(self, meta: Meta | None) -> RemoteIndex:
        """No index at all: the objects themselves say what there is."""
        found = [i for i in self._store.list(self._keys.root) if not i.key.endswith("/")]
        rels = {i.key[len(self._keys.root) :]: i for i in found}
        others = set() if self._keys.namespace else namespaces_among(rels)
        index = RemoteIndex(version=1 if meta else 0, meta=meta)
        for rel, info in rels.items():
            if not paths.is_data(rel) or rel.partition("/")[0] in others:
                continue
            entry = Entry(
                key=rel,
                size=info.size,
                lastModified=iso(info.last_modified) if info.last_modified else "",
            )
            if reason := entry_problem(rel, entry, key_prefix_bytes=len(self._keys.root)):
                index.blocked[rel] = reason
            else:
                index.entries[rel] = entry
                index.etags[rel] = info.etag
        index.rebuilt = bool(index.entries)
        return index

    def _fetch_all(self, shards: dict[str, ObjectInfo]) -> bool:
        """Side by side; False when one of them moved since it was listed."""
        work = each(
            lambda info: self._fetch(info.key, info.etag),
            shards.values(),
            workers=self._readers,
            cancel=CancelToken(),
            name="s3dash-index",
        )
        complete = True
        for _, doc in work:
            if isinstance(doc, S3DashError):
                raise doc
            complete = complete and doc is not None
        return complete

    # --- objects ------------------------------------------------------------------------

    def _is_latest(self, fingerprint: Collection[tuple[str, str]]) -> bool:
        same = self._latest is not None and self._latest.fingerprint == fingerprint
        return same and not self._doubted

    @contextmanager
    def _forgotten_if_corrupt(self, key: str) -> Iterator[None]:
        """A document that makes no sense may have been damaged on its way: it is not kept.

        Nor are those that came with it, and were not looked at yet.
        """
        try:
            yield
        except IndexCorrupt:
            for other in (key, *(self._docs.keys() - self._parsed.keys())):
                self._forget(other)
            raise

    def _forget(self, key: str) -> None:
        self._docs.pop(key, None)
        self._parsed.pop(key, None)

    def _fetch(self, key: str, etag: str) -> Doc | None:
        """The version that was listed; None when it moved since."""
        known = self._docs.get(key)
        if known is not None and known.etag == etag:
            return known
        try:
            fetched = self._store.get(key, if_match=etag)
        except (NotFound, PreconditionFailed):
            return None
        return self._remember(key, fetched)

    def _fetch_monolith(self) -> Doc | None:
        key = self._keys.monolith
        known = self._docs.get(key)
        try:
            fetched = self._store.get(key, if_none_match=known.etag if known else None)
        except NotFound:
            self._docs.pop(key, None)
            return None
        return known if fetched is None else self._remember(key, fetched)

    def _remember(self, key: str, fetched: Fetched | None) -> Doc | None:
        if fetched is None:
            return None
        doc = Doc(fetched.info.etag, fetched.body)
        self._docs[key] = doc
        return doc


def namespaces_among(rels: Iterable[str]) -> set[str]:
    """First segments that carry a namespace manifest, or an index: other repositories' subtrees."""
    return {rel.partition("/")[0] for rel in rels if is_mark(rel)}


def is_mark(rel: str) -> bool:
    """Whether an object of this name makes the directory that it lies in a namespace.

    One that was pushed to before it was registered has an index, and no manifest.
    """
    head, _, rest = rel.partition("/")
    return rest == paths.NAMESPACE_MANIFEST or (
        rest in _INDEXES and head not in PEER_TOPS and paths.is_namespace(head)
    )
