"""Carrying out the downward half of a plan: verified, atomic, undoable.

Invariants kept here: I8 (a local file is replaced only while it is what the plan saw) and, for
installs, I9 (base advances only after the install is durable: the bytes of each file before it has
its name, the names of many with one fsync for each directory).
"""

import io
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from s3dash.clock import from_iso
from s3dash.core.index import Entry
from s3dash.core.plan import Action, Item, Plan
from s3dash.core.progress import Transfer
from s3dash.core.report import Blocked, Failed, Result
from s3dash.engine.context import Context
from s3dash.engine.halves import Halves
from s3dash.engine.jobs import retrying
from s3dash.engine.lane import Course, Lane, standstill
from s3dash.engine.names import conflict_name
from s3dash.engine.observe import Observation
from s3dash.engine.pin import is_proved
from s3dash.errors import (
    Cancelled,
    DiskFull,
    Integrity,
    LocalChanged,
    LocalError,
    NotFound,
    PathBlocked,
    S3DashError,
    TransferCancelled,
    TransferPaused,
)
from s3dash.local.atomic import Fresh
from s3dash.local.scan import FileStat
from s3dash.local.state import BaseRow
from s3dash.local.trash import Reason
from s3dash.objectstore.port import Downloaded

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

BATCH = 256
SMALL = 64 << 10
"""Bytes that cost about as much to fetch as to look where they go; a new file of no more is kept in
memory until it is written, together with others."""
PAST_S = 5.0
SETTLED_NS = 3_000_000_000
"""Beyond the coarsest clock of a file system: see `_mtime_ns`."""


class Later(msgspec.Struct, frozen=True):
    """`in_the_way`: their place may be freed by a deletion. `no_room`: others, that came to
    nothing, may have taken what the disk had left."""

    in_the_way: list[Item] = msgspec.field(default_factory=list)
    no_room: list[Item] = msgspec.field(default_factory=list)


class Arrived(NamedTuple):
    """A file that is installed: its base, and the directories whose names are to be made durable
    before that is written."""

    row: BaseRow
    unsettled: frozenset[Path]


class Fetched(NamedTuple):
    """The bytes of a small new file: verified, and on no disk yet."""

    row: Transfer
    file: Fresh
    got: Downloaded


def run(ctx: Context, plan: Plan, seen: Observation, result: Result) -> None:
    """Downloads, local deletions and base moves. Counts into `result`; one failure stops no other.

    After any failure, or a transfer that the user cancelled, local deletions are skipped: they
    stay to be done.
    """
    _move_base(ctx, plan, seen)
    downloads = plan.by(Action.DOWNLOAD, Action.KEEP_BOTH)
    rows = {i.path: ctx.accounting.queue("down", i.path, _size(i)) for i in downloads}
    later, some = Later(), _Downloads(ctx, seen, rows, result)
    try:
        some.fetch(downloads, later)
        some.fetch(sorted(later.no_room, key=_size))
        ctx.cancel.check()
        if not (result.failed or result.cancelled):
            _delete_local(ctx, plan, seen, result)
        some.fetch(later.in_the_way)
    finally:
        some.close()


