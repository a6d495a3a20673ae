"""What this machine knows between runs, in one SQLite file of the state directory.

Base rows, known index documents, the journal of a commit that is under way, and the history.
Losing the file costs time, never data: the next sync is then a first sync (scenario 12).
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from s3dash.core.snapshot import HistoryRow
from s3dash.local.owner import OwnerLock
from s3dash.local.rows import (
    SCHEMA,
    BaseRow,
    JournalRow,
    base_values,
    journal_values,
    row_of,
    sealed,
    stat_values,
    unsealed,
)
from s3dash.local.scan import FileStat
from s3dash.local.statefile import BUSY_S, Connection, StateFile
from s3dash.local.together import Together

__all__ = ["BaseRow", "JournalRow", "OwnerLock", "State"]

HISTORY_ROWS = 20_000
OLDER_ROWS, OLDER_PER_PATH = 250_000, 50
"""Versions left behind that are known again (scenario 52): the latest ones, of all and of a path.

By number, not by age, for clocks never order versions. One that is forgotten and comes back is
taken as an edit: the newer copy is then in the trash, not in a conflict.
"""

HELD = 100_000
"""Base rows that are held in memory between two askings for all of them."""

MANY = 10_000
"""Paths about which is asked one by one; of more, all that is known is read once."""

_SAVE_BASE = "INSERT OR REPLACE INTO base VALUES (?,?,?,?,?,?,?,?,?,?)"
_DROP_BASE = "DELETE FROM base WHERE rel = ?"
_OUTDATE = (
    "INSERT OR REPLACE INTO older (rel, sha256)"
    " SELECT rel, sha256 FROM base WHERE rel = ? AND sha256 <> ?"
)
_SAVE_OLDER = "INSERT OR REPLACE INTO older (rel, sha256) VALUES (?,?)"
_LAST_OLDER = "SELECT COALESCE(MAX(position), 0) FROM older"
_FORGET_OLDER = "DELETE FROM older WHERE position <= (SELECT MAX(position) FROM older) - ?"
_FORGET_OLDER_OF_PATH = """
DELETE FROM older WHERE position IN (
  SELECT position FROM (
    SELECT position, ROW_NUMBER() OVER (PARTITION BY rel ORDER BY position DESC) AS nth
    FROM older WHERE rel IN (SELECT rel FROM older WHERE position > ?)
  ) WHERE nth > ?
)"""
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
_ATTEMPT = "INSERT OR IGNORE INTO attempts VALUES (?,?)"
_FORGET_ATTEMPTS = "DELETE FROM attempts WHERE rel = ?"
_NOTE = "INSERT INTO history (at, operation, level, text) VALUES (?,?,?,?)"
_FORGET = "DELETE FROM history WHERE position <= (SELECT MAX(position) FROM history) - ?"
_HISTORY = "SELECT at, operation, level, text FROM history ORDER BY position DESC LIMIT ?"

_ABOUT_BASE = "about the base"
"""The fact that goes when the base moves."""

_Same = Callable[[dict[str, BaseRow]], None]
_Calm = Callable[[dict[str, BaseRow]], bool]


class State:
    """The state file of one datastore. Any thread may call; every write is one transaction.

    A file that is corrupt or not ours is moved aside, and `recovered` tells what happened.
    With `read_only`, a missing or broken file is an empty state; what is a mere cache or a log
    line is then dropped without a word, and anything else raises LocalError.
    Raises LocalError when the file cannot be read or written, or stays locked for `busy_s`.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        history_rows: int = HISTORY_ROWS,
        older_rows: int = OLDER_ROWS,
        busy_s: float = BUSY_S,
    ) -> None:
        self._file = StateFile(path, SCHEMA, read_only=read_only, busy_s=busy_s)
        self._write, self._all = self._file.write, self._file.rows
        self._read_only = read_only
        self._history_rows = history_rows
        self._older_rows = older_rows
        self._journal = Together(self._add_journal)
        self._held: tuple[tuple[int, int, str | None], dict[str, BaseRow]] | None = None
        self._moves = 0
        self._mover = threading.RLock()
        self._damaged: set[str] = set()

    @property
    def recovered(self) -> str | None:
        """What became of a broken file, or None."""
        return self._file.recovered

    # --- base ---------------------------------------------------------------------------

    def base_rows(self) -> dict[str, BaseRow]:
        """All of them, for the caller to keep. An operation asks again and again: up to `HELD`
        rows are held, until another connection writes to the file."""
        with self._mover:
            written = self._all("PRAGMA data_version")[0][0]
            version = (self._moves, written, self.recovered)
            if self._held is not None and self._held[0] == version:
                return dict(self._held[1])
            found = {r[0]: row_of(r) for r in self._file.each("SELECT * FROM base")}
            self._held = (version, found) if len(found) <= HELD else None
            return dict(found) if self._held else found

    def has_base(self) -> bool:
        return bool(self._all("SELECT 1 FROM base LIMIT 1"))

    def base_row(self, rel: str) -> BaseRow | None:
        """One of them, or None."""
        for r in self._all("SELECT * FROM base WHERE rel = ?", rel):
            return row_of(r)
        return None

    def save_base(self, rows: Iterable[BaseRow]) -> None:
        self.apply(save=rows)

    def adopt(self, rows: Iterable[BaseRow]) -> None:
        """`save_base`, of what will be found again as long as it is not saved."""
        if not self._read_only:
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

        def same(held: dict[str, BaseRow]) -> None:
            for rel in gone:
                held.pop(rel, None)
            held.update((row.rel, row) for row in rows)

        with self._moving(same) as db:
            last = db.execute(_LAST_OLDER).fetchone()[0]
            db.executemany(_OUTDATE, ((rel, "") for rel in gone))
            db.executemany(_OUTDATE, ((row.rel, row.sha256) for row in rows))
            db.executemany(_SAVE_OLDER, older)
            db.execute(_FORGET_OLDER_OF_PATH, (last, OLDER_PER_PATH))
            db.execute(_FORGET_OLDER, (self._older_rows,))
            db.executemany(_DROP_BASE, ((rel,) for rel in gone))
            db.executemany(_SAVE_BASE, (base_values(row) for row in rows))

    def forget(self, rels: Iterable[str]) -> None:
        """As if these paths had never been synced: no base, and no older version of one."""
        if self._read_only:
            return
        gone = list(rels)

        def same(held: dict[str, BaseRow]) -> None:
            for rel in gone:
                held.pop(rel, None)

        with self._moving(same) as db:
            db.executemany(_DROP_BASE, ((rel,) for rel in gone))

    def older(self, rels: Iterable[str]) -> dict[str, set[str]]:
        """The SHA-256 of versions that the base has left behind, for those of `rels` with any."""
        wanted = frozenset(rels)
        if len(wanted) > MANY:
            known: dict[str, set[str]] = {}
            for rel, sha256 in self.all_older():
                if rel in wanted:
                    known.setdefault(rel, set()).add(sha256)
            return known
        found = {rel: {str(row[0]) for row in self._all(_OLDER, rel)} for rel in wanted}
        return {rel: hashes for rel, hashes in found.items() if hashes}

    def all_older(self) -> list[tuple[str, str]]:
        """Every version (path, SHA-256) that the base has left behind, the oldest first."""
        rows = self._all("SELECT rel, sha256 FROM older ORDER BY position")
        return [(str(rel), str(sha256)) for rel, sha256 in rows]

    def restat(self, updates: Iterable[tuple[str, FileStat | None, int]]) -> None:
        """(rel, stat, verified_ns): the content was looked at again and is still the base. Without
        a stat it was seen not to be here, and the base stays."""
        if self._read_only:
            return
        seen = list(updates)

        def same(held: dict[str, BaseRow]) -> None:
            for rel, stat, at in seen:
                if rel in held:
                    held[rel] = replace(held[rel], stat=stat, verified_ns=at)

        def calm(held: dict[str, BaseRow]) -> bool:
            return all(rel not in held or held[rel].stat == stat for rel, stat, _ in seen)

        with self._moving(same, calm) as db:
            db.executemany(_RESTAT, ((*stat_values(s), at, rel) for rel, s, at in seen))

    @contextmanager
    def _moving(self, same: _Same, calm: _Calm = lambda _: False) -> Iterator[Connection]:
        """A transaction that moves the base. `same` does what it does to the rows that are held;
        `calm` says of these whether what was said about the base holds after it too."""
        with self._mover:
            held, before = self._held, self._moves
            self._moves += 1
            with self._write() as db:
                written = db.execute("PRAGMA data_version").fetchone()[0]
                rows = held[1] if held and held[0] == (before, written, self.recovered) else None
                if rows is None or not calm(rows):
                    db.execute("DELETE FROM facts WHERE key = ?", (_ABOUT_BASE,))
                yield db
            if rows is not None:
                same(rows)
                version = (self._moves, written, self.recovered)
                self._held = (version, rows) if len(rows) <= HELD else None

    @property
    def moves(self) -> int:
        """Another number once the base has moved, or begun to."""
        return self._moves

    def about_base(self) -> str | None:
        """What was said about the base as it is."""
        return self.get(_ABOUT_BASE)

    def say_about_base(self, text: str, *, moves: int) -> None:
        """Keep a word about the base as it was at that number, until it moves."""
        if self._read_only:
            return
        with self._write() as db:
            if self._moves == moves:
                db.execute("INSERT OR REPLACE INTO facts VALUES (?,?)", (_ABOUT_BASE, text))

    # --- index documents as we last read them -------------------------------------------

    def docs(self) -> dict[str, tuple[str, bytes]]:
        """key → (etag, body), of those that are still what was saved."""
        found = [(k, etag, unsealed(k, etag, b)) for k, etag, b in self._all("SELECT * FROM docs")]
        self._damaged = {key for key, _, body in found if body is None}
        return {key: (etag, body) for key, etag, body in found if body is not None}

    def doc_etags(self) -> dict[str, str]:
        """key → ETag of what was saved, but for what was found to be damaged since."""
        rows = self._all("SELECT key, etag FROM docs")
        return {key: etag for key, etag in rows if key not in self._damaged}

    def doc(self, key: str, etag: str) -> bytes | None:
        """The bytes of this version; None when they are not kept, or not what was saved."""
        for kept_etag, sealed_body in self._all("SELECT etag, body FROM docs WHERE key = ?", key):
            body = unsealed(key, kept_etag, sealed_body)
            if body is None:
                self._damaged.add(key)
            return body if kept_etag == etag else None
        return None

    def save_docs(self, docs: dict[str, tuple[str, bytes]]) -> bool:
        """Replaces what there is of the same keys. False: this is for reading only."""
        if self._read_only:
            return False
        with self._write() as db:
            db.executemany(
                _SAVE_DOC, ((k, etag, sealed(k, etag, b)) for k, (etag, b) in docs.items())
            )
        self._damaged -= docs.keys()
        return True

    def drop_docs(self, keys: Iterable[str]) -> None:
        if self._read_only:
            return
        with self._write() as db:
            db.executemany("DELETE FROM docs WHERE key = ?", ((key,) for key in keys))

    # --- journal ------------------------------------------------------------------------

    def journal_add(self, rows: Iterable[JournalRow]) -> None:
        """Threads that add at the same time share one transaction."""
        self._journal.add(rows)

    def _add_journal(self, rows: Iterable[JournalRow]) -> None:
        """A row with an ETag says which version it came to: attempts at others are over."""
        rows = list(rows)
        with self._write() as db:
            db.executemany(_ADD_JOURNAL, (journal_values(row) for row in rows))
            db.executemany(_FORGET_ATTEMPTS, ((row.rel,) for row in rows if row.etag is not None))

    def journal(self) -> list[JournalRow]:
        """Oldest first."""
        return [JournalRow(*row) for row in self._all(_JOURNAL)]

    def journal_clear(self, rels: Iterable[str]) -> None:
        gone = [(rel,) for rel in rels]
        with self._write() as db:
            db.executemany("DELETE FROM journal WHERE rel = ?", gone)
            db.executemany(_FORGET_ATTEMPTS, gone)

    def attempt(self, versions: Iterable[tuple[str, str]]) -> None:
        """Versions (path, SHA-256) that may come to lie over one which the journal names."""
        versions = list(versions)
        if versions:
            with self._write() as db:
                db.executemany(_ATTEMPT, versions)

    def attempts(self) -> dict[str, set[str]]:
        """By path: what may be in the bucket besides what the journal says."""
        found: dict[str, set[str]] = {}
        for rel, sha256 in self._all("SELECT rel, sha256 FROM attempts"):
            found.setdefault(rel, set()).add(sha256)
        return found

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

    def unset(self, key: str) -> None:
        if self._read_only:
            return
        with self._write() as db:
            db.execute("DELETE FROM facts WHERE key = ?", (key,))

    def facts(self, prefix: str) -> dict[str, str]:
        """All facts whose key begins so."""
        rows = self._all("SELECT key, value FROM facts WHERE instr(key, ?) = 1", prefix)
        return {str(key): str(value) for key, value in rows}

    def close(self) -> None:
        """Idempotent; any other call after it raises LocalError."""
        self._file.close()
