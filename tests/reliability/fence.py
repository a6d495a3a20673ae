"""Proof that nothing is written outside: an audit hook on every write, and trees to compare.

The hook sees what goes through Python's own calls, in every thread; the trees see the rest.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_ONE = frozenset({"os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.utime"})
_TWO = frozenset({"os.rename", "os.link", "os.symlink"})
_NULL = ("/dev/null", "/dev/tty")


class _Watch:
    """The one hook of this process; it cannot be taken away, only switched off."""

    def __init__(self) -> None:
        self.allowed: tuple[str, ...] = ()
        self.outside: list[str] = []
        self.on = False
        self.hooked = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING:
                self._look(event, path)
        elif event in _ONE:
            self._look(event, arguments[0])
        elif event in _TWO:
            self._look(event, arguments[0])
            self._look(event, arguments[1])

    def _look(self, event: str, path: object) -> None:
        if isinstance(path, int) or path is None:  # an open file; its opening was seen
            return
        place = os.path.normpath(Path.cwd() / os.fsdecode(path))  # type: ignore[arg-type]  # any path
        is_ours = place.startswith(self.allowed) or place in _NULL or "__pycache__" in place
        if not is_ours:
            self.outside.append(f"{event} {place}")


_WATCH = _Watch()


@contextmanager
def fenced(*allowed: Path) -> Iterator[list[str]]:
    """Yields the list of writes outside the allowed directories, empty when all is well."""
    if not _WATCH.hooked:
        sys.addaudithook(_WATCH)
        _WATCH.hooked = True
    _WATCH.allowed = tuple(str(path) for path in allowed)
    outside: list[str] = []
    _WATCH.outside = outside
    _WATCH.on = True
    try:
        yield outside
    finally:
        _WATCH.on = False


def tree(root: Path) -> dict[str, bytes | None]:
    """Everything below `root`, by path: contents of files, None for anything else."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
    }
