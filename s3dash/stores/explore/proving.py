"""Holding an object against the digest that somebody promised for it, without keeping its bytes.

A shared cache promises by its index, a blob by its own key, an IPFS block too. Plain files and
keys promise nothing: they are read whole, and their SHA-256 is told.
"""

from collections.abc import Callable
from typing import Any, Protocol

from s3dash.errors import Integrity, NotFound, PreconditionFailed, UsageError
from s3dash.objectstore.port import Downloaded, ObjectStore, OnBytes
from s3dash.stores.blobs import sri
from s3dash.stores.explore.entry import Entry, Verdict
from s3dash.stores.explore.indexed import Indexed, promised
from s3dash.stores.explore.shapes import integrity_of
from s3dash.stores.kv import ipfs

BLOCK_MOST = 8 << 20
"""Bytes of a block that are held to be hashed; IPFS itself goes to 2 MiB."""


class Prover(Protocol):
    def __call__(self, entry: Entry, *, on_bytes: OnBytes | None = None) -> Verdict: ...


class Sink:
    """A file to write to that keeps nothing; `take` gets every piece."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take

    def write(self, piece: Any) -> int:
        self._take(bytes(piece))
        return len(piece)

    def seek(self, *_: int) -> int:
        raise OSError("nothing is kept here")


class Proving:
    """Verifies entries of one bucket. `index` is that of a shared cache, None: it is none."""

    def __init__(self, store: ObjectStore, index: Indexed | None) -> None:
        self._store = store
        self._index = index

    def __call__(self, entry: Entry, *, on_bytes: OnBytes | None = None) -> Verdict:
        """Read it and say what became of it. Raises what the store raises, and Cancelled."""
        try:
            return self._of(entry)(entry, on_bytes=on_bytes)
        except NotFound:
            return Verdict(outcome="unproved", reason="it is gone")
        except PreconditionFailed:
            return Verdict(outcome="unproved", reason="it was replaced meanwhile: look again")

    def _of(self, entry: Entry) -> Prover:
        if self._index is not None:
            return self._indexed
        return {"blob": self._blob, "block": self._block}.get(entry.kind, self._plain)

    def _read(
        self, entry: Entry, take: Callable[[bytes], object], on_bytes: OnBytes | None
    ) -> Downloaded:
        sink: Any = Sink(take)
        return self._store.download(entry.key, sink, if_match=entry.etag, on_bytes=on_bytes)

    def _plain(self, entry: Entry, *, on_bytes: OnBytes | None = None) -> Verdict:
        got = self._read(entry, len, on_bytes)
        reason = "nothing promises a digest of it"
        return Verdict(outcome="unproved", actual=got.sha256, reason=reason)

    def _indexed(self, entry: Entry, *, on_bytes: OnBytes | None = None) -> Verdict:
        assert self._index is not None
        expected, reason = promised(self._index, entry.key)
        got = self._read(entry, len, on_bytes)
        if not expected:
            return Verdict(outcome="unproved", actual=got.sha256, reason=reason)
        good = got.sha256 == expected
        return Verdict(
            outcome="verified" if good else "damaged",
            by="SHA-256 of the index",
            expected=expected,
            actual=got.sha256,
            reason="" if good else "its bytes are not those that the index names",
        )

    def _blob(self, entry: Entry, *, on_bytes: OnBytes | None = None) -> Verdict:
        integrity = integrity_of(entry.key)
        try:
            checker = sri.Checker(integrity)
        except UsageError:
            return self._plain(entry, on_bytes=on_bytes)
        self._read(entry, checker.update, on_bytes)
        return _settled("SRI of its key", checker.finish)

    def _block(self, entry: Entry, *, on_bytes: OnBytes | None = None) -> Verdict:
        if entry.size > BLOCK_MOST:
            return Verdict(outcome="unproved", reason="larger than any block: not read")
        pieces = bytearray()
        got = self._read(entry, pieces.extend, on_bytes)
        try:
            return _settled("multihash of its key", lambda: ipfs.verify(entry.key, bytes(pieces)))
        except ValueError as error:
            return Verdict(outcome="unproved", actual=got.sha256, reason=str(error))


def _settled(by: str, check: Callable[[], object]) -> Verdict:
    try:
        check()
    except Integrity as error:
        return Verdict(outcome="damaged", by=by, reason=error.message)
    return Verdict(outcome="verified", by=by)
