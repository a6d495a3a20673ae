"""The engine's picture of both sides, kept for the snapshot, the sidecar and the local index."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

import msgspec

from s3dash.core import sidecar
from s3dash.core.diff import Verdict
from s3dash.core.events import DirtyChanged, LocksChanged, RemoteChanged
from s3dash.core.hydration import Hydrated
from s3dash.core.lock import LockInfo
from s3dash.core.plan import Change, conflict_of
from s3dash.core.report import (
    Blocked,
    ChangeKind,
    ConflictInfo,
    IndexInfo,
    PathChange,
    Version,
)
from s3dash.core.snapshot import NO_INDEX, DirtyRow
from s3dash.engine import hydration, index_copy
from s3dash.engine.context import Context
from s3dash.engine.observe import CLASHES, LocalView, Observation
from s3dash.engine.push import file_time
from s3dash.engine.troubles import Commits
from s3dash.errors import LocalError

T = TypeVar("T")

_KINDS: dict[Verdict, ChangeKind] = {
    Verdict.LOCAL_ADDED: "added",
    Verdict.LOCAL_MODIFIED: "modified",
    Verdict.LOCAL_DELETED: "deleted",
    Verdict.LOCAL_REVIVED: "modified",
    Verdict.BOTH_MODIFIED: "modified",
    Verdict.BOTH_ADDED: "added",
    Verdict.REMOTE_ADDED: "added",
    Verdict.REMOTE_MODIFIED: "modified",
    Verdict.REMOTE_DELETED: "deleted",
    Verdict.REMOTE_REVIVED: "modified",
}
_BEHIND = frozenset(
    {
        Verdict.REMOTE_ADDED,
        Verdict.REMOTE_MODIFIED,
        Verdict.REMOTE_DELETED,
        Verdict.REMOTE_REVIVED,
    }
)
_DIRTY = _KINDS.keys() - _BEHIND


class View:
    """Immutable tuples that are replaced as a whole; read from any thread."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.dirty: tuple[DirtyRow, ...] = ()
        self.behind: tuple[PathChange, ...] = ()
        self.conflicts: tuple[ConflictInfo, ...] = ()
        self.blocked: tuple[Blocked, ...] = ()
        self.locks: tuple[LockInfo, ...] = ()
        self.locks_at = ""
        self.index: IndexInfo = NO_INDEX
        self.local: LocalView | None = None
        self.files = 0
        self.lazy = False
        self.hydrated = Hydrated()
        self.skipped: dict[str, Change] = {}
        self.bulk_dirty = False
        self.commits = Commits()

    def take_local(self, view: LocalView, changes: list[Change], *, lazy: bool) -> None:
        """A look at the cache, and what differs there from what the bucket is known to have."""
        self.local = view
        self.files = len(view.scan.files)
        self.lazy = lazy
        self.bulk_dirty = self._ctx.sidecar.read().walk_everything
        self._set_dirty([c for c in changes if c.verdict in _DIRTY])

    def take(self, seen: Observation) -> None:
        """A look at both sides."""
        self.take_local(seen.local, seen.changes, lazy=seen.lazy)
        remote = seen.remote
        self.hydrated = seen.hydrated
        self._ctx.accounting.looked()
        if seen.skipped != self.skipped:
            self.skipped = seen.skipped
        self.index = IndexInfo(remote.version, remote.commit_seq, len(remote.entries))
        self.blocked = _same_or(
            self.blocked, (Blocked(p, r) for p, r in sorted(seen.blocked.items()))
        )
        self.conflicts = _same_or(
            self.conflicts, (_conflict(seen, c) for c in seen.changes if c.verdict in CLASHES)
        )
        behind = _same_or(self.behind, (_behind(c) for c in seen.changes if c.verdict in _BEHIND))
        if behind is not self.behind:
            self.behind = behind
            self._announce_remote()

    def take_locks(self, locks: Iterable[LockInfo] | None, *, all_models: bool = False) -> None:
        """None: they could not be listed; the last that are known stay.

        `all_models`: a listing found them, so that there are no others.
        """
        if locks is None:
            return
        if all_models:
            self.locks_at = self._ctx.now()
        before, self.locks = self.locks, tuple(locks)
        if {(i.key, i.nonce) for i in before} != {(i.key, i.nonce) for i in self.locks}:
            ctx = self._ctx
            ctx.bus.publish(
                LocksChanged(at=ctx.now(), datastore=ctx.settings.name, count=len(self.locks))
            )

    def _set_dirty(self, changes: list[Change]) -> None:
        now = self._ctx.now()
        since = {row.path: row.since for row in self.dirty}
        rows = _same_or(
            self.dirty,
            (
                DirtyRow(c.path, _KINDS[c.verdict], c.size, since.get(c.path, now), _why(c))
                for c in sorted(changes, key=lambda c: c.path)
            ),
        )
        if rows is not self.dirty:
            self.dirty = rows
            ctx = self._ctx
            ctx.bus.publish(DirtyChanged(at=now, datastore=ctx.settings.name, count=len(rows)))

    def _announce_remote(self) -> None:
        ctx = self._ctx
        ctx.bus.publish(
            RemoteChanged(
                at=ctx.now(),
                datastore=ctx.settings.name,
                commit_seq=self.index.commit_seq,
                behind=len(self.behind),
            )
        )


