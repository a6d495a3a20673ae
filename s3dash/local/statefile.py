"""One SQLite file that may be lost at any time: opened, proved, and set aside when it is no good.

What a transaction wrote survives a power cut once it returned (`synchronous=FULL`): the journal
must know of an object before the object can be there, and base (I9) must not fall behind what
users have seen since. Many threads that write at once share one wait for the disk.
"""

import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from s3dash.errors import LocalError
from s3dash.local import fsio

Connection = sqlite3.Connection
"""What a transaction is given."""

APPLICATION_ID = 0x53334448  # "S3DH"
BUSY_S = 10.0
COMMIT = "s3dash.commit"
"""The audit event before a transaction is made durable, with the path of the file."""

_HINT = "free some space, or move the file away: the next sync rebuilds it"
_NOT_ITS_FAULT = frozenset(
    {
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
"""Codes of failures that say nothing about what is in the file."""

_FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""The second when SQLite quotes a name in a corrupt schema."""


class Unusable(Exception):
    """The file is corrupt or was written by something else."""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """What a good file looks like: its tables, their version, and the SQL that finds bad rows."""

    version: int
    tables: str
    bad_rows: tuple[str, ...]


class StateFile:
    """A connection that any thread may use. Raises LocalError when the file cannot be used.

    A file that is corrupt or not ours is moved aside, and `recovered` tells what happened; when
    that is found while it is in use, the call fails and the next one meets an empty file.
    With `read_only`, a missing or broken file is an empty one and stays as it is.
    """

    def __init__(
        self, path: Path, schema: Schema, *, read_only: bool = False, busy_s: float = BUSY_S
    ) -> None:
        self.recovered: str | None = None
        self._path = path
        self._schema = schema
        self._read_only = read_only
        self._busy_s = busy_s
        self._lock = threading.RLock()
        self._db = self._open_to_read() if read_only else self._open()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is durable afterwards, or nothing of it happened."""
        if self._read_only:
            raise LocalError(f"{self._path} is open for reading only")
        with self._lock, self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                sys.audit(COMMIT, str(self._path))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # some failures of SQLite roll back by themselves
                    self._db.execute("ROLLBACK")
                raise

    def each(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows as they are read: nobody else gets in before the last, or the end of the
        iterator. For what is too much to be held twice."""
        with self._lock, self._translated():
            yield from self._db.execute(sql)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._translated():
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """Idempotent; any other call after it raises LocalError."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError as error:  # it is closed
            raise LocalError(f"the state file {self._path} failed: {error}") from error
        except _FAILURES as error:
            if _is_outside(error) or self._read_only:
                raise LocalError(
                    f"the state file {self._path} failed: {error}", hint=_HINT
                ) from error
            self._start_afresh(error)
            raise LocalError(
                f"the state file {self._path} is corrupt ({_why(error)}); it was moved aside",
                hint="nothing was lost: run it again, the next sync joins both sides",
            ) from error

    def _start_afresh(self, problem: Exception) -> None:
        self._db.close()
        aside = move_aside(self._path)
        self.recovered = (
            f"{self._path.name}: {_why(problem)}; moved to {aside.name}, started afresh"
        )
        self._db = _opened(self._path, self._schema, self._busy_s)

    # --- opening ------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        try:
            fsio.make_dirs(self._path.parent, mode=0o700)
        except OSError as error:
            raise LocalError(f"{self._path.parent} cannot be made: {error.strerror}") from error
        try:
            return _opened(self._path, self._schema, self._busy_s)
        except Unusable as problem:
            aside = move_aside(self._path)
            self.recovered = f"{self._path.name}: {problem}; moved to {aside.name}, started afresh"
            return _opened(self._path, self._schema, self._busy_s)

    def _open_to_read(self) -> sqlite3.Connection:
        if not self._path.exists():
            return _in_memory(self._schema)
        try:
            return _opened_to_read(self._path, self._schema, self._busy_s)
        except Unusable as problem:
            self.recovered = f"{self._path.name}: {problem}; taken as empty"
            return _in_memory(self._schema)


def _is_outside(error: Exception) -> bool:
    """True when the disk, or somebody else, is to blame, and not the bytes of the file."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _NOT_ITS_FAULT


def _why(error: Exception) -> str:
    """SQLite's words, but for those that quote what is in the file."""
    return str(error) if hasattr(error, "sqlite_errorcode") else "a text that is no UTF-8"


@contextmanager
def _proving(db: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Close `db` unless the block finds a good file. Raises Unusable, LocalError."""
    try:
        yield
    except _FAILURES as error:
        db.close()
        if _is_outside(error):
            raise LocalError(f"the state file {path} cannot be opened: {error}") from error
        raise Unusable(f"corrupt ({_why(error)})") from error
    except Unusable:
        db.close()
        raise


def _connect(target: str, busy_s: float, *, uri: bool = False) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            target, uri=uri, timeout=busy_s, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise LocalError(f"the state file {target} cannot be opened: {error}") from error


def _in_memory(schema: Schema) -> sqlite3.Connection:
    db = _connect(":memory:", BUSY_S)
    db.executescript(schema.tables)
    return db


def _opened(path: Path, schema: Schema, busy_s: float) -> sqlite3.Connection:
    """Open or create. Raises Unusable for a file that is not a good state file of ours."""
    db = _connect(str(path), busy_s)
    with _proving(db, path):
        if db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0:
            _create(db, schema)
        _check(db, schema)
        db.execute("PRAGMA synchronous=FULL")
    return db


def _opened_to_read(path: Path, schema: Schema, busy_s: float) -> sqlite3.Connection:
    """As `_opened`, without a write; on a read-only file system the log cannot be shared."""
    problem: LocalError | None = None
    for option in ("mode=ro", "mode=ro&immutable=1"):
        db = _connect(f"{path.absolute().as_uri()}?{option}", busy_s, uri=True)
        try:
            with _proving(db, path):
                _check(db, schema)
        except LocalError as error:
            problem = error
        else:
            return db
    assert problem is not None
    raise problem


def _create(db: sqlite3.Connection, schema: Schema) -> None:
    """All or nothing, so that a crash leaves no file that looks like somebody else's."""
    db.execute("PRAGMA journal_mode=WAL")
    owned = f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={schema.version};"
    db.executescript(f"BEGIN IMMEDIATE; {owned} {schema.tables} COMMIT;")


def _check(db: sqlite3.Connection, schema: Schema) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise Unusable("not a state file of s3dash")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != schema.version:
        raise Unusable(f"written by another version (schema {version})")
    verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise Unusable(f"corrupt ({verdict})")
    for bad in schema.bad_rows:
        if db.execute(bad).fetchone() is not None:
            raise Unusable("corrupt (a row of other types)")


def move_aside(path: Path) -> Path:
    """Keep the file, with its log, under a name that says when and why."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    try:
        path.rename(aside)
        for suffix in ("-wal", "-shm"):
            log = path.with_name(path.name + suffix)
            if log.exists():
                log.rename(aside.with_name(aside.name + suffix))
    except OSError as error:
        raise LocalError(f"{path} cannot be moved aside: {error.strerror}") from error
    return aside
