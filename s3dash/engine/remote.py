"""Reading the remote index: v1, v2, rebuilt from a listing, or none.

The fingerprint is one LIST of `_index/`; only what moved since is fetched. A failed read is an
error, never an empty index (source: shared-datastore protocol; reliability section 3, «Read»).
"""

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

import msgspec

from s3dash.core.cancel import CancelToken
from s3dash.core.index import Entry, Meta, decode_meta
from s3dash.core.keys import Keys
from s3dash.engine import unindexed
from s3dash.engine.docs import Doc, Shelf
from s3dash.engine.documents import Documents
from s3dash.engine.jobs import each
from s3dash.errors import (
    CommitConflict,
    IndexCorrupt,
    InvalidResponse,
    NotFound,
    S3DashError,
)
from s3dash.objectstore.port import ObjectInfo, ObjectStore
from s3dash.objectstore.threads import Threads

LOAD_ROUNDS = 5
READERS = 32
PAGE = 1000
"""Keys of one answer to a listing: S3's own limit."""
TOGETHER = 4 << 20
"""Bytes of shards that are fetched with meta, not after it."""
MAX_MISSING = 1000
"""Shards that are named and not there, and may still be made anew: each costs two requests."""


class RemoteIndex(msgspec.Struct):
    """What the bucket says there is.

    `version` 0: no index, so that the first commit starts one of version 2. `docs` are the
    objects it was read from, by key. `dropped` shards are listed but not in meta; `missing`
    ones the other way round. `rebuilt`: there was no index, the entries come from a listing of
    the data, and `etags` are the objects' versions. `fingerprint` tells two states apart.
    """

    version: int = 0
    meta: Meta | None = None
    docs: dict[str, Doc] = msgspec.field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    entries: dict[str, Entry] = msgspec.field(default_factory=dict)
    blocked: dict[str, str] = msgspec.field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    rebuilt: bool = False
    etags: dict[str, str] = msgspec.field(default_factory=dict)
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

    `docs` are known already, and so are those on the `shelf`. `readers` is how many documents are
    fetched at a time. A listing is taken to cost a request for each `page` documents.
    """

    def __init__(
        self,
        store: ObjectStore,
        keys: Keys,
        docs: dict[str, Doc] | None = None,
        *,
        shelf: Shelf | None = None,
        readers: int = READERS,
        page: int = PAGE,
    ) -> None:
        self._store = store
        self._keys = keys
        self._readers = readers
        self._page = page
        self._ours: set[str] = set()
        self._lacking = ""
        self._doubted = False
        self._known = Documents(store, keys, known=docs or {}, shelf=shelf, readers=readers)
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
            index = None
            listing = {info.key: info for info in self._store.list(self._keys.index_dir)}
            with suppress(CommitConflict):  # what is to be read again has moved
                index = self._from_listing(listing)
            if index is not None:
                self._latest = index
                self._doubted = False
                self._ours.clear()
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
        self._known.by_key[key] = doc
        self._ours.add(key)

    def still(self, shards: Collection[str] = ()) -> RemoteIndex | None:
        """The last load, and what we wrote since, as long as meta and these shards (keys) are of
        the versions that we know; None when one moved.

        It costs a request each, and is None where a listing costs no more, or is wanted for what
        it would mend. Shards that are not asked about may have moved: whoever writes to one does
        it by compare-and-swap on what is known here.
        """
        latest, asked = self._latest, {self._keys.meta, *shards}
        if latest is None or latest.version != 2 or latest.is_broken or self._doubted:
            return None
        if self._ours - asked or len(asked) * self._page >= len(latest.fingerprint):
            return None
        looks = each(
            self._is_as_known,
            sorted(asked),
            workers=self._readers,
            cancel=CancelToken(),
            name="s3dash-index",
        )
        same = True
        for _, answer in looks:
            if isinstance(answer, S3DashError):
                raise answer
            same = same and answer
        return self._following(latest) if same else None

    def _is_as_known(self, key: str) -> bool:
        known = self._known.by_key.get(key)
        try:
            return known is not None and self._store.head(key).etag == known.etag
        except NotFound:
            return False

    def _following(self, latest: RemoteIndex) -> RemoteIndex:
        """The last load with what we wrote since."""
        if self._ours:
            fingerprint = dict(latest.fingerprint) | {
                k: self._known.by_key[k].etag for k in self._ours
            }
            names = latest.listed | set(filter(None, map(self._keys.partition_of, self._ours)))
            meta = decode_meta(self._known.by_key[self._keys.meta].body, name=self._keys.meta)
            self._latest = self._of_shards(meta, names, frozenset(fingerprint.items()))
            self._ours.clear()
        return self._latest or latest

    def doubt(self, rel: str) -> None:
        """What the index says of this path is not so: the next load reads it anew.

        An ETag tells versions apart, and not whether the bytes that came with it were damaged.
        """
        for key in self.holders(rel):
            self._known.forget(key)
            self._doubted = True

    def holders(self, rel: str) -> list[str]:
        """Keys of the documents of the last load that hold an entry for this path."""
        docs = self._latest.docs if self._latest else {}
        return [key for key in self._known.decoded.holders(rel) if key in docs]

    def docs(self) -> dict[str, Doc]:
        """All documents that are known, to be kept for the next process."""
        return dict(self._known.by_key)

    def _from_listing(self, listing: dict[str, ObjectInfo]) -> RemoteIndex | None:
        """None when an object moved between the listing and its GET."""
        shards = {k: n for k in listing if (n := self._keys.partition_of(k)) is not None}
        meta_info = listing.get(self._keys.meta)
        if meta_info is None and not shards:
            return self._from_no_shards(listing)
        if meta_info is None and self._is_short([self._keys.meta]):
            return None
        meta = None
        if meta_info is not None:
            if not self._fetch_together(meta_info, [listing[key] for key in shards]):
                return None
            doc = self._known.fetch(self._keys.meta, meta_info.etag)
            if doc is None:
                return None
            with self._known.forgotten_if_corrupt(self._keys.meta):
                meta = decode_meta(doc.body, name=self._keys.meta)
            if meta.version == 1:
                return self._from_monolith(meta, listing)
        return self._from_shards(meta, shards, listing)

    def _fetch_together(self, meta: ObjectInfo, shards: Collection[ObjectInfo]) -> bool:
        """Meta with what it will ask for, in one go; False when one moved since it was listed.

        Where it says that the shards do not count they were fetched in vain: not where that was
        so, nor where they are large.
        """
        known = self._known.by_key.get(self._keys.meta)
        if known is not None:
            with suppress(IndexCorrupt, CommitConflict):  # an old version is nobody's concern
                if decode_meta(known.body, name=self._keys.meta).version == 1:
                    return True
        if sum(info.size for info in shards) > TOGETHER:
            return True
        return self._known.fetch_all([meta, *shards])

    def _from_no_shards(self, listing: dict[str, ObjectInfo]) -> RemoteIndex | None:
        """Neither meta nor a shard is listed: whether that is so, and what there is instead."""
        if self._readers == 1:
            short = self._is_short([self._keys.meta])
            return None if short else self._from_monolith(None, listing)
        with Threads(1, thread_name_prefix="s3dash-index") as pool:
            monolith = pool.submit(self._fetch_monolith)
            short = self._is_short([self._keys.meta])
        return None if short else self._from_monolith(None, listing, monolith.result)

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
        self, meta: Meta | None, shards: dict[str, str], listing: dict[str, ObjectInfo]
    ) -> RemoteIndex | None:
        """`shards` are their names by key."""
        fingerprint = frozenset((k, i.etag) for k, i in listing.items())
        if self._is_latest(fingerprint):
            return self._latest
        if not self._known.fetch_all([listing[key] for key in shards]):
            return None
        names = set(shards.values())
        said = set(meta.partitions) if meta else names
        gone = sorted(said - names)
        if self._is_short(self._keys.shard(name) for name in gone[:MAX_MISSING]):
            return None
        if len(gone) > MAX_MISSING:
            raise IndexCorrupt(f"{self._keys.meta} names {len(gone):,} shards that are not there")
        self._known.by_key = {k: d for k, d in self._known.by_key.items() if k in listing}
        self._known.decoded.keep(self._known.by_key)
        return self._of_shards(meta, names, fingerprint)

    def _of_shards(
        self, meta: Meta | None, names: Collection[str], fingerprint: frozenset[tuple[str, str]]
    ) -> RemoteIndex:
        """Of documents that are known, by the names of their shards."""
        shards = sorted(map(self._keys.shard, names))
        self._known.decode(shards)
        merged = self._known.decoded.merge(shards)
        listed, said = frozenset(names), frozenset(meta.partitions if meta else names)
        return RemoteIndex(
            version=2,
            meta=meta or Meta(version=2, partitions=tuple(sorted(names))),
            docs=dict(self._known.by_key),
            listed=listed,
            entries=merged.entries,
            blocked=merged.blocked(),
            dropped=listed - said,
            missing=said - listed,
            fingerprint=fingerprint,
        )

    # --- version 1 and none -------------------------------------------------------------

    def _from_monolith(
        self,
        meta: Meta | None,
        listing: dict[str, ObjectInfo],
        fetch: Callable[[], Doc | None] | None = None,
    ) -> RemoteIndex | None:
        doc = fetch() if fetch else self._fetch_monolith()
        fingerprint = {(k, i.etag) for k, i in listing.items()}
        if doc is None:
            return self._rebuild(meta)
        fingerprint.add((self._keys.monolith, doc.etag))
        if self._is_latest(fingerprint):
            return self._latest
        self._known.decode([self._keys.monolith])
        merged = self._known.decoded.merge([self._keys.monolith])
        return RemoteIndex(
            version=1,
            meta=meta,
            docs={
                k: d
                for k, d in self._known.by_key.items()
                if k in listing or k == self._keys.monolith
            },
            listed=frozenset(n for n in map(self._keys.partition_of, listing) if n),
            entries=merged.entries,
            blocked=merged.blocked(),
            fingerprint=frozenset(fingerprint),
        )

    def _rebuild(self, meta: Meta | None) -> RemoteIndex:
        """No index at all: the objects themselves say what there is."""
        found = unindexed.found(self._store, self._keys)
        return RemoteIndex(
            version=1 if meta else 0,
            meta=meta,
            entries=found.entries,
            blocked=found.blocked,
            rebuilt=bool(found.entries),
            etags=found.etags,
        )

    # --- objects ------------------------------------------------------------------------

    def _is_latest(self, fingerprint: Collection[tuple[str, str]]) -> bool:
        same = self._latest is not None and self._latest.fingerprint == fingerprint
        return same and not self._doubted

    def _fetch_monolith(self) -> Doc | None:
        key = self._keys.monolith
        known = self._known.by_key.get(key)
        try:
            fetched = self._store.get(key, if_none_match=known.etag if known else None)
        except NotFound:
            self._known.by_key.pop(key, None)
            return None
        return known if fetched is None else self._known.remember(key, fetched)
