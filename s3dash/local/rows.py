"""The rows of the state file, and their values in SQLite."""

from dataclasses import dataclass
from typing import Any

from s3dash.core.diff import Base
from s3dash.local.scan import FileStat

_SIGNED_64 = 1 << 63


@dataclass(frozen=True, slots=True)
class BaseRow:
    """What both sides last agreed on, and the local file that was proved to be it.

    `verified_ns` is the wall time when the hashing of that file began; `stat` None: none was.
    """

    rel: str
    sha256: str
    size: int
    tag: str
    etag: str | None
    stat: FileStat | None
    verified_ns: int

    @property
    def base(self) -> Base:
        return Base(self.sha256, self.size, self.tag, self.etag)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One step of a commit that is durable in the bucket but not yet in the index.

    `action` is "upload" or "delete"; `over` the tag of the index entry that it was to replace,
    None: there was none. One row per path: a later one replaces it.
    """

    commit_id: str
    rel: str
    action: str
    sha256: str
    size: int
    etag: str | None
    over: str | None
    at: str


def stat_values(stat: FileStat | None) -> tuple[int | None, ...]:
    """SQLite's integers are signed; inode numbers are not."""
    if stat is None:
        return (None, None, None, None)
    inode = stat.inode if stat.inode < _SIGNED_64 else stat.inode - 2 * _SIGNED_64
    return (stat.size, stat.mtime_ns, stat.ctime_ns, inode)


def stat_of(row: tuple[Any, ...]) -> FileStat | None:
    size, mtime_ns, ctime_ns, inode = row[5:9]
    if size is None:
        return None
    return FileStat(size, mtime_ns, ctime_ns, inode if inode >= 0 else inode + 2 * _SIGNED_64)


def base_values(row: BaseRow) -> tuple[object, ...]:
    head = (row.rel, row.sha256, row.size, row.tag, row.etag)
    return (*head, *stat_values(row.stat), row.verified_ns)


def journal_values(row: JournalRow) -> tuple[object, ...]:
    head = (row.commit_id, row.rel, row.action, row.sha256, row.size)
    return (*head, row.etag, row.over, row.at)
