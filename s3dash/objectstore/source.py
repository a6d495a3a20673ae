"""A local file that is being uploaded: read once, hashed, and watched for changes."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from s3dash.errors import LocalChanged, LocalError

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
# O_NOFOLLOW: a path that became a symlink is not followed; O_NONBLOCK: a FIFO does not hang us.


class LocalSource:
    """A regular file, open for reading. `size` is the length in bytes when it was opened.

    Raises LocalChanged as soon as the file is seen to differ from what was opened, LocalError
    when it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.fdopen(_open(path), "rb", buffering=0)
        self._before = _identity(os.fstat(self._file.fileno()))
        self.size = os.fstat(self._file.fileno()).st_size
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Of the bytes read so far, in hex."""
        return self._hash.hexdigest()

    def chunks(self, size: int) -> Iterator[bytes]:
        """The whole content in pieces of `size` bytes, the last one shorter; none when empty."""
        left = self.size
        while left > 0:
            chunk = self._exactly(min(size, left))
            left -= len(chunk)
            yield chunk
        self.check()

    def read(self) -> bytes:
        """The whole content at once."""
        return b"".join(self.chunks(max(self.size, 1)))

    def check(self) -> None:
        """Raises LocalChanged when the file, or what its path leads to, is another one now."""
        try:
            at_path = os.lstat(self.path)
        except OSError as error:
            raise LocalChanged(f"{self.path} went away while it was uploaded") from error
        held = _identity(os.fstat(self._file.fileno()))
        if held != self._before or _identity(at_path) != self._before:
            raise LocalChanged(f"{self.path} changed while it was uploaded")

    def _exactly(self, count: int) -> bytes:
        """A raw read may be short; an early end means that the file shrank."""
        pieces, left = [], count
        while left > 0:
            piece = self._file.read(left)
            if not piece:
                raise LocalChanged(f"{self.path} became shorter while it was uploaded")
            self._hash.update(piece)
            pieces.append(piece)
            left -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _open(path: Path) -> int:
    try:
        handle = os.open(path, _FLAGS)
    except FileNotFoundError as error:
        raise LocalChanged(f"{path} went away before it was uploaded") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise LocalChanged(f"{path} became a symbolic link") from error
        raise LocalError(f"{path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise LocalError(f"{path} is not a regular file")
    return handle


def _identity(found: os.stat_result) -> tuple[int, int, int, int, int]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
