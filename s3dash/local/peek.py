"""Reading a file to look at it: bounded, through no link, and never while it changes."""

import hashlib
import os
import stat as modes
from pathlib import Path

import msgspec

from s3dash.errors import LocalChanged, LocalError
from s3dash.local.scan import FileStat

_NONE = (FileNotFoundError, NotADirectoryError)


class Peeked(msgspec.Struct, frozen=True):
    """A file as it was read. `body` None: it is larger than the limit; `sha256` is the body's."""

    stat: FileStat
    body: bytes | None = None
    sha256: str = ""


def peek(path: Path, *, limit: int) -> Peeked | None:
    """A regular file of at most `limit` bytes; None: there is none.

    Raises LocalChanged when it changed while it was read, LocalError when it cannot be read or
    is no regular file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except _NONE:
        return None
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return _read(handle, path, limit)
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from error
    finally:
        os.close(handle)


def _read(handle: int, path: Path, limit: int) -> Peeked:
    found = os.fstat(handle)
    stat = FileStat.of(found)
    if not modes.S_ISREG(found.st_mode):
        raise LocalError(f"{path} is no regular file")
    if stat.size > limit:
        return Peeked(stat)
    chunks, left = [], stat.size + 1
    while left > 0 and (chunk := os.read(handle, left)):  # a growing file has no end
        chunks.append(chunk)
        left -= len(chunk)
    body = b"".join(chunks)
    if len(body) != stat.size or FileStat.of(os.fstat(handle)) != stat:
        raise LocalChanged(f"{path} changed while it was read")
    return Peeked(stat, body, hashlib.sha256(body).hexdigest())
