"""What lies below a directory of the cache: file sizes, without a look at any content."""

import os
from collections.abc import Iterator
from pathlib import Path

from s3dash.core.cancel import CancelToken
from s3dash.core.paths import is_data
from s3dash.errors import LocalError


def directories(base: Path) -> list[str]:
    """The names of the directories in `base`, sorted; no symlinks. A missing one has none."""
    try:
        with os.scandir(base) as found:
            return sorted(e.name for e in found if e.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LocalError(f"{base} cannot be read: {error.strerror}") from error


def files(base: Path) -> list[tuple[str, int]]:
    """Name and bytes of each regular file in `base` itself. A missing one has none."""
    found = [(e.name, _size(e)) for e in _entries(base) if e.is_file(follow_symlinks=False)]
    return sorted((name, size) for name, size in found if size is not None)


def sizes(base: Path, cancel: CancelToken) -> Iterator[tuple[str, int]]:
    """Each data file below `base` with its bytes; path relative to `base`, forward slashes.

    Follows no symlink. What cannot be read is left out: this counts, and decides nothing.
    """
    folders = [] if base.is_symlink() else [("", base)]
    while folders:
        cancel.check()
        lead, folder = folders.pop()
        for entry in _entries(folder):
            rel = lead + entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append((f"{rel}/", Path(entry.path)))
            elif entry.is_file(follow_symlinks=False) and is_data(rel):
                size = _size(entry)
                if size is not None:
                    yield rel, size


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _size(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return None
