"""Who else is there: the writers of a datastore, put together from what they left. Pure.

An s3dash announces each commit in a record, with its holder and the paths. A plain client leaves
none: it is seen as the holder of a lock, or by an index that it wrote last.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from s3dash.core.lock import LockInfo

PATHS_MOST = 50
"""Paths of a commit that are kept; its counts tell how many there were."""
PATHS_TOLD = 5
"""Paths of a writer's last commit in the overview."""
_ORDER = {"global": 0, "namespace": 1, "model": 2}


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit. `at` is the ISO time when it was announced, by the server's clock; `seq` None on
    a version 1 index. Counts are None where a plain client says nothing of what it changed.

    `paths` are the first ones, each behind `+`, `~` or `-` for added, modified and deleted.
    """

    namespace: str | None
    at: str
    seq: int | None = None
    added: int | None = None
    modified: int | None = None
    deleted: int | None = None
    paths: tuple[str, ...] = ()


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes, or holds a lock. `client` None: a plain client; `holder` empty: not known.

    `commits` are the latest ones that are known, the newest first; `lock` is the widest of
    `locks`. `mine`: it has the name under which this s3dash writes.
    """

    holder: str
    hostname: str = ""
    client: str | None = None
    mine: bool = False
    namespaces: tuple[str, ...] = ()
    commits: tuple[Commit, ...] = ()
    locks: tuple[LockInfo, ...] = ()

    @property
    def last(self) -> Commit | None:
        return self.commits[0] if self.commits else None

    @property
    def lock(self) -> LockInfo | None:
        return self.locks[0] if self.locks else None

    def document(self) -> dict[str, Any]:
        """The JSON shape: what the last commit did stands at the writer, too."""
        last = self.last
        return {
            "holder": self.holder,
            "hostname": self.hostname,
            "client": self.client,
            "mine": self.mine,
            "namespaces": list(self.namespaces),
            "last_commit_at": last.at if last else None,
            "commit_seq": last.seq if last else None,
            "added": last.added if last else None,
            "modified": last.modified if last else None,
            "deleted": last.deleted if last else None,
            "paths": [path[2:] for path in last.paths[:PATHS_TOLD]] if last else [],
            "lock": msgspec.to_builtins(self.lock),
            "commits": msgspec.to_builtins(self.commits),
        }


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace, or the datastore itself (None), and who it belongs to.

    `written_at` is the ISO time of the index' last write, `seq` its commitSeq. `by_plain`: the
    last to write it was no s3dash. `problem` says what could not be read.
    """

    namespace: str | None
    repo_id: str = ""
    registered_at: str = ""
    seq: int | None = None
    written_at: str = ""
    by_plain: bool = False
    problem: str = ""


class FleetView(msgspec.Struct, frozen=True, kw_only=True):
    """`at`: ISO time of the look. `skipped` namespaces were too many to be looked at."""

    at: str = ""
    writers: tuple[Writer, ...] = ()
    places: tuple[Place, ...] = ()
    skipped: int = 0

    def document(self) -> dict[str, Any]:
        places = [{**msgspec.to_builtins(p), "commit_seq": p.seq} for p in self.places]
        for place in places:
            del place["seq"]
        return {
            "at": self.at,
            "writers": [writer.document() for writer in self.writers],
            "namespaces": places,
            "skipped": self.skipped,
        }


class Announced(msgspec.Struct, frozen=True):
    """A commit as its record tells it, and by whom."""

    holder: str
    client: str
    commit: Commit


class _Known(msgspec.Struct):
    client: str | None = None
    hostname: str = ""
    commits: list[Commit] = msgspec.field(default_factory=list)
    locks: list[LockInfo] = msgspec.field(default_factory=list)


def commit_of(
    adds: Mapping[str, str],
    tombstones: Mapping[str, str],
    bases: Mapping[str, str],
    *,
    namespace: str | None,
    at: str,
    seq: int,
) -> Commit:
    """What a record says was changed. `seq` 0: a version 1 index."""
    new = sorted(rel for rel in adds if rel not in bases)
    changed = sorted(rel for rel in adds if rel in bases)
    marked = (("-", sorted(tombstones)), ("+", new), ("~", changed))
    paths = [f"{mark} {rel}" for mark, rels in marked for rel in rels]
    return Commit(
        namespace=namespace,
        at=at,
        seq=seq or None,
        added=len(new),
        modified=len(changed),
        deleted=len(tombstones),
        paths=tuple(paths[:PATHS_MOST]),
    )


def assemble(
    announced: Iterable[Announced],
    locks: Iterable[LockInfo],
    places: Iterable[Place],
    *,
    me: str,
) -> tuple[Writer, ...]:
    """One row for each holder; who holds a lock comes first, then who committed last.

    What plain clients wrote last, nobody knows which, is one row without a holder.
    """
    known: dict[str, _Known] = {}
    for one in announced:
        row = known.setdefault(one.holder, _Known())
        row.client = row.client or one.client or None
        row.commits.append(one.commit)
    for lock in locks:
        row = known.setdefault(lock.holder, _Known())
        row.locks.append(lock)
        row.client = row.client or lock.client
        row.hostname = row.hostname or lock.hostname
    for place in places:
        if place.by_plain:
            last = Commit(namespace=place.namespace, at=place.written_at, seq=place.seq)
            known.setdefault("", _Known()).commits.append(last)
    rows = [_writer(holder, row, me) for holder, row in known.items()]
    rows.sort(key=lambda w: (w.last.at if w.last else "", w.holder), reverse=True)
    return tuple(sorted(rows, key=lambda writer: writer.lock is None))


def _when(commit: Commit) -> tuple[str, int, str]:
    """The server's clock counts in seconds: within one the numbers tell, then anything at all."""
    return commit.at, commit.seq or 0, commit.namespace or ""


def _writer(holder: str, row: _Known, me: str) -> Writer:
    commits = sorted(row.commits, key=_when, reverse=True)
    locks = sorted(row.locks, key=lambda lock: (_ORDER[lock.scope], lock.key))
    seen = [c.namespace for c in commits] + [lock.namespace for lock in locks]
    return Writer(
        holder=holder,
        hostname=row.hostname or holder.rpartition("@")[2],
        client=row.client,
        mine=bool(holder) and holder == me,
        namespaces=tuple(sorted({name for name in seen if name})),
        commits=tuple(commits),
        locks=tuple(locks),
    )