def _same_or(old: tuple[T, ...], new: Iterable[T]) -> tuple[T, ...]:
    """The old tuple when nothing differs, so that readers can tell by identity."""
    fresh = tuple(new)
    return old if fresh == old else fresh


def _conflict(seen: Observation, change: Change) -> ConflictInfo:
    """As reported, with the times of its versions as far as they are known."""
    told, rel = conflict_of(change), change.path
    row, here = seen.local.base.get(rel), seen.local.scan.files.get(rel)
    entry = seen.remote.entries.get(rel)
    there = (entry.localMtime or entry.lastModified) if entry else ""
    return ConflictInfo(
        rel,
        _at(told.local, file_time(here) if here else ""),
        _at(told.remote, there),
        _at(told.base, file_time(row.stat) if row and row.stat else ""),
    )


def _at(version: Version | None, time: str) -> Version | None:
    return msgspec.structs.replace(version, time=time) if version else None


def _why(change: Change) -> str:
    base, local = change.base, change.local
    if base is None or local is None:
        return change.verdict.value
    if base.size != local.size:
        return f"size {base.size} → {local.size}"
    return "same size, other content"


def _behind(change: Change) -> PathChange:
    size = change.remote.size if change.remote else change.size
    return PathChange(change.path, _KINDS[change.verdict], size)


# --- what the peers on this cache read ---------------------------------------------------


def mark_dirty(ctx: Context, view: View) -> None:
    """What we saw changed and do not push at once is marked, so that no peer steps over it."""
    rels = [ctx.keys.root + row.path for row in view.dirty]
    hydration.looked(ctx)
    if rels:
        ctx.sidecar.update(lambda now: sidecar.mark(now, rels))


def try_mark_dirty(ctx: Context, view: View) -> None:
    """As `mark_dirty`, for a mere look: that works on a read-only or full disk too.

    Nobody else can write to such a cache either; what changes something tells the error.
    """
    with suppress(LocalError):
        mark_dirty(ctx, view)


def settle(ctx: Context, view: View, seen: Observation, *, marks: tuple[str, ...]) -> None:
    """After an operation: clear what was pushed, and say which commit the cache is at.

    `marks` are those that stood when the operation began; later ones are kept. `commitSeq` and
    `remoteIndexETag` are said only when nothing of the bucket is missing here: a peer takes
    them as «nothing to pull».
    """
    dirty = [ctx.keys.root + row.path for row in view.dirty]
    dirty += _ignored(ctx, marks) + _of_others(ctx, marks)
    complete = not (view.behind or view.conflicts or seen.blocked)
    ctx.sidecar.update(
        lambda now: _verified(
            ctx, sidecar.settle(now, still_dirty=dirty, seen=marks), seen, complete=complete
        )
    )
    index_copy.keep(ctx, seen)


def _ignored(ctx: Context, marks: tuple[str, ...]) -> list[str]:
    """Marks of what is excluded: it was not pushed, so no peer may take it for pushed."""
    root, excluded = ctx.keys.root, ctx.excludes.test
    return [m for m in marks if m.startswith(root) and excluded(m.removeprefix(root))]


def _of_others(ctx: Context, marks: tuple[str, ...]) -> list[str]:
    """Marks of other namespaces: nothing here has looked at them."""
    root = ctx.keys.root
    return [m for m in marks if root and not f"{m}/".startswith(root)]


def _verified(
    ctx: Context, now: sidecar.Sidecar, seen: Observation, *, complete: bool
) -> sidecar.Sidecar:
    if not complete:
        return now
    monolith = seen.remote.docs.get(ctx.keys.monolith)
    v1 = seen.remote.version == 1 and monolith is not None
    return msgspec.structs.replace(
        now,
        lastVerifiedAt=ctx.now(),
        commitSeq=seen.remote.commit_seq,
        remoteIndexETag=monolith.etag if v1 and monolith else "",
    )
