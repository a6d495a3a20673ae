"""Disks and rights of one's own, for one thread and all that it starts.

Linux keeps mounts and capabilities per thread: a thread that leaves the common ones can mount a
small disk or give up root's rights, and when it ends nothing is left to undo. Where mounting is
not allowed (a container without CAP_SYS_ADMIN) a limit on the size of files stands for the disk,
and the lack of rights for a mount that is read-only.
"""

import ctypes
import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_CAPABILITY_VERSION_3 = 0x20080522
_OVERRIDES = (1 << 1) | (1 << 2) | (1 << 3)
"""CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER: what lets root pass by modes."""

_libc = ctypes.CDLL(None, use_errno=True)


def apart(work: Callable[[], T]) -> T:
    """Do `work` in a thread whose mounts and rights are its own; raises what it raises."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def give_up_rights() -> None:
    """From now on modes hold for this thread, even when it is root's."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    _must(_libc.capget(header, sets))
    sets[0] &= ~_OVERRIDES  # the effective set, its lower half
    _must(_libc.capset(header, sets))


class Disk:
    """A disk that is full soon: mounted, or else a limit on the size of files."""

    def __init__(self, at: Path, size: int) -> None:
        self._at = at
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.mounted = True
        try:
            _mount_tmpfs(at, size)
        except PermissionError:
            self.mounted = False
            self._limit(size)

    def fill(self) -> None:
        """Until nothing more fits, not even a file system's block."""
        if not self.mounted:
            self._limit(1)
            return
        with (self._at / "filler").open("wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                with suppress(OSError):  # full: on with a smaller size
                    while filler.write(bytes(size)):
                        pass

    def grow(self) -> None:
        """There is room again."""
        if self.mounted:
            (self._at / "filler").unlink(missing_ok=True)
            options = b"size=64m"
            _must(_libc.mount(b"tmpfs", os.fsencode(self._at), b"tmpfs", MS_REMOUNT, options))
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)

    def _limit(self, size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, self._limits[1]))


@contextmanager
def small_disk(at: Path, size: int) -> Iterator[Disk]:
    """A disk of `size` bytes at `at`, inside `apart` only."""
    disk = Disk(at, size)
    try:
        yield disk
    finally:
        disk.grow()


def mount_over(at: Path) -> None:
    """Another, empty disk at `at`; only inside `apart`. Without mounts an empty directory."""
    try:
        _mount_tmpfs(at, 1 << 20)
    except PermissionError:
        at.rename(at.with_name(at.name + "-below"))
        at.mkdir()


def make_read_only(at: Path) -> None:
    """What lies at `at` cannot be written any more; only inside `apart`."""
    try:
        _leave_mounts()
    except PermissionError:
        give_up_rights()
        for directory in [at, *(p for p in at.rglob("*") if p.is_dir())]:
            directory.chmod(0o555)
        return
    where = os.fsencode(at)
    _must(_libc.mount(where, where, None, MS_BIND, None))
    _must(_libc.mount(where, where, None, MS_BIND | MS_REMOUNT | MS_RDONLY, None))


def _mount_tmpfs(at: Path, size: int) -> None:
    _leave_mounts()
    at.mkdir(parents=True, exist_ok=True)
    options = f"size={size},mode=0755".encode()
    _must(_libc.mount(b"tmpfs", os.fsencode(at), b"tmpfs", 0, options))


def _leave_mounts() -> None:
    """Raises PermissionError where this process may not."""
    _must(_libc.unshare(CLONE_NEWNS))
    _must(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))


def _must(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
