"""The rows of the state file, and their values in SQLite."""

import hashlib
from typing import Any

import msgspec

from s3dash.core.diff import Base
from s3dash.local.scan import FileStat
from s3dash.local.statefile import Schema

_SIGNED_64 = 1 << 63
_SEAL = 16

_TABLES = """
CREATE TABLE IF NOT EXISTS base (
  rel TEXT PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, tag TEXT NOT NULL, etag TEXT,
  stat_size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER, verified_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS older (
  position INTEGER PRIMARY KEY AUTOINCREMENT, rel TEXT NOT NULL, sha256 TEXT NOT NULL,
  UNIQUE (rel, sha256)
);
CREATE TABLE IF NOT EXISTS docs (key TEXT PRIMARY KEY, etag TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS journal (
  position INTEGER PRIMARY KEY AUTOINCREMENT, commit_id TEXT NOT NULL, rel TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT, over_tag TEXT,
  at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS attempts (
  rel TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (rel, sha256)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
  position INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, operation TEXT NOT NULL,
  level TEXT NOT NULL, text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


def _bad(table: str, **columns: str) -> str:
    """SQL that finds a row whose columns have none of the types that they may have."""
    wrong = (f"typeof({name}) NOT IN ({types})" for name, types in columns.items())
    return f"SELECT 1 FROM {table} WHERE {' OR '.join(wrong)} LIMIT 1"  # noqa: S608 - our own names


_TEXT, _NUMBER, _BYTES = "'text'", "'integer'", "'blob'"
_MAYBE_TEXT, _MAYBE_NUMBER = "'text', 'null'", "'integer', 'null'"
_HALF_A_STAT = (
    "SELECT 1 FROM base WHERE (stat_size IS NULL) + (mtime_ns IS NULL) + (ctime_ns IS NULL)"
    " + (inode IS NULL) NOT IN (0, 4) LIMIT 1"
)

SCHEMA = Schema(
    version=4,
    tables=_TABLES,
    bad_rows=(
        _bad(
            "base",
            **dict.fromkeys(("rel", "sha256", "tag"), _TEXT),
            **dict.fromkeys(("size", "verified_ns"), _NUMBER),
            **dict.fromkeys(("stat_size", "mtime_ns", "ctime_ns", "inode"), _MAYBE_NUMBER),
            etag=_MAYBE_TEXT,
        ),
        _HALF_A_STAT,
        _bad("older", rel=_TEXT, sha256=_TEXT),
        _bad("docs", key=_TEXT, etag=_TEXT, body=_BYTES),
        _bad(
            "journal",
            **dict.fromkeys(("commit_id", "rel", "action", "sha256", "at"), _TEXT),
            **dict.fromkeys(("etag", "over_tag"), _MAYBE_TEXT),
            size=_NUMBER,
        ),
        _bad("attempts", rel=_TEXT, sha256=_TEXT),
        _bad("history", **dict.fromkeys(("at", "operation", "level", "text"), _TEXT)),
        _bad("facts", key=_TEXT, value=_TEXT),
    ),
)
"""SQLite proves the shape of a file, not that a column has its type."""


class BaseRow(msgspec.Struct, frozen=True, gc=False):
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


class JournalRow(msgspec.Struct, frozen=True):
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


def row_of(row: tuple[Any, ...]) -> BaseRow:
    """Out of `SELECT * FROM base`. An entry's tag is its hash as a rule: one text for both."""
    rel, sha256, size, tag, etag = row[:5]
    return BaseRow(rel, sha256, size, sha256 if tag == sha256 else tag, etag, stat_of(row), row[9])


def base_values(row: BaseRow) -> tuple[object, ...]:
    head = (row.rel, row.sha256, row.size, row.tag, row.etag)
    return (*head, *stat_values(row.stat), row.verified_ns)


def journal_values(row: JournalRow) -> tuple[object, ...]:
    head = (row.commit_id, row.rel, row.action, row.sha256, row.size)
    return (*head, row.etag, row.over, row.at)


def sealed(key: str, etag: str, body: bytes) -> bytes:
    """A document with a sum over all of it: a commit merges into what we kept of the index, so a
    bit that flips here must not travel to everybody."""
    return _sum(key, etag, body) + body


def unsealed(key: str, etag: str, kept: bytes) -> bytes | None:
    """The document, or None when it is not what was kept."""
    body = kept[_SEAL:]
    return body if kept[:_SEAL] == _sum(key, etag, body) else None


def _sum(key: str, etag: str, body: bytes) -> bytes:
    head = f"{len(key)}:{key}{len(etag)}:{etag}".encode()
    return hashlib.blake2b(head + body, digest_size=_SEAL).digest()
