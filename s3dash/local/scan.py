"""What is in the cache: a walk that follows no symlink and never takes «unreadable» for «gone»."""

import hashlib
import os
import stat as modes
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import msgspec

from s3dash.core.cancel import CancelToken
from s3dash.core.paths import (
    MAX_KEY_BYTES,
    MAX_SEGMENT_BYTES,
    NAMESPACE_MANIFEST,
    blocked_reason,
    is_data,
)
from s3dash.errors import ConfigError, LocalChanged, LocalError

_SPECIAL = (
    (modes.S_ISLNK, "symlink"),
    (modes.S_ISFIFO, "FIFO"),
    (modes.S_ISSOCK, "socket"),
    (modes.S_ISBLK, "device"),
    (modes.S_ISCHR, "device"),
)

FINE_NS = 20_000_000
COARSE_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000
_CHUNK = 1 << 20

ScanDir = Callable[[str], AbstractContextManager[Iterator[os.DirEntry[str]]]]


def never(rel: str) -> bool:
    """Excludes nothing."""
    del rel
    return False


class FileStat(NamedTuple):
    """What tells that a file may have changed. Sizes in bytes, times in ns since the epoch."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> "FileStat":
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    def same_content(self, other: "FileStat") -> bool:
        """Equal but for the ctime, which a rename or a new hard link moves as well."""
        return (self.size, self.mtime_ns, self.inode) == (other.size, other.mtime_ns, other.inode)


class Scan(msgspec.Struct):
    """The answer of a walk; all paths are relative to its root.

    `files`: the regular files that may be synced. `special`: what stands in the way of one, with
    the reason. `unknown`: what could not be read; whatever lies at or below it is unknown, and
    "" is the root. `foreign`: top-level entries of the cache that are not ours. `missing`: the
    asked-for paths that do not exist (of `scan_paths` only).
    """

    files: dict[str, FileStat] = msgspec.field(default_factory=dict)
    special: dict[str, str] = msgspec.field(default_factory=dict)
    unknown: set[str] = msgspec.field(default_factory=set)
    foreign: list[str] = msgspec.field(default_factory=list)
    missing: set[str] = msgspec.field(default_factory=set)
    fenced: set[str] = msgspec.field(default_factory=set)
    """Directories below the root that belong to another namespace."""

    def is_unknown(self, rel: str) -> bool:
        """True when nothing can be said about `rel`: it is not a deletion, whatever is missing.

        It, or a directory above it, could not be read, is special, or is another namespace's.
        """
        if "" in self.unknown:
            return True
        if not (self.unknown or self.special or self.fenced):
            return False
        while rel:
            if rel in self.unknown or rel in self.special or rel in self.fenced:
                return True
            rel = rel.rpartition("/")[0]
        return False


def scan(
    root: Path,
    *,
    excluded: Callable[[str], bool] = never,
    solo: bool = True,
    cancel: CancelToken | None = None,
    key_prefix_bytes: int = 0,
    scandir: ScanDir = os.scandir,
    on_files: Callable[[int], None] | None = None,
) -> Scan:
    """All files below `root`: the cache when `solo`, else `<cache>/<namespace>`.

    A root that is missing or unreadable gives an empty scan with the root unknown. Raises
    Cancelled. `key_prefix_bytes` is the length of what stands before a path in its key.
    `on_files` is told after each directory how many files were found so far.
    """
    walk = _Walk(root, excluded, solo, cancel, key_prefix_bytes, scandir, on_files)
    walk.tree("")
    if not solo:
        walk.look_around()
    return walk.found


def scan_paths(
    root: Path,
    rels: Collection[str],
    *,
    excluded: Callable[[str], bool] = never,
    solo: bool = True,
    cancel: CancelToken | None = None,
    key_prefix_bytes: int = 0,
    scandir: ScanDir = os.scandir,
) -> Scan:
    """As `scan`, for some files and directories only; "" is the root."""
    walk = _Walk(root, excluded, solo, cancel, key_prefix_bytes, scandir)
    if not root.is_dir():
        walk.found.unknown.add("")
        return walk.found
    for rel in sorted(rels):
        walk.one(rel)
    return walk.found


class _Walk:
    def __init__(
        self,
        root: Path,
        excluded: Callable[[str], bool],
        solo: bool,
        cancel: CancelToken | None,
        key_prefix_bytes: int,
        scandir: ScanDir,
        on_files: Callable[[int], None] | None = None,
    ) -> None:
        self.found = Scan()
        self._on_files = on_files
        self._root = str(root)
        self._excluded = None if excluded is never else excluded
        self._solo = solo
        self._cancel = cancel
        self._prefix_bytes = key_prefix_bytes
        self._scandir = scandir
        self._checked: set[str] = set()

    # --- whole trees --------------------------------------------------------------------

    def tree(self, rel: str) -> None:
        """Read a directory and all below it. Strings only: this is the hot loop."""
        pending = [rel]
        while pending:
            if self._cancel is not None:
                self._cancel.check()
            here = pending.pop()
            try:
                self._read(here, pending)
            except OSError:
                self.found.unknown.add(here)
            if self._on_files is not None:
                self._on_files(len(self.found.files))

    def _read(self, here: str, pending: list[str]) -> None:
        prefix = f"{here}/" if here else ""
        room = MAX_KEY_BYTES - self._prefix_bytes
        excluded = self._excluded
        files = self.found.files
        with self._scandir(f"{self._root}/{here}") as entries:
            for entry in entries:
                name = entry.name
                rel = prefix + name
                plain = rel.isascii() and name.isprintable() and len(name) <= MAX_SEGMENT_BYTES
                usual = plain and len(rel) <= room and name[0] not in "._" and excluded is None
                if not usual and not self._passes(name, rel):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if not self._is_foreign(rel):
                        pending.append(rel)
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    self.found.unknown.add(rel)
                    continue
                if modes.S_ISREG(found.st_mode):
                    files[rel] = FileStat.of(found)
                else:
                    self._note(rel, found)

    def _passes(self, name: str, rel: str) -> bool:
        """False for what is internal, excluded, or cannot be a key (that is noted)."""
        if name[0] in "._" and not is_data(rel):  # every internal name begins so
            return False
        if self._excluded is not None and self._excluded(rel):
            return False
        plain = rel.isascii() and name.isprintable() and len(name) <= MAX_SEGMENT_BYTES
        if plain and len(rel) + self._prefix_bytes <= MAX_KEY_BYTES:
            return True
        return not self._blocked(rel)

    def _blocked(self, rel: str) -> bool:
        reason = blocked_reason(rel, key_prefix_bytes=self._prefix_bytes)
        if reason is not None:
            self.found.special[readable(rel)] = f"name cannot be synced: {reason}"
        return reason is not None

    def _is_foreign(self, rel: str) -> bool:
        """True for a top-level directory of a solo cache that is another namespace's."""
        if not self._solo or "/" in rel:
            return False
        if rel not in self.found.fenced:
            if not os.path.lexists(f"{self._root}/{rel}/{NAMESPACE_MANIFEST}"):
                return False
            self.found.fenced.add(rel)
            self.found.foreign.append(rel)
        return True

    def _note(self, rel: str, found: os.stat_result) -> None:
        if modes.S_ISREG(found.st_mode):
            self.found.files[rel] = FileStat.of(found)
            return
        names = (name for test, name in _SPECIAL if test(found.st_mode))
        self.found.special[rel] = next(names, "not a regular file")

    def look_around(self) -> None:
        """Note what lies beside the namespace's directory: it is shown, never touched."""
        parent, _, ours = self._root.rpartition("/")
        try:
            with self._scandir(parent or "/") as entries:
                names = [e.name for e in entries if e.name != ours and is_data(e.name)]
        except OSError:
            return  # only a hint for the user; the walk itself told what could not be read
        self.found.foreign.extend(sorted(readable(name) for name in names))

    # --- single paths -------------------------------------------------------------------

    def one(self, rel: str) -> None:
        """Look at one path: a file, a directory with all below it, or neither."""
        if rel and not self._may_look(rel):
            return
        if rel == "":
            self.tree(rel)
            return
        try:
            found = os.lstat(f"{self._root}/{rel}")
        except (FileNotFoundError, NotADirectoryError):
            self.found.missing.add(rel)
        except OSError:
            self.found.unknown.add(rel)
        else:
            if modes.S_ISDIR(found.st_mode):
                self.tree(rel)
            elif self._excluded is None or not self._excluded(rel):
                self._note(rel, found)

    def _may_look(self, rel: str) -> bool:
        """False for a path that is none, is not ours, or lies behind something special."""
        if not is_data(rel) or self._blocked(rel):
            return False
        if self._is_foreign(rel.partition("/")[0]):
            return False
        cut = rel.find("/")
        while cut > 0:
            if not self._is_walkable(rel[:cut]):
                return False
            cut = rel.find("/", cut + 1)
        return True

    def _is_walkable(self, parent: str) -> bool:
        """False when a parent is special (noted). A missing one is told by its children."""
        if parent in self._checked:
            return True
        try:
            mode = os.lstat(f"{self._root}/{parent}").st_mode
        except OSError:
            return True
        if modes.S_ISDIR(mode) or modes.S_ISREG(mode):
            self._checked.add(parent)
            return True
        names = (name for test, name in _SPECIAL if test(mode))
        self.found.special[parent] = next(names, "not a regular file")
        return False


