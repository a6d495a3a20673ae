"""A new file that is there as a whole or not at all, for its owner's eyes alone."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from s3dash.errors import LocalError
from s3dash.local import fsio

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
FLUSH = 1 << 20


class Exists(LocalError):
    """Something of that name is there; nothing was written."""


def target_of(name: str) -> Path:
    """The path that a user typed. Raises LocalError when no file can be written there."""
    if not name.strip() or not name.isprintable():
        raise LocalError("that is no name for a file")
    path = Path(name.strip())
    with suppress(RuntimeError):  # no such user: then it is a name like any other
        path = path.expanduser()
    with fsio.telling(f"{path} cannot be written"):
        if path.is_dir():
            raise LocalError(f"{path} is a directory")
        if not path.parent.is_dir():
            raise LocalError(f"the directory {path.parent} does not exist")
    return path


def whole(path: Path) -> str:
    """The path from the root; as it is where the working directory has gone."""
    try:
        return str(path.absolute())
    except OSError:
        return str(path)


def is_taken(path: Path) -> bool:
    """True when anything of that name is there, a link that leads nowhere too."""
    return os.path.lexists(path)


def write_file(path: Path, pieces: Iterable[str], *, overwrite: bool) -> int:
    """Write `pieces` as UTF-8 with mode 0600, and how many bytes; a link is replaced, not followed.

    Raises Exists, unless `overwrite`, LocalError, and what `pieces` raises; then nothing is there
    that was not there before.
    """
    beside = path.with_name(f".s3dash-export-{secrets.token_hex(6)}.part")
    with fsio.telling(f"{path} cannot be written"):
        handle = os.open(beside, _FLAGS, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="", buffering=FLUSH) as file:
                file.writelines(pieces)
                file.flush()
                fsio.fsync(handle, beside)
                length = os.fstat(handle).st_size
            _install(beside, path, overwrite=overwrite)
        finally:
            beside.unlink(missing_ok=True)
        fsio.fsync_path(path.parent)
    return length


def _install(beside: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        beside.replace(path)
        return
    try:
        fsio.move_new(beside, path)
    except FileExistsError as error:
        raise Exists(f"{path} is there already") from error
