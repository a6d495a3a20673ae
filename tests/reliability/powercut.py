"""A process that ends at its n-th step, and the disk as a power cut would leave it.

Steps are what Python's audit events tell below a home directory (renames, links, removals, new
directories, files opened to be written, and our own fsyncs and commits), and the requests of a
store in memory, before and after each. From the chosen one on every step is refused, so that no
clean-up happens that a dead process could not do.
"""

import os
import shutil
import stat as modes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3dash.local.fsio import FSYNC
from s3dash.local.renameat2 import RENAME
from s3dash.local.statefile import COMMIT
from s3dash.local.syncfs import SYNCFS

STEPS = frozenset(
    {FSYNC, SYNCFS, RENAME, COMMIT, "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"}
    | {"open"}
)
_FLUSHES = (FSYNC, SYNCFS)
_WRITES = os.O_WRONLY | os.O_RDWR


class Dead(BaseException):
    """The process has ended; nobody can catch that."""


class Process:
    """Counts the steps below `home`, and dies at step `at`; 0: never."""

    def __init__(self, home: Path, *, at: int = 0) -> None:
        self.home = str(home)
        self.at = at
        self.steps = 0
        self.dead = False
        self.story: list[str] = []
        self.disk: Disk | None = None
        self._lock = threading.Lock()

    @contextmanager
    def running(self) -> Iterator[None]:
        """The block is the life of the process."""
        _install()
        _running.append(self)
        try:
            yield
        except Dead:
            pass
        finally:
            _running.remove(self)

    def request(self, when: str) -> Any:
        """A hook for a store in memory."""
        return lambda op, key: self.step(f"{when} {op} {key}")

    def step(self, what: str, path: str = "") -> None:
        with self._lock:
            if not self.dead:
                self.steps += 1
                self.story.append(f"{self.steps} {what} {path.removeprefix(self.home)}")
                self.dead = self.steps == self.at
            if self.dead:
                raise Dead
            if what in _FLUSHES and self.disk is not None:
                self.disk.flush(Path(path), below=what == SYNCFS)

    def saw(self, event: str, args: tuple[Any, ...]) -> None:
        paths = [os.fsdecode(a) for a in args[:2] if isinstance(a, str | bytes)]
        if event == "open" and not (isinstance(args[2], int) and args[2] & _WRITES):
            return
        if any(path.startswith(self.home) for path in paths):
            self.step(event, " ".join(paths) if event not in _FLUSHES else paths[0])


_running: list[Process] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _running and event in STEPS:
        for process in _running:
            process.saw(event, args)


def _install() -> None:
    """An audit hook stays for ever: one is enough."""
    if not getattr(_install, "done", False):
        sys.addaudithook(_hook)
        _install.done = True  # type: ignore[attr-defined] # as a flag on the function


# --- what survives ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inode:
    """A file or directory, kept alive by an open handle so that its number is not used again."""

    handle: int
    is_dir: bool

    def body(self) -> bytes:
        return os.pread(self.handle, os.fstat(self.handle).st_size, 0)


@dataclass(slots=True)
class Disk:
    """Directory trees of which only what was synced survives.

    `names` False: a directory is as it was at its last fsync. `data` False: a file is, too;
    one that never had an fsync is empty. Both True: a process was killed, the machine lives.
    """

    roots: list[Path]
    names: bool
    data: bool
    _inodes: dict[int, Inode] = field(default_factory=dict)
    _listed: dict[int, dict[str, int]] = field(default_factory=dict)
    _written: dict[int, bytes] = field(default_factory=dict)

    def settle(self) -> None:
        """All that is there now is durable."""
        for root in self.roots:
            for here, _, files in os.walk(root):
                self.fsync(Path(here))
                for name in files:
                    self.fsync(Path(here, name))

    def flush(self, path: Path, *, below: bool) -> None:
        """An fsync of it; `below`: of the files in it, the least that a flush of the disk does."""
        for one in path.iterdir() if below else (path,):
            self.fsync(one)

    def fsync(self, path: Path) -> None:
        if not any(path.is_relative_to(root) for root in self.roots):
            return
        number = self._pin(path)
        inode = self._inodes[number]
        if not inode.is_dir:
            self._written[number] = inode.body()
            return
        children = [child for child in path.iterdir() if child.is_dir() or child.is_file()]
        self._listed[number] = {child.name: self._pin(child) for child in children}

    def cut(self) -> None:
        """The power goes: the trees become what survives of them."""
        if not (self.names and self.data):
            for root in self.roots:
                after = list(self._tree(root.stat().st_ino, root, Path()))
                shutil.rmtree(root)
                root.mkdir()
                for path, body in after:
                    (root / path).parent.mkdir(parents=True, exist_ok=True)
                    (root / path).write_bytes(body)
        for inode in self._inodes.values():
            os.close(inode.handle)

    def _tree(self, number: int, here: Path | None, path: Path) -> Iterator[tuple[Path, bytes]]:
        """Every file below a directory; `here` None: the directory itself has gone since."""
        for name, child in self._children(number, here).items():
            inode, at = self._inodes[child], here / name if here else None
            if inode.is_dir:
                there = at is not None and at.is_dir() and at.stat().st_ino == child
                yield from self._tree(child, at if there else None, path / name)
            else:
                body = inode.body() if self.data else self._written.get(child, b"")
                yield path / name, body

    def _children(self, number: int, here: Path | None) -> dict[str, int]:
        if self.names and here is not None:
            return {p.name: self._pin(p) for p in here.iterdir() if p.is_dir() or p.is_file()}
        return self._listed.get(number, {})

    def _pin(self, path: Path) -> int:
        found = path.stat()
        if found.st_ino not in self._inodes:
            handle = os.open(path, os.O_RDONLY)
            self._inodes[found.st_ino] = Inode(handle, modes.S_ISDIR(found.st_mode))
        return found.st_ino


SURVIVALS = {"killed": (True, True), "cut": (False, False), "torn": (True, False)}
"""`names` and `data` of a `Disk`."""
