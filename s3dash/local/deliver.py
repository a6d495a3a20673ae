"""A file put somewhere that is nobody's cache: whole or not at all, and never over another one
unless that is wanted."""

import os
import secrets
import stat as modes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from s3dash.errors import LocalChanged, LocalError
from s3dash.local import fsio
from s3dash.local.scan import FileStat


@contextmanager
def beside(target: Path) -> Iterator[BinaryIO]:
    """An open new file on the disk of `target`; gone afterwards unless it was delivered.

    Raises LocalError, also for what the caller's own writes to it meet.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    path = target.with_name(f".s3dash-{fsio.RUN}-{secrets.token_hex(6)}.part")
    with (
        fsio.telling(f"{target} cannot be written"),
        open(path, "x+b", opener=lambda name, _: os.open(name, flags, 0o644)) as temp,
    ):
        try:
            yield temp
        finally:
            path.unlink(missing_ok=True)


def stat_of(target: Path) -> FileStat | None:
    """A regular file, None: nothing is there. Raises LocalError for anything else."""
    with fsio.telling(f"{target} cannot be looked at"):
        try:
            found = target.lstat()
        except FileNotFoundError:
            return None
    if not modes.S_ISREG(found.st_mode):
        raise LocalError(f"{target} is no regular file; it was not touched")
    return FileStat.of(found)


def deliver(temp: BinaryIO, target: Path, *, over: FileStat | None) -> None:
    """Give the file its name, durably; `over` is what it replaces, None: nothing.

    Raises LocalChanged when it is not so.
    """
    with fsio.telling(f"{target} cannot be written"):
        temp.flush()
        fsio.fsync(temp.fileno(), target)
        if over is None:
            _as_new(Path(temp.name), target)
        else:
            _instead(Path(temp.name), target, over)
        fsio.fsync_path(target.parent)


def _as_new(temp: Path, target: Path) -> None:
    try:
        fsio.move_new(temp, target)
    except FileExistsError as error:
        raise LocalChanged(f"{target} was created meanwhile") from error


def _instead(temp: Path, target: Path, over: FileStat) -> None:
    found = target.lstat()
    if FileStat.of(found) != over:
        raise LocalChanged(f"{target} changed meanwhile")
    temp.chmod(modes.S_IMODE(found.st_mode))
    temp.replace(target)
