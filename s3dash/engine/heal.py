"""Telling what users did from what plain clients did by accident: the object itself is looked at.

Invariant I6: an entry that is missing is a deletion only with a tombstone or a HEAD 404. A plain
client's commit that overlaps another loses entries, or brings old ones back; an object that still
has the content we know shows it, and our entry is put back (scenarios 7, 51 and 52).
"""

from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from s3dash.core.diff import Verdict
from s3dash.core.plan import Change
from s3dash.engine import intents, origin
from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.engine.observe import Observation
from s3dash.engine.pin import is_abandoned, object_sha256
from s3dash.errors import NotFound, S3DashError
from s3dash.objectstore.port import ObjectInfo

IN_FLIGHT = "its object is in the bucket, but not in the index: a write in flight"

_GONE = frozenset({Verdict.REMOTE_DELETED, Verdict.BOTH_DELETED})
_THERE = frozenset(
    {
        Verdict.REMOTE_ADDED,
        Verdict.REMOTE_MODIFIED,
        Verdict.REMOTE_REVIVED,
        Verdict.BOTH_ADDED,
        Verdict.BOTH_MODIFIED,
    }
)


def confirm(ctx: Context, seen: Observation) -> None:
    """Look at the object of every path that seems deleted in the bucket, or set back there.

    Its verdict may change, or the path is told as blocked (in flight). Raises
    OtherDatastore and what the store raises: nothing is deleted on a doubt.
    """
    if seen.missed:
        _confirm_missed(ctx, seen)
    asked = [*(c for c in seen.changes if c.verdict in _GONE), *_set_back(ctx, seen)]
    if not asked:
        return
    judge = _Judge(ctx, seen)
    answers: dict[str, Verdict | None] = {}
    missing = False
    for change, (info, same) in _looks(ctx, seen, asked):
        missing = missing or (info is None and change.local is not None)
        answers[change.path] = judge.verdict(change, info, same)
    if missing:
        origin.check(ctx)
    for rel in (r for r, verdict in answers.items() if verdict is None):
        seen.blocked[rel] = IN_FLIGHT
    seen.changes[:] = [
        replace(c, verdict=answers.get(c.path) or c.verdict)
        for c in seen.changes
        if answers.get(c.path, c.verdict) is not None
    ]


def _confirm_missed(ctx: Context, seen: Observation) -> None:
    """Content that a lazy cache has no longer, and whose entry is gone or set back: where the
    object is what we knew, its entry is put back; where nothing names it, our base goes."""
    older = ctx.state.older([c.path for c in seen.missed if c.remote is not None])
    asked = [c for c in seen.missed if c.remote is None or c.remote.tag in older.get(c.path, ())]
    judge = _Judge(ctx, seen)
    for change, answer in _looks(ctx, seen, asked):
        _, same = answer
        if same and not judge.is_tombstoned(change):
            seen.skipped.pop(change.path, None)
            seen.changes.append(replace(change, verdict=Verdict.CLOBBERED))
        elif change.remote is None:
            seen.changes.append(change)


def _looks(
    ctx: Context, seen: Observation, changes: list[Change]
) -> Iterator[tuple[Change, tuple[ObjectInfo | None, bool]]]:
    """What `_look` says of each, as the answers come. Raises what the store raises."""
    work = each(
        partial(_look, ctx, seen),
        changes,
        workers=ctx.settings.pull_concurrency,
        cancel=ctx.cancel,
        name="s3dash-head",
    )
    for change, answer in work:
        if isinstance(answer, S3DashError):
            raise answer
        yield change, answer
    ctx.cancel.check()


def _set_back(ctx: Context, seen: Observation) -> list[Change]:
    """Paths that the index names in a version that we know to be an older one."""
    there = [c for c in seen.changes if c.verdict in _THERE and c.remote is not None]
    older = ctx.state.older([c.path for c in there])
    return [c for c in there if c.remote is not None and c.remote.tag in older.get(c.path, ())]


def _look(ctx: Context, seen: Observation, change: Change) -> tuple[ObjectInfo | None, bool]:
    """The object, and whether it is our base; (None, False): there is none."""
    row, key = seen.local.base.get(change.path), ctx.keys.data(change.path)
    try:
        info = ctx.store.head(key)
    except NotFound:
        return None, False
    if row is None or info.size != row.size:
        return info, False
    return info, info.etag == row.etag or object_sha256(ctx, key, info.etag) == row.sha256


class _Judge:
    """One verdict per path; the commits on record are read once, and only when they matter."""

    def __init__(self, ctx: Context, seen: Observation) -> None:
        self._ctx = ctx
        self._seen = seen
        self._read: intents.Records | None = None

    @property
    def _records(self) -> intents.Records:
        # no cached_property: until Python 3.12 one engine's reading kept all others waiting
        if self._read is None:
            self._read = intents.read_all(self._ctx)
        return self._read

    def verdict(self, change: Change, info: ObjectInfo | None, same: bool) -> Verdict | None:
        """None: somebody's write is in flight."""
        if change.remote is not None:
            return self._of_old_entry(change, info, same)
        if change.local is None:  # deleted on both sides, but for an object that was left behind
            return Verdict.LOCAL_DELETED if same else Verdict.BOTH_DELETED
        if info is None or self.is_tombstoned(change):
            return Verdict.REMOTE_DELETED
        if same:
            return Verdict.CLOBBERED
        return Verdict.LOCAL_REVIVED if is_abandoned(info) else None

    def is_tombstoned(self, change: Change) -> bool:
        """A deletion on record whose object is still there: its deleter did not get that far."""
        tag = self._seen.local.base[change.path].tag
        return tag in self._records.tombstones.get(change.path, ())

    def _of_old_entry(self, change: Change, info: ObjectInfo | None, same: bool) -> Verdict:
        if info is None:
            return self._of_ghost(change)
        if same:
            return _with_our_object(change)
        wanted = change.remote is None or self._records.latest.get(change.path) == change.remote.tag
        if change.verdict is Verdict.REMOTE_MODIFIED and not wanted:
            return Verdict.BOTH_MODIFIED  # nobody meant to go back: the newer one is kept
        return change.verdict

    def _of_ghost(self, change: Change) -> Verdict:
        """An entry of an older version came back, its object is gone."""
        if change.local is None:
            return Verdict.LOCAL_DELETED
        if change.verdict is Verdict.REMOTE_MODIFIED:
            return Verdict.REMOTE_DELETED
        return Verdict.LOCAL_REVIVED


def _with_our_object(change: Change) -> Verdict:
    """The object is our base: only its entry was set back."""
    if change.local is None:
        return Verdict.LOCAL_DELETED
    if change.verdict is Verdict.REMOTE_MODIFIED:
        return Verdict.CLOBBERED
    return Verdict.LOCAL_MODIFIED
