"""What stands at a path and above it: looked at, made, and made room for."""

import os
import stat as modes
from pathlib import Path

from s3dash.errors import LocalChanged, PathBlocked
from s3dash.local import fsio
from s3dash.local.scan import FileStat


def make_parents(directory: Path) -> list[Path]:
    """Make the directories that are missing; those that got a new name in them.

    Raises PathBlocked.
    """
    missing = []
    while not directory.is_dir():
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        try:
            path.mkdir(exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise PathBlocked(f"{path}: a file stands where a directory is needed") from error
    return [path.parent for path in missing]


def holds_something(directory: Path) -> bool:
    """True when anything but directories lies below; what cannot be read counts as something."""
    unreadable: list[OSError] = []
    walk = os.walk(directory, onerror=unreadable.append)
    return any(files or _links(here, names) for here, names, files in walk) or bool(unreadable)


def _links(here: str, names: list[str]) -> bool:
    """A link to a directory is something, too."""
    return any(Path(here, name).is_symlink() for name in names)


def drop_empty(path: Path) -> None:
    """Remove a tree of empty directories that stands in a file's place. Raises PathBlocked."""
    if not _is_directory(path):
        return
    try:
        for here, _, _ in os.walk(path, topdown=False):
            Path(here).rmdir()
    except OSError as error:
        raise PathBlocked(f"{path}: a directory stands in its place") from error


def _is_directory(path: Path) -> bool:
    mode = mode_of(path)
    return mode is not None and modes.S_ISDIR(mode)


def must_be(path: Path, expected: FileStat) -> os.stat_result:
    """What is there. Raises LocalChanged when it is not the `expected` one."""
    found = lstat(path)
    if FileStat.of(found) != expected:
        raise LocalChanged(f"{path} changed meanwhile")
    return found


def lstat(path: Path) -> os.stat_result:
    """Raises LocalChanged when nothing is there."""
    try:
        return path.lstat()
    except FileNotFoundError as error:
        raise LocalChanged(f"{path} is gone") from error


def mode_of(path: Path | str) -> int | None:
    """The type and mode of what is there, or None when nothing is."""
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise fsio.as_local_error(error, f"{path} cannot be looked at") from error
