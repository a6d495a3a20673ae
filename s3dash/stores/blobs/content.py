"""Bytes on their way into a store: named, hashed, and held or staged until they are sent."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

from s3dash.errors import UsageError
from s3dash.local.fsio import telling
from s3dash.objectstore.source import LocalSource
from s3dash.stores.blobs import sri

HELD = 8 << 20
"""Bytes that are held in memory; what is more waits on disk."""
CHUNK = 1 << 20

Heed = Callable[[], None]


class Naming(msgspec.Struct, frozen=True):
    """How bytes are to be named: by the integrity that they must have, or by their own digest.

    `opaque`: the integrity may be any text; one that is no digest is not compared.
    """

    integrity: str | None = None
    algorithm: sri.Algorithm = sri.USUAL
    opaque: bool = False


class Content(msgspec.Struct, frozen=True):
    """Bytes with their name, length and hashes in hex. `opaque`: the name says nothing of them."""

    integrity: str
    size: int
    sha256: str
    md5: str
    opaque: bool
    source: bytes | Path


class Hashing:
    """One pass over bytes. Raises UsageError for a name that says nothing, unless that may be."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._checker = checker_of(naming.integrity, opaque=naming.opaque)
        self._own = sri.new(naming.algorithm)
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def update(self, piece: bytes) -> None:
        self.size += len(piece)
        self._sha256.update(piece)
        self._md5.update(piece)
        if self._checker is not None:
            self._checker.update(piece)
        elif self._naming.integrity is None:
            self._own.update(piece)

    def finish(self, source: bytes | Path) -> Content:
        """Raises Integrity when these are not the bytes that they are said to be."""
        if self._checker is not None:
            self._checker.finish()
        named = self._naming.integrity
        return Content(
            integrity=str(sri.told(self._naming.algorithm, self._own)) if named is None else named,
            size=self.size,
            sha256=self._sha256.hexdigest(),
            md5=self._md5.hexdigest(),
            opaque=named is not None and self._checker is None,
            source=source,
        )


def checker_of(integrity: str | None, *, opaque: bool) -> sri.Checker | None:
    """What compares bytes with their name; None where that says nothing of them."""
    if integrity is None:
        return None
    try:
        return sri.Checker(integrity)
    except UsageError:
        if opaque:
            return None
        raise


def of_bytes(body: bytes, naming: Naming) -> Content:
    hashing = Hashing(naming)
    hashing.update(body)
    return hashing.finish(body)


def of_file(path: Path, naming: Naming, *, heed: Heed) -> Content:
    """A small file is held as it was read; a large one is read again while it is sent.

    `heed` is called between pieces, and stops it by raising. Raises LocalChanged and LocalError
    as LocalSource does.
    """
    with LocalSource(path) as local:
        if local.size <= HELD:
            body = local.read_at(0, local.size)
            local.check()
            return of_bytes(body, naming)
        return _hashed(local.chunks(CHUNK), naming, path, heed)


@contextmanager
def of_stream(
    stream: BinaryIO, naming: Naming, *, staging: Path | None, heed: Heed
) -> Iterator[Content]:
    """A stream of any length: what is more than `HELD` is staged in a file of `staging`, else of
    the system's directory for such, until the block ends."""
    first = _read(stream, HELD + 1)
    if len(first) <= HELD:
        yield of_bytes(first, naming)
        return
    with telling("a blob cannot be staged"):
        staged = tempfile.NamedTemporaryFile(prefix="s3dash-blob-", dir=staging)  # noqa: SIM115 - below
    with staged:
        yield _hashed(_staged(first, stream, staged.file), naming, Path(staged.name), heed)


def _staged(first: bytes, stream: BinaryIO, file: IO[bytes]) -> Iterator[bytes]:
    piece = first
    while piece:
        with telling("a blob cannot be staged"):
            file.write(piece)
        yield piece
        piece = stream.read(CHUNK)
    with telling("a blob cannot be staged"):
        file.flush()


def _read(stream: BinaryIO, most: int) -> bytes:
    """Up to so many bytes; a stream may give fewer at a time."""
    pieces, left = list[bytes](), most
    while left and (piece := stream.read(min(left, CHUNK))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _hashed(pieces: Iterable[bytes], naming: Naming, path: Path, heed: Heed) -> Content:
    hashing = Hashing(naming)
    for piece in pieces:
        heed()
        hashing.update(piece)
    return hashing.finish(path)
