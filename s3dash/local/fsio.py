"""Steps on the disk that are atomic or durable, and the words for their failures.

What is to survive a power cut is made so in one order: the bytes of a file, then its name. Every
fsync raises the audit event `FSYNC` first; of renames, links and removals Python tells itself.
"""

import errno
import io
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from s3dash.core.paths import CONTROL_DIR
from s3dash.errors import DiskFull, LocalError
from s3dash.local import renameat2

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FSYNC = "s3dash.fsync"
"""The audit event (`sys.addaudithook`) before an fsync, with the path."""

RUN = f"{os.getpid()}-{secrets.token_hex(4)}"
"""Begins the name of every temporary file of this process."""

BESIDE = "_catalog.db-s3dash-"
"""Begins the name of a temporary file outside the staging directory: peers never sync it."""

STARTED_NS = time.time_ns()
_numbers = count()
_NEW = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW

RenameNew = Callable[[Path, Path], bool]
"""As `renameat2.rename_new`."""


def _begin() -> None:
    """A fork is another process: what its parent staged is not its own."""
    global RUN, STARTED_NS
    RUN, STARTED_NS = f"{os.getpid()}-{secrets.token_hex(4)}", time.time_ns()


os.register_at_fork(after_in_child=_begin)

_NO_LINKS = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}
)
_WORDS = {
    errno.ENOSPC: ("the disk is full", "free some space and try again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space and try again"),
    errno.EROFS: ("the file system is read-only", "mount it for writing"),
    errno.EACCES: ("permission denied", "look at the owner and the mode of the directory"),
    errno.EPERM: ("operation not permitted", "look at the owner and the mode of the directory"),
    errno.ENAMETOOLONG: ("the name is too long for this disk", ""),
}


def as_local_error(error: OSError, what: str) -> LocalError:
    """The error to raise for a failed step; `what` names the path and what was to be done."""
    text, hint = _WORDS.get(error.errno or 0, (error.strerror or str(error), ""))
    kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else LocalError
    return kind(f"{what}: {text}", hint=hint)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turns any OSError of the block into a LocalError that begins with `what`."""
    try:
        yield
    except OSError as error:
        raise as_local_error(error, what) from error


def staging_dir(cache: Path) -> Path:
    """Where new files wait to be whole: on the cache's disk, in a place that nobody syncs."""
    return cache / CONTROL_DIR / "s3dash" / "tmp"


def make_staging(cache: Path) -> Path:
    """Make that directory. A missing cache is not made (FileNotFoundError): it may be unmounted."""
    staging = staging_dir(cache)
    for directory in (staging.parents[1], staging.parent, staging):
        directory.mkdir(exist_ok=True)
    return staging


class _Unbuffered(io.FileIO):
    """Each call of the kernel lets go of the interpreter, and with many threads getting it back
    is what costs most: a file of one piece is opened, written and closed, with nothing between."""

    def write(self, data: "ReadableBuffer") -> int:
        """All of it, as a buffered file would."""
        left = memoryview(data).cast("B")
        size = len(left)
        while left:
            left = left[super().write(left) :]
        return size


def new_file(directory: Path) -> BinaryIO:
    """An open new file of a name of its own, without a buffer. Mode 0644 as the umask allows."""
    path = f"{directory}/{RUN}-{next(_numbers)}"
    return _Unbuffered(path, "x+", opener=lambda name, _: os.open(name, _NEW | os.O_RDWR, 0o644))


def write_new(directory: Path, body: bytes, mtime_ns: int) -> str:
    """A new file with these bytes and this modification time: its path. Nothing is durable yet."""
    path = f"{directory}/{RUN}-{next(_numbers)}"
    handle = os.open(path, _NEW | os.O_WRONLY, 0o644)
    try:
        left = memoryview(body)
        while left:
            left = left[os.write(handle, left) :]
        os.utime(handle, ns=(mtime_ns, mtime_ns))
    except BaseException:
        Path(path).unlink()
        raise
    finally:
        os.close(handle)
    return path


def fsync(handle: int, path: Path) -> None:
    """Make an open file's bytes, or a directory's names, survive a power cut."""
    sys.audit(FSYNC, str(path))
    os.fsync(handle)


def fsync_path(path: Path) -> None:
    """As `fsync`, of a file or directory that is not open."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fsync(handle, path)
    finally:
        os.close(handle)


def make_dirs(directory: Path, *, mode: int = 0o777) -> None:
    """Make a directory and those above it that are missing, durably; `mode` is the last one's."""
    missing = []
    while not directory.is_dir():
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        path.mkdir(mode=mode if path == missing[0] else 0o777, exist_ok=True)
        fsync_path(path.parent)


def copy_new(source: Path, target: Path) -> None:
    """A durable copy, with mode and mtime. Raises FileExistsError when `target` is there."""
    with source.open("rb") as reader, target.open("xb") as writer:
        try:
            shutil.copyfileobj(reader, writer, 1 << 20)
            writer.flush()
            shutil.copystat(source, target)
            fsync(writer.fileno(), target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for the file, or a durable copy where the disk has no such thing."""
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno != errno.EXDEV and error.errno not in _NO_LINKS:
            raise
        copy_new(source, target)


def move_new(source: Path, target: Path, *, rename_new: RenameNew = renameat2.rename_new) -> None:
    """Rename within one disk, never onto a file. Raises FileExistsError, OSError (EXDEV)."""
    if rename_new(source, target):
        return
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        move_onto_claim(source, target)
    else:
        source.unlink()


def move_whole(source: Path, target: Path, *, rename_new: RenameNew = renameat2.rename_new) -> None:
    """As `move_new`, for a source that somebody may be saving: no bytes are ever unlinked.

    Where the disk cannot do it in one step the name is claimed with an empty file first, which
    a crash may leave behind.
    """
    if not rename_new(source, target):
        move_onto_claim(source, target)


def move_onto_claim(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    try:
        source.replace(target)
    except BaseException:
        if target.lstat().st_size == 0:
            target.unlink()
        raise


def write_atomic(target: Path, data: bytes) -> None:
    """Replace a file at the top of a cache as a whole, durably.

    Raises LocalError; the old file is then as it was.
    """
    with telling(f"{target} cannot be written"):
        with new_file(make_staging(target.parent)) as temp:
            path = Path(temp.name)
            try:
                temp.write(data)
                temp.flush()
                fsync(temp.fileno(), path)
                path.replace(target)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        fsync_path(target.parent)
