"""A file that is being read: one version of it, piece by piece."""

import io
import os
from collections.abc import Callable

Fetch = Callable[[int, int], bytes]
"""Given offset and length in bytes; the bytes."""
BUFFER = 1 << 20


class Ranges(io.RawIOBase):
    """A seekable file whose pieces are fetched when they are read."""

    def __init__(self, path: str, size: int, fetch: Fetch) -> None:
        super().__init__()
        self.name = path
        self._size = size
        self._fetch = fetch
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative position {base + offset}")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what io passes
        length = min(len(buffer), max(0, self._size - self._at))
        piece = self._fetch(self._at, length) if length else b""
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def opened(path: str, size: int, fetch: Fetch) -> io.BufferedReader:
    """A binary file for reading, with a buffer of 1 MiB."""
    return io.BufferedReader(Ranges(path, size, fetch), BUFFER)