def readable(name: str) -> str:
    """A name that may not be UTF-8, in a form that can be shown and written anywhere."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


# --- content ----------------------------------------------------------------------------


def hash_file(path: Path, *, cancel: CancelToken | None = None) -> tuple[str, FileStat]:
    """The SHA-256 (hex) of a regular file, and the stat that it belongs to.

    Raises LocalChanged when the file changed or went while it was read, LocalError when it
    cannot be read or is no regular file, Cancelled.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise LocalChanged(f"{path} is gone") from error
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return _hash_open(handle, path, cancel)
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from error
    finally:
        os.close(handle)


def _hash_open(handle: int, path: Path, cancel: CancelToken | None) -> tuple[str, FileStat]:
    found = os.fstat(handle)
    if not modes.S_ISREG(found.st_mode):
        raise LocalError(f"{path} is no regular file")
    digest = hashlib.sha256()
    left = found.st_size
    while left >= 0 and (chunk := os.read(handle, _CHUNK)):  # a growing file has no end
        if cancel is not None:
            cancel.check()
        digest.update(chunk)
        left -= len(chunk)
    before, after = FileStat.of(found), FileStat.of(os.fstat(handle))
    if left != 0 or before != after:
        raise LocalChanged(f"{path} changed while it was read")
    return digest.hexdigest(), after


def is_settled(stat: FileStat, verified_ns: int) -> bool:
    """True when an equal stat proves equal content; else the file must be hashed again.

    `verified_ns` is the wall time when the hashing began. A write in the same tick of the file
    system's clock leaves no trace in the stat, so both times must be older by one tick: 20 ms,
    or 2 s where times look like whole seconds.
    """
    newest = max(stat.mtime_ns, stat.ctime_ns)
    if newest + COARSE_NS <= verified_ns:
        return True
    whole = stat.mtime_ns % _SECOND_NS == 0 and stat.ctime_ns % _SECOND_NS == 0
    tick = COARSE_NS if whole else FINE_NS
    return newest + tick <= verified_ns


def load_excludes(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """The test for gitignore patterns. Raises ConfigError for one that is none."""
    if not patterns:
        return never
    from pathspec import GitIgnoreSpec  # late: it takes longer to load than most scans

    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):  # of a [[ in a name
            spec = GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise ConfigError(f"exclude: {error}", hint="patterns are those of .gitignore") from error
    return spec.match_file