class _Downloads:
    """The downloads of one pull, in as many goes as it takes."""

    def __init__(
        self, ctx: Context, seen: Observation, rows: dict[str, Transfer], result: Result
    ) -> None:
        self._ctx = ctx
        self._seen = seen
        self._rows = rows
        self._result = result
        self._halves = Halves(ctx)

    def fetch(self, items: list[Item], later: Later | None = None) -> None:
        """Side by side; what is worth another try goes to `later`. Without it, one at a time."""
        ctx, rows, saved = self._ctx, self._rows, list[Arrived]()
        course: Course[Item] = Course(
            limit=(lambda: 1) if later is None else (lambda: ctx.traffic.limit("down")),
            cancel=ctx.cancel,
            name="s3dash-pull",
            still=lambda paused: ctx.stage.enter("pulling", standstill(paused)),
        )
        lane = Lane(ctx.traffic, self._one, [(i, rows[i.path]) for i in items], course)
        try:
            for some in lane.some():
                fetched = list[tuple[Item, Fetched]]()
                for item, outcome in some:
                    if isinstance(outcome, S3DashError):
                        self._failed(item, outcome, later)
                    elif isinstance(outcome, Fetched):
                        fetched.append((item, outcome))
                    else:
                        saved.append(self._arrived(outcome))
                saved += self._install(fetched, later)
                if len(saved) >= BATCH:
                    self._save(saved)
                    saved.clear()
        finally:
            self._save(saved)

    def _arrived(self, one: Arrived) -> Arrived:
        self._result.pulled += 1
        self._result.bytes_down += one.row.size
        return one

    def _install(
        self, fetched: list[tuple[Item, Fetched]], later: Later | None
    ) -> Iterator[Arrived]:
        """Those that could be."""
        ctx, touched = self._ctx, set[Path]()
        files = [one.file for _, one in fetched]
        found = ctx.cache.install_new(files, unsettled=touched) if files else []
        unsettled = frozenset(touched)
        for (item, one), stat in zip(fetched, found, strict=True):
            if isinstance(stat, LocalError):
                ctx.accounting.finish(one.row, "failed", stat.message)
                self._failed(item, stat, later)
                continue
            ctx.accounting.finish(one.row, "done")
            ctx.accounting.arrive(one.got.size)
            yield self._arrived(_base(self._seen, item.path, one.got, stat, unsettled))

    def _save(self, arrived: list[Arrived]) -> None:
        """The names of what was installed are made durable, for all of them at once."""
        self._ctx.cache.settle({path for one in arrived for path in one.unsettled})
        self._ctx.state.save_base(one.row for one in arrived)

    def _one(self, item: Item, _runs: int) -> Arrived | Fetched:
        done = _download(self._ctx, self._seen, item, self._rows[item.path], self._halves)
        if item.path not in self._seen.local.scan.files and isinstance(done, Arrived):
            self._ctx.accounting.arrive(_size(item))
        return done

    def _failed(self, item: Item, error: S3DashError, later: Later | None) -> None:
        if isinstance(error, PathBlocked) and later is not None:
            later.in_the_way.append(item)
        elif isinstance(error, DiskFull) and later is not None:
            later.no_room.append(item)
        elif isinstance(error, TransferCancelled):
            self._halves.drop(item.path)
            self._result.cancelled.append(item.path)
        else:
            _tell(self._result, item.path, error)
            if isinstance(error, Integrity):
                self._ctx.reader.doubt(item.path)

    def close(self) -> None:
        """What did not come to its turn is cancelled, what is half there goes."""
        self._halves.close()
        for row in self._rows.values():
            if row.state in ("queued", "paused", "active"):  # active: fetched, and no more
                self._ctx.accounting.finish(row, "cancelled")


def _size(item: Item) -> int:
    return item.change.remote.size if item.change.remote else item.size


def _move_base(ctx: Context, plan: Plan, seen: Observation) -> None:
    """Both sides agree: only what we know moves (scenarios 4, 10, 11, 27)."""
    agreed = [adopted(seen, item.path) for item in plan.by(Action.ADOPT)]
    gone = [item.path for item in plan.by(Action.FORGET)]
    if agreed or gone:
        ctx.state.apply(save=agreed, drop=gone)


def adopted(seen: Observation, rel: str) -> BaseRow:
    """A base for a path whose local file was just found to be what the entry says."""
    entry, local = seen.remote.entries[rel], seen.local
    sha256, stat = entry.sha256 or "", local.scan.files[rel]
    etag = seen.remote.etags.get(rel)
    return BaseRow(rel, sha256, entry.size, entry.tag, etag, stat, local.taken_ns)


# --- downloads --------------------------------------------------------------------------


def _download(
    ctx: Context, seen: Observation, item: Item, row: Transfer, halves: Halves
) -> Arrived | Fetched:
    """One file, until it is installed, its bytes durable, or fetched; the rest is left."""
    try:
        ctx.cancel.check()
        done = retrying(
            partial(_attempt, ctx, seen, item, row, halves),
            patience=ctx.patience,
            once_more=(Integrity,),
            never=(LocalChanged,),  # the next look at the cache decides anew
        )
    except TransferPaused:
        raise
    except Cancelled:
        ctx.accounting.finish(row, "cancelled")
        raise
    except S3DashError as error:
        ctx.accounting.finish(row, "failed", error.message)
        raise
    if isinstance(done, Arrived):
        ctx.accounting.finish(row, "done")
    return done


def _attempt(
    ctx: Context, seen: Observation, item: Item, row: Transfer, halves: Halves, attempt: int
) -> Arrived | Fetched:
    row.attempt = attempt
    ctx.accounting.start(row)
    ctx.traffic.check(row, first=True)
    rel = item.path
    entry = seen.remote.entries[rel]
    if _is_small(ctx, seen, item, entry):
        return _fetch_small(ctx, item, entry, row)
    if entry.size > SMALL:
        ctx.cache.target(rel)  # refused before a byte moves; else before it is installed
    with halves.staging(rel) as half:
        got, temp = halves.fetch(rel, entry, half, row), half.temp
        _verify(rel, entry, got.size, got.sha256)
        if entry.sha256 is None and not is_proved(ctx, ctx.keys.data(rel), got, temp):
            raise Integrity(f"{rel}: its bytes differ from one read to the next")
        here = seen.local.scan.files.get(rel)
        if here is not None and got.sha256 == _ours(seen, rel):  # the entry did not say so
            taken_ns = seen.local.taken_ns
            known = BaseRow(rel, got.sha256, got.size, entry.tag, got.etag, here, taken_ns)
            return Arrived(known, frozenset())
        expected, unsettled = _step_aside(ctx, seen, item), set[Path]()
        stat = ctx.cache.install(
            Path(temp.name),
            rel,
            expected=expected,
            trash=ctx.trash,
            old_sha256=_ours(seen, rel),
            old_reason=_why_replaced(seen, rel),
            mtime_ns=_mtime_ns(ctx, entry),
            unsettled=unsettled,
        )
    return _base(seen, rel, got, stat, frozenset(unsettled))


