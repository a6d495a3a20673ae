"""The conflicts that were settled since the engine was opened, and the way back from each.

Undoing one makes the path what it was: the version that was put away is back in its place, and
what both sides last agreed on is again what it was, so that the path is in conflict as before.
Every version stays readable through all of it: what leaves a place goes to the trash first.
Nothing is undone blindly: where either side has gone on since, all stays as it is.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from s3dash.core.cancel import CancelToken
from s3dash.core.report import Result
from s3dash.core.settings import Take
from s3dash.engine import operations
from s3dash.engine.context import Context
from s3dash.engine.observe import CLASHES, Observation
from s3dash.errors import CommitConflict, S3DashError, UsageError
from s3dash.local import fsio
from s3dash.local.scan import FileStat, hash_file
from s3dash.local.state import BaseRow
from s3dash.local.trash import Reason, Trashed


class Turn(Protocol):
    """One operation at a time: the engine's."""

    def __call__(
        self, cancel: CancelToken | None, *, writes: bool = False
    ) -> AbstractContextManager[Context]: ...


Push = Callable[[str, CancelToken], Result]
"""Push one path."""

LookAfter = Callable[[Context, tuple[str, ...]], None]
"""Take up how both sides are now; the paths are the marks that stood before."""


class Decision(msgspec.Struct, frozen=True):
    """One conflict as it was. `base` is the row before, `ours` and `theirs` are SHA-256 in hex."""

    path: str
    take: Take
    base: BaseRow | None
    ours: str
    theirs: str


class Decided:
    """Remembers by path the latest decision that was carried out. Any thread may call."""

    def __init__(self, ctx: Context, *, turn: Turn, push: Push, look_after: LookAfter) -> None:
        self._ctx = ctx
        self._turn = turn
        self._push = push
        self._look_after = look_after
        self._known: dict[str, Decision] = {}

    def note(self, seen: Observation, path: str, take: Take, result: Result) -> Result:
        """After a decision was carried out; `seen` is how it was before. The result, as it is."""
        change = next((c for c in seen.changes if c.path == path), None)
        row = self._ctx.state.base_row(path)
        settled = not (result.failed or result.blocked or result.conflicts)
        if settled and change is not None and change.verdict in CLASHES and row is not None:
            ours = change.local.sha256 if change.local else None
            theirs = change.remote.sha256 if change.remote else None
            theirs = theirs or (row.sha256 if take != "local" else None)
            if ours and theirs:
                before = seen.local.base.get(path)
                self._known[path] = Decision(path, take, before, ours, theirs)
        return result

    def undo(self, path: str, *, cancel: CancelToken | None = None) -> str:
        """Take the decision about a path back; a sentence that says what was done.

        Raises UsageError when nothing is known of one, CommitConflict when either side has gone
        on since: then nothing was undone. And what a push raises, for «local».
        """
        token = cancel or CancelToken()
        with self._turn(token, writes=True) as ctx:
            decision = self._known.get(path)
            if decision is None:
                raise UsageError(f"{path}: no decision of this session is known")
            ways = {"remote": self._give_back, "both": self._join, "local": self._take_back}
            seen = operations.observe(ctx)
            with self._looked_after(ctx):
                told = ways[decision.take](ctx, decision, seen)
                self._base_back(ctx, decision)
            del self._known[path]
            ctx.note("info", "undo", told)
            return told

    # --- the three ways back ------------------------------------------------------------

    def _give_back(self, ctx: Context, decision: Decision, seen: Observation) -> str:
        """The bucket's version was fetched: the local one comes back from the trash."""
        path = decision.path
        stat = _must_have(ctx, seen, path, decision.theirs)
        item = _in_trash(ctx, path, decision.ours)
        _ours_back(ctx, ctx.trash.path(item.id), decision, stat)
        ctx.trash.drop(item.id)
        return f"{path}: the local version is back; the bucket's is in the trash and in the bucket"

    def _join(self, ctx: Context, decision: Decision, seen: Observation) -> str:
        """The local version has another name: it gets its own back."""
        path = decision.path
        stat = _must_have(ctx, seen, path, decision.theirs)
        aside = _aside(ctx, seen, decision)
        _ours_back(ctx, ctx.cache.base / aside, decision, stat)
        if aside in seen.remote.entries or aside in seen.local.base:
            return f"{path}: the local version is back; its copy {aside} was pushed, it stays"
        gone = seen.local.scan.files[aside]
        ctx.cache.remove(aside, expected=gone, trash=ctx.trash, sha256=decision.ours)
        return f"{path}: the local version has its name back; the bucket's is in the trash too"

    def _take_back(self, ctx: Context, decision: Decision, seen: Observation) -> str:
        """The local version went up: the bucket gets its own one back, by a push of it."""
        path, entry = decision.path, seen.remote.entries.get(decision.path)
        stat = _must_have(ctx, seen, path, decision.ours)
        if entry is None or entry.sha256 != decision.ours:
            raise CommitConflict(
                f"{path}: the bucket has gone on since; nothing was undone",
                hint="the version that was replaced is in the trash",
            )
        item = _in_trash(ctx, path, decision.theirs)
        stat = _install(ctx, ctx.trash.path(item.id), path, stat, decision.ours)
        try:
            _check(path, self._push(path, ctx.cancel))
        except S3DashError:
            self._ours_again(ctx, decision, stat)
            raise
        ctx.state.forget([path])  # as in `_ours_back`
        self._ours_again(ctx, decision, stat)
        if ctx.trash.record(item.id) is not None:  # the limits may have had it
            ctx.trash.drop(item.id)
        return f"{path}: the bucket has its version back; the local one is here, as it was"

    def _ours_again(self, ctx: Context, decision: Decision, stat: FileStat) -> None:
        item = _in_trash(ctx, decision.path, decision.ours)
        _install(ctx, ctx.trash.path(item.id), decision.path, stat, decision.theirs)
        ctx.trash.drop(item.id)

    # --- what is known --------------------------------------------------------------------

    def _base_back(self, ctx: Context, decision: Decision) -> None:
        """An older agreement is always true; in between there is none, which is safe as well."""
        ctx.state.forget([decision.path])
        if decision.base is not None:
            ctx.state.save_base([decision.base])

    @contextmanager
    def _looked_after(self, ctx: Context) -> Iterator[None]:
        """Whatever came of it: the screen and the peers on this cache are told how it is now.

        The peers must not take the cache for one that has all of the bucket.
        """
        marks = ctx.sidecar.read().dirtyPaths
        try:
            yield
        finally:
            self._look_after(ctx, marks)
            ctx.sidecar.update(
                lambda now: msgspec.structs.replace(now, commitSeq=None, remoteIndexETag="")
            )


