"""Reading the files that a configuration is made of: regular ones, up to a bound, never waiting.

A FIFO without a writer would hold a command up for ever, and `/dev/zero` has no end.
"""

import os
import stat
from pathlib import Path

MAX_BYTES = 1 << 20
"""The longest configuration that is read; ours have some hundred bytes."""


class Unreadable(Exception):
    """Why a file was not read, in words that hold nothing of its content."""


class TooLong(Unreadable):
    """More bytes than the caller takes."""


def is_there(path: Path) -> bool:
    """True for a regular file; what may not be looked at is not there for us."""
    try:
        return path.is_file()
    except OSError:
        return False


def read(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """The content of a regular file. Raises Unreadable, also when it is longer than `limit`."""
    try:
        raw = _read(path, limit)
    except OSError as error:
        raise Unreadable(error.strerror or "cannot be read") from None
    except ValueError:  # a NUL in the path
        raise Unreadable("cannot be the name of a file") from None
    if len(raw) > limit:
        raise TooLong(f"longer than {limit:,} bytes")
    return raw


def _read(path: Path, limit: int) -> bytes:
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise Unreadable("this is no regular file")
        return file.read(limit + 1)
