"""Holding an object against the digest that somebody promised for it, without keeping its bytes.

A shared cache promises by its index, a blob by its own key, an IPFS block too. Plain files and
keys promise nothing: they are read whole, and their SHA-256 is told.
"""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from s3dash.errors import Integrity, NotFound, PreconditionFailed, Unverifiable
from s3dash.objectstore.port import Downloaded, OnBytes
from s3dash.stores.blobs.store import BlobStore
from s3dash.stores.explore.entry import Entry, Verdict
from s3dash.stores.explore.indexed import Indexed, promised
from s3dash.stores.kv import ipfs
from s3dash.stores.opened import Opened

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

BLOCK_MOST = 8 << 20
"""Bytes of a block that are held to be hashed; IPFS itself goes to 2 MiB."""


class Prover(Protocol):
    def __call__(self, entry: Entry, *, on_bytes: OnBytes | None = None) -> Verdict: ...


class Sink(io.BytesIO):
    """A file to write to that keeps nothing; `take` gets every piece."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        super().__init__()
        self._take = take

    def write(self, piece: "ReadableBuffer", /) -> int:
        whole = bytes(piece)
        self._take(whole)
        return len(whole)


class Proving:
    """Verifies entries of one bucket. `index` is that of a shared cache, None: it is none."""

    def __init__(self, opened: Opened, index: Indexed | None) -> None:
        self._opened = opened
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
        store = self._opened.store
        return store.download(entry.key, Sink(take), if_match=entry.etag, on_bytes=on_bytes)

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
        try:
            return _settled(
                "SRI of its key",
                lambda: BlobStore(self._opened).verify(entry.name, on_bytes=on_bytes),
            )
        except Unverifiable as error:
            return Verdict(outcome="unproved", reason=error.message)

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
        return Verdict(
            outcome="damaged", by=by, expected=error.expected, actual=error.actual,
            reason="" if error.actual else error.message,
        )  # fmt: skip
    return Verdict(outcome="verified", by=by)
