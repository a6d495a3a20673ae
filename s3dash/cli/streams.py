"""Standard streams that the caller closed, or whose other end has gone."""

import errno
import os
import sys
from typing import TextIO

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def settle() -> None:
    """Put the null device in the place of a standard stream that is closed.

    Python has None for it then. And the next file that is opened would get its number: what a
    library writes to standard error would go into that file, be it the state database.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number and not _is_open(number):
                os.dup2(handle, number)
            stream = open(handle, mode, encoding="utf-8", errors="backslashreplace")  # noqa: PTH123, SIM115 - a descriptor, kept to the end
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def has_gone(error: OSError) -> bool:
    """Whether a stream could not be written because its reader, or its terminal, is no more."""
    return error.errno in (errno.EPIPE, errno.EIO)


def forget(stream: TextIO) -> None:
    """What is still buffered must not raise at the interpreter's end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
