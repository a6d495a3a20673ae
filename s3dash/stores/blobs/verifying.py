"""Whether bytes that came from a store are those that their name promises."""

import hashlib
import io
from typing import IO, TYPE_CHECKING

from s3dash.errors import Unverifiable
from s3dash.local.fsio import telling
from s3dash.objectstore.metadata import Metadata
from s3dash.stores.blobs import sri
from s3dash.stores.blobs.content import checker_of

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SHA256 = "sha256"
"""The metadata of a blob whose name is no digest: the SHA-256 of its bytes, in hex."""


class Verifier:
    """Takes the bytes of one blob as they come.

    By its name where that is a digest, which nobody who can write the object can bend; else by
    the SHA-256 that was put with it. `trusting`: bytes that nothing vouches for are taken.
    """

    def __init__(self, integrity: str, *, trusting: bool = False) -> None:
        self._integrity = integrity
        self._trusting = trusting
        self._checker = checker_of(integrity, opaque=True)
        self._sha256 = hashlib.sha256()

    def update(self, piece: "ReadableBuffer") -> None:
        hashed = self._checker or self._sha256
        hashed.update(memoryview(piece))

    def finish(self, metadata: Metadata) -> None:
        """Raises Integrity for other bytes, Unverifiable where nothing says which they are."""
        if self._checker is not None:
            return self._checker.finish()
        expected = dict(metadata).get(SHA256, "")
        if not expected and self._trusting:
            return None
        if not expected:
            raise Unverifiable(
                f"nothing says which bytes {self._integrity} stands for: its name is no digest, "
                "and no SHA-256 was put with it"
            )
        if (actual := self._sha256.hexdigest()) != expected:
            raise sri.mismatch(f"sha256:{expected}", f"sha256:{actual}")
        return None


class Tee(io.BytesIO):
    """A sink that verifies what goes through it, and passes it on; it holds nothing of it."""

    def __init__(self, verifier: Verifier, file: IO[bytes] | None = None) -> None:
        super().__init__()
        self._verifier = verifier
        self._file = file

    def write(self, piece: "ReadableBuffer", /) -> int:
        """Raises LocalError when the file does not take it."""
        self._verifier.update(piece)
        if self._file is not None:
            with telling("a blob cannot be written"):
                self._file.write(piece)
        return memoryview(piece).nbytes
