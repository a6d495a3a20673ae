"""What this machine knows between runs, in one SQLite file of the state directory.

Base rows, known index documents, the journal of a commit that is under way, and the history.
Losing the file costs time, never data: the next sync is then a first sync (scenario 12).
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from s3dash.core.snapshot import HistoryRow
from s3dash.errors import LocalError
from s3dash.local.owner import OwnerLock
from s3dash.local.rows import BaseRow, JournalRow, base_values, journal_values, stat_of, stat_values
from s3dash.local.scan import FileStat

__all__ = ["BaseRow", "JournalRow", "OwnerLock", "State"]

HISTORY_ROWS = 20_000
APPLICATION_ID = 0x53334448  # "S3DH"
SCHEMA_VERSION = 2
_BUSY_S = 10.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS base (
  rel TEXT PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, tag TEXT NOT NULL, etag TEXT,
  stat_size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER, verified_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS older (
  rel TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (rel, sha256)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS docs (key TEXT PRIMARY KEY, etag TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS journal (
  position INTEGER PRIMARY KEY AUTOINCREMENT, commit_id TEXT NOT NULL, rel TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT, over_tag TEXT,
  at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS history (
  position INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, operation TEXT NOT NULL,
  level TEXT NOT NULL, text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_SAVE_BASE = "INSERT OR REPLACE INTO base VALUES (?,?,?,?,?,?,?,?,?,?)"
_DROP_BASE = "DELETE FROM base WHERE rel = ?"
_OUTDATE = "INSERT OR IGNORE INTO older SELECT rel, sha256 FROM base WHERE rel = ? AND sha256 <> ?"
_SAVE_OLDER = "INSERT OR IGNORE INTO older VALUES (?,?)"
_OLDER = "SELECT sha256 FROM older WHERE rel = ?"
_RESTAT = (
    "UPDATE base SET stat_size=?, mtime_ns=?, ctime_ns=?, inode=?, verified_ns=? WHERE rel = ?"
)
_SAVE_DOC = "INSERT OR REPLACE INTO docs VALUES (?,?,?)"
_ADD_JOURNAL = (
    "INSERT OR REPLACE INTO journal (commit_id, rel, action, sha256, size, etag, over_tag, at)"
    " VALUES (?,?,?,?,?,?,?,?)"
)
_JOURNAL = (
    "SELECT commit_id, rel, action, sha256, size, etag, over_tag, at FROM journal ORDER BY position"
)
_NOTE = "INSERT INTO history (at, operation, level, text) VALUES (?,?,?,?)"
_FORGET = "DELETE FROM history WHERE position <= (SELECT MAX(position) FROM history) - ?"
_HISTORY = "SELECT at, operation, level, text FROM history ORDER BY position DESC LIMIT ?"


class State:
    """The state file of one datastore. Any thread may call; every write is one transaction.

    A file that is corrupt or not ours is moved aside, and `recovered` tells what happened.
    With `read_only`, a missing or broken file is an empty state; what is a mere cache or a log
    line is then dropped without a word, and anything else raises LocalError.
    Raises LocalError when the file cannot be read or written.
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, history_rows: int = HISTORY_ROWS
    ) -> None:
        self.recovered: str | None = None
        self._path = path
        self._read_only = read_only
        self._history_rows = history_rows
        self._lock = threading.RLock()
        self._db = self._open_to_read() if read_only else self._open()

    # --- base ---------------------------------------------------------------------------

    def base_rows(self) -> dict[str, BaseRow]:
        rows = self._all("SELECT * FROM base")
        return {r[0]: BaseRow(r[0], r[1], r[2], r[3], r[4], stat_of(r), r[9]) for r in rows}

    def save_base(self, rows: Iterable[BaseRow]) -> None:
        self.apply(save=rows)

    def drop_base(self, rels: Iterable[str]) -> None:
        self.apply(drop=rels)

    def apply(
        self,
        *,
        save: Iterable[BaseRow] = (),
        drop: Iterable[str] = (),
        older: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Move the base: drops first, then saves, all or nothing. What it was is `older` now.

        `older` names versions that never were our base but were replaced as well (rel, SHA-256).
        """
        gone, rows = list(drop), list(save)
        with self._write() as db:
            db.executemany(_OUTDATE, ((rel, "") for rel in gone))
            db.executemany(_OUTDATE, ((row.rel, row.sha256) for row in rows))
            db.executemany(_SAVE_OLDER, older)
            db.executemany(_DROP_BASE, ((rel,) for rel in gone))
            db.executemany(_SAVE_BASE, (base_values(row) for row in rows))

    def forget(self, rels: Iterable[str]) -> None:
        """As if these paths had never been synced: no base, and no older version of one."""
        if self._read_only:
            return
        with self._write() as db:
            db.executemany(_DROP_BASE, ((rel,) for rel in rels))

    def older(self, rels: Iterable[str]) -> dict[str, set[str]]:
        """The SHA-256 of versions that the base has left behind, for those of `rels` with any."""
        found = {rel: {str(row[0]) for row in self._all(_OLDER, rel)} for rel in rels}
        return {rel: known for rel, known in found.items() if known}

    def restat(self, updates: Iterable[tuple[str, FileStat, int]]) -> None:
        """(rel, stat, verified_ns): the content was looked at again and is still the base."""
        if self._read_only:
            return
        with self._write() as db:
            db.executemany(_RESTAT, ((*stat_values(s), at, rel) for rel, s, at in updates))

    # --- index documents as we last read them -------------------------------------------

    def docs(self) -> dict[str, tuple[str, bytes]]:
        """key → (etag, body)."""
        return {k: (etag, body) for k, etag, body in self._all("SELECT * FROM docs")}

    def save_docs(self, docs: dict[str, tuple[str, bytes]]) -> None:
        if self._read_only:
            return
        with self._write() as db:
            db.executemany(_SAVE_DOC, ((k, etag, body) for k, (etag, body) in docs.items()))

    def drop_docs(self, keys: Iterable[str]) -> None:
        if self._read_only:
            return
        with self._write() as db:
            db.executemany("DELETE FROM docs WHERE key = ?", ((key,) for key in keys))

    # --- journal ------------------------------------------------------------------------

    def journal_add(self, rows: Iterable[JournalRow]) -> None:
        with self._write() as db:
            db.executemany(_ADD_JOURNAL, (journal_values(row) for row in rows))

    def journal(self) -> list[JournalRow]:
        """Oldest first."""
        return [JournalRow(*row) for row in self._all(_JOURNAL)]

    def journal_clear(self, rels: Iterable[str]) -> None:
        with self._write() as db:
            db.executemany("DELETE FROM journal WHERE rel = ?", ((rel,) for rel in rels))

    # --- history and facts --------------------------------------------------------------

    def note(self, row: HistoryRow) -> None:
        if self._read_only:
            return
        with self._write() as db:
            db.execute(_NOTE, (row.at, row.operation, row.level, row.text))
            db.execute(_FORGET, (self._history_rows,))

    def history(self, limit: int = 1000) -> list[HistoryRow]:
        """The latest rows, newest last."""
        return [HistoryRow(*row) for row in reversed(self._all(_HISTORY, limit))]

    def get(self, key: str) -> str | None:
        rows = self._all("SELECT value FROM facts WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def set(self, key: str, value: str) -> None:
        if self._read_only:
            return
        with self._write() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES (?,?)", (key, value))

    def close(self) -> None:
        """Idempotent; any other call after it raises LocalError."""
        with self._lock:
            self._db.close()

    # --- the file -----------------------------------------------------------------------

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        if self._read_only:
            raise LocalError(f"{self._path} is open for reading only")
        with self._lock, self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # some failures of SQLite roll back by themselves
                    self._db.execute("ROLLBACK")
                raise

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._translated():
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LocalError(
                f"the state file {self._path} failed: {error}",
                hint="free some space, or move the file away: the next sync rebuilds it",
            ) from error

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            db = _opened(self._path)
        except OSError as error:
            raise LocalError(f"{self._path.parent} cannot be made: {error.strerror}") from error
        except _Unusable as problem:
            aside = _move_aside(self._path)
            self.recovered = f"{self._path.name}: {problem}; moved to {aside.name}, started afresh"
            db = _opened(self._path)
        return db

    def _open_to_read(self) -> sqlite3.Connection:
        if not self._path.exists():
            return _in_memory()
        try:
            return _opened_to_read(self._path)
        except _Unusable as problem:
            self.recovered = f"{self._path.name}: {problem}; taken as empty"
            return _in_memory()


class _Unusable(Exception):
    """The file is corrupt or was written by something else."""


def _connect(target: str, *, uri: bool = False) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            target, uri=uri, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise LocalError(f"the state file {target} cannot be opened: {error}") from error


def _in_memory() -> sqlite3.Connection:
    db = _connect(":memory:")
    db.executescript(_SCHEMA)
    return db


def _opened(path: Path) -> sqlite3.Connection:
    """Open or create. Raises _Unusable for a file that is not a good state file of ours."""
    db = _connect(str(path))
    try:
        if db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0:
            _create(db)
        _check(db)
        db.execute("PRAGMA synchronous=NORMAL")
    except sqlite3.OperationalError as error:
        db.close()
        raise LocalError(f"the state file {path} cannot be opened: {error}") from error
    except sqlite3.DatabaseError as error:
        db.close()
        raise _Unusable(f"corrupt ({error})") from error
    except _Unusable:
        db.close()
        raise
    return db


def _opened_to_read(path: Path) -> sqlite3.Connection:
    """As `_opened`, without a write; on a read-only file system the log cannot be shared."""
    problem: sqlite3.Error | None = None
    for option in ("mode=ro", "mode=ro&immutable=1"):
        db = _connect(f"{path.absolute().as_uri()}?{option}", uri=True)
        try:
            _check(db)
        except sqlite3.OperationalError as error:
            db.close()
            problem = error
        except sqlite3.DatabaseError as error:
            db.close()
            raise _Unusable(f"corrupt ({error})") from error
        except _Unusable:
            db.close()
            raise
        else:
            return db
    raise LocalError(f"the state file {path} cannot be opened: {problem}") from problem


def _create(db: sqlite3.Connection) -> None:
    """All or nothing, so that a crash leaves no file that looks like somebody else's."""
    db.execute("PRAGMA journal_mode=WAL")
    owned = f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION};"
    db.executescript(f"BEGIN IMMEDIATE; {owned} {_SCHEMA} COMMIT;")


def _check(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise _Unusable("not a state file of s3dash")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise _Unusable(f"written by another version (schema {version})")
    verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise _Unusable(f"corrupt ({verdict})")


def _move_aside(path: Path) -> Path:
    """Keep the file, with its log, under a name that says when and why."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        log = path.with_name(path.name + suffix)
        if log.exists():
            log.rename(aside.with_name(aside.name + suffix))
    return aside