def _must_have(ctx: Context, seen: Observation, path: str, sha256: str) -> FileStat:
    """The file as the decision left it. Raises CommitConflict when it is another one now."""
    stat = seen.local.scan.files.get(path)
    if stat is not None and hash_file(ctx.cache.base / path, cancel=ctx.cancel) == (sha256, stat):
        return stat
    raise CommitConflict(
        f"{path} was edited since it was decided; nothing was undone",
        hint="the version that was put away is in the trash",
    )


def _in_trash(ctx: Context, path: str, sha256: str) -> Trashed:
    """The newest that is it. Raises CommitConflict when it was dropped or restored since."""
    found = [item for item in ctx.trash.list() if (item.rel, item.sha256) == (path, sha256)]
    if not found:
        raise CommitConflict(
            f"{path}: the other version is in the trash no more; nothing was undone",
            hint=f"its SHA-256 begins with {sha256[:12]}",
        )
    return found[-1]


def _aside(ctx: Context, seen: Observation, decision: Decision) -> str:
    """Where «both» put the local version. Raises CommitConflict when it is there no more."""
    folder = decision.path.rpartition("/")[0]
    tail = decision.ours[:8]
    for rel in sorted(seen.local.scan.files, reverse=True):
        beside = rel.rpartition("/")[0] == folder and ".conflict-" in rel and rel.endswith(tail)
        if beside and hash_file(ctx.cache.base / rel, cancel=ctx.cancel)[0] == decision.ours:
            return rel
    raise CommitConflict(
        f"{decision.path}: the copy of the local version was moved or edited; nothing was undone"
    )


def _install(ctx: Context, source: Path, path: str, stat: FileStat, sha256: str) -> FileStat:
    """A copy of `source` in the place of the file with this stat and SHA-256; that one goes to
    the trash."""
    with ctx.cache.staging() as temp:
        staged = Path(temp.name)
        with fsio.telling(f"{path} cannot be restored"):
            staged.unlink()
            fsio.copy_new(source, staged)
        return ctx.cache.install(
            staged,
            path,
            expected=stat,
            trash=ctx.trash,
            old_sha256=sha256,
            old_reason=Reason.UNDONE,
        )


def _ours_back(ctx: Context, source: Path, decision: Decision, stat: FileStat) -> None:
    """The local version in its place again, once the base is gone: over the bucket's version as
    base it would be an edit of that one, and a push, or auto-sync, would send it over it."""
    row = ctx.state.base_row(decision.path)
    ctx.state.forget([decision.path])
    try:
        _install(ctx, source, decision.path, stat, decision.theirs)
    except S3DashError:
        if row is not None:
            ctx.state.save_base([row])
        raise


def _check(path: str, result: Result) -> None:
    """Raises CommitConflict when the push did not bring it up."""
    if result.pushed == 1:
        return
    reason = result.failed[0].error if result.failed else "the bucket has gone on since"
    raise CommitConflict(f"{path}: {reason}; nothing was undone")