def _is_small(ctx: Context, seen: Observation, item: Item, entry: Entry) -> bool:
    """A new file that may be installed together with others."""
    is_new = item.path not in seen.local.scan.files
    return is_new and entry.size <= SMALL and entry.sha256 is not None and ctx.cache.takes_many


class _Small(io.BytesIO):
    """Takes no more bytes than the entry tells: whatever the object is, memory stays small."""

    def __init__(self, rel: str, entry: Entry) -> None:
        super().__init__()
        self._rel = rel
        self._entry = entry

    def write(self, piece: "ReadableBuffer") -> int:
        """Raises Integrity for too many."""
        size = self.tell() + memoryview(piece).nbytes
        if size > self._entry.size:
            _verify(self._rel, self._entry, size, "")
        return super().write(piece)


def _fetch_small(ctx: Context, item: Item, entry: Entry, row: Transfer) -> Fetched:
    body, key = _Small(item.path, entry), ctx.keys.data(item.path)
    got = ctx.store.download(key, body, on_bytes=partial(ctx.moved, row))
    _verify(item.path, entry, got.size, got.sha256)
    return Fetched(row, Fresh(item.path, body.getvalue(), _mtime_ns(ctx, entry)), got)


def _base(
    seen: Observation, rel: str, got: Downloaded, stat: FileStat, unsettled: frozenset[Path]
) -> Arrived:
    settled_ns = stat.ctime_ns + SETTLED_NS
    tag = seen.remote.entries[rel].tag
    row = BaseRow(rel, got.sha256, got.size, tag, got.etag, stat, settled_ns)
    return Arrived(row, unsettled)


def _mtime_ns(ctx: Context, entry: Entry) -> int:
    """The writer's modification time, but always some seconds ago.

    Any later write then moves it, so that the file need not be read again to be known unchanged.
    """
    latest = ctx.clock.now() - timedelta(seconds=PAST_S)
    written = from_iso(entry.localMtime or entry.lastModified) or latest
    return max(0, int(min(written, latest).timestamp() * 1000)) * 1_000_000


def _ours(seen: Observation, rel: str) -> str | None:
    """The SHA-256 of the local file, where the comparison took it."""
    stat = seen.local.scan.files.get(rel)
    return seen.local.sha256(rel, stat) if stat else None


def _why_replaced(seen: Observation, rel: str) -> Reason:
    """Whether the local file is a version that the bucket had, or an edit that only we have."""
    row = seen.local.base.get(rel)
    known = row is not None and row.sha256 == _ours(seen, rel)
    return Reason.REPLACED if known else Reason.LOST


def _verify(rel: str, entry: Entry, size: int, sha256: str) -> None:
    """Scenario 28: an object that is not what its entry says is not installed."""
    if size != entry.size or (entry.sha256 is not None and entry.sha256 != sha256):
        raise Integrity(
            f"{rel}: the object is not the version that the index names "
            f"({size} of {entry.size} bytes); a write in flight, or a damaged object",
            hint="pull again in a moment",
        )


def _step_aside(ctx: Context, seen: Observation, item: Item) -> FileStat | None:
    """What must be at the target for the install; with «keep both» ours moves away first."""
    stat = seen.local.scan.files.get(item.path)
    if item.action is not Action.KEEP_BOTH or stat is None:
        return stat
    name = conflict_name(
        item.path,
        host=ctx.identity.hostname,
        at=ctx.clock.now(),
        sha256=_ours(seen, item.path) or "",
    )
    ctx.cache.rename(item.path, name, expected=stat)
    return None


# --- deletions --------------------------------------------------------------------------


def _delete_local(ctx: Context, plan: Plan, seen: Observation, result: Result) -> None:
    """Only files that are still what the plan saw; each goes to the trash first."""
    gone = []
    for item in plan.by(Action.DELETE_LOCAL):
        ctx.cancel.check()
        stat = seen.local.scan.files[item.path]
        try:
            ctx.cache.remove(
                item.path, expected=stat, trash=ctx.trash, sha256=_ours(seen, item.path)
            )
        except S3DashError as error:
            _tell(result, item.path, error)
            continue
        gone.append(item.path)
    ctx.state.drop_base(gone)
    result.deleted_local += len(gone)


def _tell(result: Result, rel: str, error: S3DashError) -> None:
    """Paths that cannot be, or are on the move, are blocked; the rest failed."""
    if isinstance(error, Cancelled):
        return
    if isinstance(error, (PathBlocked, Integrity, LocalChanged, NotFound)):
        result.blocked.append(Blocked(rel, error.message))
    else:
        result.failed.append(Failed(rel, error.message))
