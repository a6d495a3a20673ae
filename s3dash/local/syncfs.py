"""One flush of a whole file system, where that makes files as durable as an fsync of each.

Linux's syncfs waits for all that is written and tells its failures since 5.8. Disks that do not
commit everything in one go, or whose server is elsewhere, are not asked. Source: syncfs(2).
"""

import ctypes
import errno
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

SYNCFS = "s3dash.syncfs"
"""The audit event before one, with the directory."""

TELLS_SINCE = (5, 8)
CROWDED = 128 << 20
"""Bytes that wait to be written, whoever wrote them: more are not waited for."""

_WHOLE = frozenset({0xEF53, 0x58465342, 0x9123683E, 0x01021994})
"""`f_type` of ext4, XFS, btrfs and tmpfs; see statfs(2)."""

_DIRTY = re.compile(rb"^Dirty:\s+(\d+) kB", re.MULTILINE)
_Call = Callable[[int], int]


def is_enough(directory: Path) -> bool:
    """True where one flush does for all files on the disk of `directory`."""
    call = _statfs()
    if _syncfs() is None or call is None:
        return False
    answer = (ctypes.c_long * 32)()
    if call(os.fsencode(directory), answer) != 0:
        return False
    return answer[0] & 0xFFFFFFFF in _WHOLE


def is_crowded() -> bool:
    """True while so much waits to be written that a flush would take longer than the files."""
    with suppress(OSError, AttributeError):
        found = _DIRTY.search(Path("/proc/meminfo").read_bytes())
        return found is not None and int(found[1]) << 10 > CROWDED
    return False


@contextmanager
def flush_after(directory: Path) -> Iterator[Callable[[], None]]:
    """What flushes the disk of `directory`, and raises OSError for what failed from now on."""
    handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield lambda: _flush(handle, directory)
    finally:
        os.close(handle)


def _flush(handle: int, directory: Path) -> None:
    call = _syncfs()
    sys.audit(SYNCFS, str(directory))
    if call is None or call(handle) != 0:
        number = ctypes.get_errno() if call else errno.ENOSYS
        raise OSError(number, os.strerror(number), str(directory))


@cache
def _syncfs() -> _Call | None:
    """The C library's function, where the kernel tells what failed."""
    if sys.platform != "linux" or _release() < TELLS_SINCE:
        return None
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return None
    call.argtypes = (ctypes.c_int,)
    call.restype = ctypes.c_int
    found: _Call = call
    return found


@cache
def _statfs() -> Callable[..., int] | None:
    call: Callable[..., int] | None = getattr(ctypes.CDLL(None), "statfs", None)
    return call


def _release() -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", os.uname().release)[:2])
