"""Files between this machine and a bucket, or two buckets: one, or all below a directory.

One file that cannot go does not stop the others; it is told in the end. Nothing is ever written
outside of the directory that was named, whatever the keys in the bucket are.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from s3dash.core.paths import blocked_reason
from s3dash.core.report import Blocked, Failed
from s3dash.errors import Cancelled, LocalError, PathBlocked, S3DashError
from s3dash.local import fsio
from s3dash.stores.files import disk, names
from s3dash.stores.files.files import Files
from s3dash.stores.turns import in_turn

CHUNK = 1 << 20

OnPiece = Callable[[int, str], None]
"""Told of each piece that moved: bytes, and the path. Any thread may call."""


class Copied(msgspec.Struct, frozen=True):
    """What came of a copy: files and their bytes; what could not go, and what must not."""

    files: int
    bytes: int
    failed: list[Failed]
    blocked: list[Blocked]

    @property
    def complete(self) -> bool:
        return not self.failed and not self.blocked


class _Job(msgspec.Struct, frozen=True):
    """One file, or empty directory: its name below what is copied, and how it goes.

    `run` gives its size, None for a directory. `reason`: why it must not go.
    """

    rel: str
    run: Callable[[], int | None]
    reason: str = ""


def download(files: Files, path: str, target: Path, *, on_piece: OnPiece) -> int:
    """One file to `target`, which is there once it is whole. Its size."""

    def moved(count: int) -> None:
        on_piece(count, path)

    with disk.whole(target) as file:
        return files.download(path, file, on_bytes=moved).size


def upload(files: Files, source: Path, path: str, *, on_piece: OnPiece) -> int:
    """One regular file to `path`. Its size. Raises LocalError for what is none."""

    def moved(count: int) -> None:
        on_piece(count, path)

    with fsio.telling(f"{source} cannot be read"):
        size = source.stat().st_size
    files.upload(path, source, on_bytes=moved)
    return size


def across(files: Files, path: str, other: Files, target: str, *, on_piece: OnPiece) -> int:
    """One file into another bucket, by way of this machine. Its size."""
    size = 0
    with files.open(path) as source, other.open(target, "wb") as sink:
        while piece := source.read(CHUNK):
            sink.write(piece)
            size += len(piece)
            on_piece(len(piece), path)
    return size


def download_tree(files: Files, path: str, target: Path, *, on_piece: OnPiece) -> Copied:
    """All below a directory, into `target`, which is made. Raises NoSuchFile, LocalError."""
    files.info(names.below(names.checked(path)))
    with fsio.telling(f"{target} cannot be made"):
        target.mkdir(parents=True, exist_ok=True)
    prefix = names.below(names.checked(path))

    def jobs() -> Iterator[_Job]:
        for found in files.store.list(prefix):
            rel = found.key[len(prefix) :]
            if rel:
                yield job(found.key, rel)

    def job(key: str, rel: str) -> _Job:
        plain = rel.removesuffix(names.SLASH)
        if reason := blocked_reason(plain):
            return _Job(rel, lambda: None, reason)
        if rel.endswith(names.SLASH):
            return _Job(rel, lambda: disk.inside(target, plain).mkdir(parents=True, exist_ok=True))
        return _Job(
            rel, lambda: download(files, key, disk.inside(target, plain), on_piece=on_piece)
        )

    return _all(files, jobs(), ways=files.settings.pull_concurrency)


def upload_tree(files: Files, source: Path, path: str, *, on_piece: OnPiece) -> Copied:
    """All below a directory of this machine. Neither links nor devices are followed or sent."""
    prefix = names.below(names.checked(path))
    if prefix:
        files.mkdir(prefix, exist_ok=True)

    def jobs() -> Iterator[_Job]:
        for one, kind in _walked(source):
            yield job(one, one.relative_to(source).as_posix(), kind)

    def job(one: Path, rel: str, kind: int | LocalError) -> _Job:
        if isinstance(kind, LocalError):
            return _Job(rel, partial(_raise, kind))
        if reason := _unsendable(rel, kind):
            return _Job(rel, lambda: None, reason)
        key = prefix + rel
        if stat.S_ISDIR(kind):
            return _Job(rel, lambda: files.mkdir(key, exist_ok=True))
        return _Job(rel, lambda: upload(files, one, key, on_piece=on_piece))

    return _all(files, jobs(), ways=files.settings.push_concurrency)


def across_tree(files: Files, path: str, other: Files, target: str, *, on_piece: OnPiece) -> Copied:
    """All below a directory, into another bucket."""
    files.info(names.below(names.checked(path)))
    prefix, root = names.below(names.checked(path)), names.below(names.checked(target))
    if root:
        other.mkdir(root, exist_ok=True)

    def jobs() -> Iterator[_Job]:
        for found in files.store.list(prefix):
            rel = found.key[len(prefix) :]
            if rel:
                yield job(found.key, rel)

    def job(key: str, rel: str) -> _Job:
        if not names.is_plain(rel.removesuffix(names.SLASH)):
            return _Job(rel, lambda: None, "no path: a segment is empty, . or ..")
        if rel.endswith(names.SLASH):
            return _Job(rel, lambda: other.mkdir(root + rel, exist_ok=True))
        return _Job(rel, lambda: across(files, key, other, root + rel, on_piece=on_piece))

    return _all(files, jobs(), ways=files.settings.push_concurrency)


# --- how ----------------------------------------------------------------------------------


def _all(files: Files, jobs: Iterable[_Job], *, ways: int) -> Copied:
    count = size = 0
    failed: list[Failed] = []
    blocked: list[Blocked] = []

    def done(job: _Job) -> tuple[_Job, int | None, str]:
        try:
            return job, None if job.reason else job.run(), ""
        except Cancelled:
            raise
        except PathBlocked as error:
            return _Job(job.rel, job.run, error.message), None, ""
        except S3DashError as error:
            return job, None, error.message
        except OSError as error:
            return job, None, error.strerror or type(error).__name__

    for job, moved, error in in_turn(jobs, done, at_a_time=ways, check=files.cancel.check):
        if job.reason:
            blocked.append(Blocked(job.rel, job.reason))
        elif error:
            failed.append(Failed(job.rel, error))
        elif moved is not None:
            count, size = count + 1, size + moved
    return Copied(count, size, failed, blocked)


def _walked(source: Path) -> Iterator[tuple[Path, int | LocalError]]:
    """What is below, with its mode, or why that is not known: all but the directories that hold
    something. Raises LocalError when `source` itself cannot be read."""
    with fsio.telling(f"{source} cannot be read"), os.scandir(source) as found:
        entries = sorted(found, key=lambda one: one.name)
    for entry in entries:
        path = Path(entry.path)
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except FileNotFoundError:  # removed meanwhile
            continue
        except OSError as error:
            yield path, fsio.as_local_error(error, f"{path} cannot be looked at")
            continue
        if stat.S_ISDIR(mode):
            yield from _walked_below(path, mode)
        else:
            yield path, mode


def _walked_below(path: Path, mode: int) -> Iterator[tuple[Path, int | LocalError]]:
    empty = True
    try:
        for found in _walked(path):
            empty = False
            yield found
    except LocalError as error:
        yield path, error
        return
    if empty:
        yield path, mode


def _raise(error: LocalError) -> int:
    raise error


def _unsendable(rel: str, kind: int) -> str:
    if not names.is_plain(rel):
        return "no name for a key"
    if stat.S_ISLNK(kind):
        return "a symbolic link"
    return "" if stat.S_ISREG(kind) or stat.S_ISDIR(kind) else "no regular file"
