"""Renames that look before they leap, in one step of the kernel: Linux's renameat2.

No file system has to know them. Where the kernel, the C library or the disk does not, every
function here answers False, has done nothing, and the caller goes another way.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

RENAME = "s3dash.rename"
"""The audit event before each of them, with both paths: Python knows of renames of its own only."""

_AT_FDCWD = -100
_NOREPLACE = 1
_EXCHANGE = 2
_UNKNOWN = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM})

_Call = Callable[[int, bytes, int, bytes, int], int]


def rename_new(source: Path | str, target: Path | str) -> bool:
    """Rename, never onto anything. Raises FileExistsError, OSError."""
    return _rename(source, target, _NOREPLACE)


def exchange(one: Path, other: Path) -> bool:
    """Each takes the other's name; at no moment is one of the names free. Both must exist.

    Raises FileNotFoundError, OSError.
    """
    return _rename(one, other, _EXCHANGE)


def _rename(source: Path | str, target: Path | str, flags: int) -> bool:
    call = _renameat2()
    if call is None:
        return False
    sys.audit(RENAME, str(source), str(target))
    if call(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


@cache
def _renameat2() -> _Call | None:
    """The C library's function, where there is one."""
    if sys.platform != "linux":
        return None
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return None
    call.argtypes = (
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_uint,
    )
    call.restype = ctypes.c_int
    found: _Call = call
    return found
