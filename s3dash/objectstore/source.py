"""A local file that is being uploaded: hashed in one pass, watched for changes.

A small one is read once and held (`Held`), a large one is sent from disk (`LocalSource`).
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from s3dash.errors import LocalChanged, LocalError

CHUNK = 1 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
# O_NOFOLLOW: a path that became a symlink is not followed; O_NONBLOCK: a FIFO does not hang us.


class Slice(msgspec.Struct, frozen=True):
    """A piece of a file as it was when it was hashed: offset and length in bytes, binary MD5.

    Numbers begin at 1. The MD5 is what S3 checks a body by and, as a rule, its ETag.
    """

    number: int
    start: int
    size: int
    md5: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A whole file in memory, as it was when it was read: its bytes, and what they hash to (hex).

    `stat` was taken before it was read.
    """

    path: Path
    body: bytes = field(repr=False)
    sha256: str
    md5: str
    stat: os.stat_result

    @classmethod
    def read(cls, path: Path, *, at_most: int) -> "Held | None":
        """None when it has more than `at_most` bytes. Raises as LocalSource does.

        Whether it moved while it was read is not looked at: that is for `check`, before it is sent.
        """
        handle, found = _open(path)
        try:
            if found.st_size > at_most:
                return None
            body = _read_at(handle, path, 0, found.st_size)
        finally:
            os.close(handle)
        sha256 = hashlib.sha256(body).hexdigest()
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return cls(path, body, sha256, md5, found)

    @property
    def size(self) -> int:
        return len(self.body)

    def check(self) -> None:
        """Raises LocalChanged when the path leads to another file now, or its content moved."""
        if _identity(_at(self.path)) != _identity(self.stat):
            raise LocalChanged(f"{self.path} changed while it was uploaded")


class LocalSource:
    """A regular file, open for reading. `size` is the length in bytes when it was opened.

    Raises LocalChanged as soon as the file is seen to differ from what was opened, LocalError
    when it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle, found = _open(path)
        self._before = _identity(found)
        self.size = found.st_size
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._handle)

    @property
    def sha256(self) -> str:
        """Of the bytes that the latest pass has read so far, in hex."""
        return self._hash.hexdigest()

    def chunks(self, size: int) -> Iterator[bytes]:
        """The whole content in pieces of `size` bytes, the last one shorter; none when empty."""
        self._hash = hashlib.sha256()
        for start in range(0, self.size, size):
            chunk = self.read_at(start, min(size, self.size - start))
            self._hash.update(chunk)
            yield chunk
        self.check()

    def slices(self, size: int, *, check: Callable[[], None]) -> Iterator[Slice]:
        """One pass over the file that holds no more than a chunk; an empty file has no slice.

        `check` is called often, and stops the pass by raising.
        """
        self._hash = hashlib.sha256()
        for number, start in enumerate(range(0, self.size, size), 1):
            length = min(size, self.size - start)
            yield Slice(number, start, length, self._hashed(start, length, check))
        self.check()

    def read_at(self, start: int, count: int) -> bytes:
        """Exactly these bytes; any thread may ask. An early end means that the file shrank."""
        return _read_at(self._handle, self.path, start, count)

    def check(self) -> None:
        """Raises LocalChanged when the file, or what its path leads to, is another one now."""
        at_path = _at(self.path)
        held = _identity(os.fstat(self._handle))
        if held != self._before or _identity(at_path) != self._before:
            raise LocalChanged(f"{self.path} changed while it was uploaded")

    def _hashed(self, start: int, length: int, check: Callable[[], None]) -> bytes:
        md5 = hashlib.md5(usedforsecurity=False)
        for at in range(start, start + length, CHUNK):
            check()
            chunk = self.read_at(at, min(CHUNK, start + length - at))
            self._hash.update(chunk)
            md5.update(chunk)
        return md5.digest()


def _at(path: Path) -> os.stat_result:
    try:
        return os.lstat(path)
    except OSError as error:
        raise LocalChanged(f"{path} went away while it was uploaded") from error


def _read_at(handle: int, path: Path, start: int, count: int) -> bytes:
    piece = os.pread(handle, count, start)
    if len(piece) == count:
        return piece
    pieces, left = [piece], count - len(piece)
    while left > 0:  # a read may be short
        if not piece:
            raise LocalChanged(f"{path} became shorter while it was uploaded")
        piece = os.pread(handle, left, start + count - left)
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _open(path: Path) -> tuple[int, os.stat_result]:
    try:
        handle = os.open(path, _FLAGS)
    except FileNotFoundError as error:
        raise LocalChanged(f"{path} went away before it was uploaded") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise LocalChanged(f"{path} became a symbolic link") from error
        raise LocalError(f"{path} cannot be read: {error.strerror}") from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise LocalError(f"{path} is not a regular file")
    return handle, found


def _identity(found: os.stat_result) -> tuple[int, int, int, int, int]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
