"""The documents of an index: fetched once per version, decoded, and put away.

What is on the shelf from an earlier process is not fetched again while its ETag is the listed one.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial

from s3dash.core.cancel import CancelToken
from s3dash.core.keys import Keys
from s3dash.engine.decoded import Decoded
from s3dash.engine.docs import Doc, Shelf
from s3dash.engine.jobs import each
from s3dash.errors import (
    CommitConflict,
    IndexCorrupt,
    NotFound,
    PreconditionFailed,
    S3DashError,
)
from s3dash.objectstore.port import Fetched, ObjectInfo, ObjectStore

TURNS = 8
"""How often each reader comes back for more of a large index."""
AT_ONCE = 256
"""Documents of a large index whose bytes are held before they are put away."""


class Documents:
    """`by_key` are those that are known, `decoded` what they say. `readers` are fetched at a time.

    Every method raises what the store raises; those that read bytes again LocalError too.
    """

    def __init__(
        self,
        store: ObjectStore,
        keys: Keys,
        *,
        known: Mapping[str, Doc],
        shelf: Shelf | None,
        readers: int,
    ) -> None:
        self._store = store
        self._keys = keys
        self._shelf = shelf
        self._readers = readers
        self.decoded = Decoded(keys)
        self.by_key = dict(known)
        for key, etag in shelf.doc_etags().items() if shelf else ():
            self.by_key[key] = Doc(etag, partial(self._again, key, etag))

    def fetch_all(self, shards: Iterable[ObjectInfo]) -> bool:
        """Side by side; False when one of them moved since it was listed."""
        known = self.by_key
        moved = [i for i in shards if (old := known.get(i.key)) is None or old.etag != i.etag]
        some = max(1, len(moved) // (self._readers * TURNS))  # to be handed to a thread at a time
        work = each(
            lambda infos: [(info.key, self.fetch(info.key, info.etag)) for info in infos],
            [moved[at : at + some] for at in range(0, len(moved), some)],
            workers=self._readers,
            cancel=CancelToken(),
            name="s3dash-index",
        )
        complete, fresh = True, dict[str, Doc]()
        for _, found in work:
            if isinstance(found, S3DashError):
                raise found
            complete = complete and all(doc is not None for _, doc in found)
            fresh.update((k, d) for k, d in found if d is not None and self._makes_sense(k, d))
            if len(fresh) >= AT_ONCE:
                self._put_away(fresh)
                fresh.clear()
        return complete

    def _makes_sense(self, key: str, doc: Doc) -> bool:
        """Decodes it while its bytes are here. What does not is told when it is asked for."""
        if self._keys.partition_of(key) is None:
            return False
        with suppress(IndexCorrupt):
            self.decoded.take(key, doc.etag, doc.body)
            return True
        return False

    def _put_away(self, docs: dict[str, Doc]) -> None:
        shelf = self._shelf
        if shelf is not None and shelf.save_docs({k: (d.etag, d.body) for k, d in docs.items()}):
            for key, doc in docs.items():
                doc.put_away(partial(self._again, key, doc.etag))

    def _again(self, key: str, etag: str) -> bytes:
        """The bytes of a document that was put away. Raises CommitConflict when it is gone."""
        kept = self._shelf.doc(key, etag) if self._shelf is not None else None
        if kept is not None:
            return kept
        doc = self._fetched(key, etag)
        if doc is None:
            raise CommitConflict(f"{key} was replaced before it was read", hint="try again")
        return doc.body

    def fetch(self, key: str, etag: str) -> Doc | None:
        """The version that was listed; None when it moved since."""
        known = self.by_key.get(key)
        if known is not None and known.etag == etag:
            return known
        return self._fetched(key, etag)

    def _fetched(self, key: str, etag: str) -> Doc | None:
        try:
            fetched = self._store.get(key, if_match=etag)
        except (NotFound, PreconditionFailed):
            return None
        return self.remember(key, fetched)

    def remember(self, key: str, fetched: Fetched | None) -> Doc | None:
        if fetched is None:
            return None
        doc = Doc(fetched.info.etag, fetched.body)
        self.by_key[key] = doc
        return doc

    def decode(self, shards: Iterable[str]) -> None:
        for key in shards:
            doc = self.by_key[key]
            if not self.decoded.knows(key, doc.etag):
                with self.forgotten_if_corrupt(key):
                    self.decoded.take(key, doc.etag, doc.body)

    @contextmanager
    def forgotten_if_corrupt(self, key: str) -> Iterator[None]:
        """A document that makes no sense may have been damaged on its way: it is not kept.

        Nor are those that came with it, and were not looked at yet.
        """
        try:
            yield
        except IndexCorrupt:
            for other in (key, *(k for k in self.by_key if k not in self.decoded)):
                self.forget(other)
            raise

    def forget(self, key: str) -> None:
        self.by_key.pop(key, None)
        self.decoded.forget(key)
