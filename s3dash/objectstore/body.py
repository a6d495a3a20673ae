"""A piece of a file as the body of a request: read from disk while it is sent, never held."""

import os

from s3dash.objectstore.port import OnBytes
from s3dash.objectstore.source import LocalSource, Slice

TELL_EVERY = 64 << 10
"""Bytes. After so many the caller is told, and may stop the transfer by raising."""


class SliceBody:
    """A readable, seekable file object over one slice, as boto3 wants it.

    What is read before `sending` is only looked at (boto3 signs it); after it, `on_bytes` is
    told. A body that is sent again tells no byte twice. `error` is what stopped it: an SDK
    wraps that into an exception of its own.
    """

    def __init__(self, local: LocalSource, piece: Slice, on_bytes: OnBytes) -> None:
        self.piece = piece
        self.error: BaseException | None = None
        self._local = local
        self._on_bytes = on_bytes
        self._at = 0
        self._told = 0
        self._sending = False

    def __len__(self) -> int:
        return self.piece.size

    def sending(self) -> None:
        """From here on bytes leave."""
        self._sending = True

    def again(self) -> None:
        """Back to the beginning, for another request."""
        self._at, self._sending, self.error = 0, False, None

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.piece.size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def read(self, count: int | None = -1) -> bytes:
        """Raises what the file or `on_bytes` raises, and remembers it."""
        left = max(0, self.piece.size - self._at)
        wanted = left if count is None or count < 0 else min(count, left)
        try:
            chunk = self._local.read_at(self.piece.start + self._at, wanted)
            self._at += wanted
            if self._sending:
                self._tell()
        except BaseException as error:
            self.error = error
            raise
        return chunk

    def _tell(self) -> None:
        fresh = self._at - self._told
        if fresh >= TELL_EVERY or (fresh > 0 and self._at == self.piece.size):
            self._told = self._at
            self._on_bytes(fresh)
