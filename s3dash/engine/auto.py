"""Auto-sync: what it may do unasked, what it waits for, and how it is stopped.

It picks no side of a conflict. It starts no deletion but one that a plan of this session showed
and the user let run, as can be left over when that run failed or was cancelled; or, where nobody is
there to be shown a plan, those that were allowed beforehand, within the bounds of the guard.
"""

import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

from s3dash.core.cancel import CancelToken
from s3dash.core.debounce import Debounce
from s3dash.core.guard import deletions_of
from s3dash.core.lock import LockInfo
from s3dash.core.paths import covers
from s3dash.core.plan import Action, Change, Item, Plan
from s3dash.core.report import Result
from s3dash.core.snapshot import AutoSync, why_read_only
from s3dash.core.text import count
from s3dash.engine.context import Context
from s3dash.engine.health import Health
from s3dash.engine.pace import Lockout
from s3dash.engine.view import View
from s3dash.errors import Cancelled, LockHeld

if TYPE_CHECKING:
    from s3dash.engine.engine import Engine

QUIET_S, LONGEST_S = 2.0, 10.0
"""A sync starts so long after the last change, and at the longest so long after the first."""
CANCELLED = "cancelled: waits for the next change, or r"
_DELETES = (Action.DELETE_REMOTE, Action.DELETE_LOCAL)
_UP = (Action.UPLOAD, Action.DELETE_REMOTE, Action.RESTORE)


class Auto:
    """Asked by the thread that polls; told by the watcher's, and by those of callers."""

    def __init__(self, ctx: Context, engine: "Engine", seen: View, health: Health) -> None:
        self._ctx = ctx
        self._engine = engine
        self._view = seen
        self._health = health
        self._agreed: dict[str, Change] = {}
        self._agreeing = threading.Lock()
        self._burst = self._new_burst()
        self._running: tuple[CancelToken, float] | None = None
        self._halted_at: tuple[object, ...] | None = None
        self._halted_with: dict[str, object] = {}
        self._lockout = Lockout()
        self._unasked: int | None = 0
        self.enabled = False
        self.suspended = ""
        self.kept_out = ""
        self.deletions = 0

    def turn(self, enabled: bool) -> None:
        self.enabled = enabled
        self.resume()

    def allow_deletions(self, *, up_to: int | None = None) -> None:
        """Deletions may go unasked: as many as the guard lets pass, or at most `up_to` a sync."""
        self._unasked = up_to

    def state(self, next_in_s: float | None, *, failures: int = 0) -> AutoSync:
        running = self._running
        since = None if running is None else self._ctx.clock.monotonic() - running[1]
        return AutoSync(
            enabled=self.enabled,
            interval_s=self._ctx.settings.poll_interval_s,
            next_in_s=next_in_s if self.enabled else None,
            suspended=self.suspended if self.enabled else "",
            quiet_s=QUIET_S,
            longest_s=LONGEST_S,
            running_s=since,
            failures=failures,
            deletions=self.deletions if self.enabled else 0,
        )

    # --- what the user agreed to --------------------------------------------------------

    def agreed(self, plan: Plan, *, max_delete: int | None = None) -> None:
        """A plan that was shown is carried out: what it deletes may be deleted. Not so one that
        the guard refuses: its deletions were not agreed to, or not knowing how many they are."""
        if deletions_of(plan).trips(known=plan.known, max_delete=max_delete):
            return
        if self._running is None:
            self.resume()
        let = {item.path: item.change for item in plan.by(*_DELETES)}
        with self._agreeing:
            self._agreed = {**self._agreed, **let}

    def carried_out(self, plan: Plan, result: Result) -> None:
        """Nothing of it is left to be done. A later deletion of the same path is another one.

        What the user cancelled of it is not started again unasked.
        """
        if result.cancelled and self.enabled:
            self._halt()
        if not result.failed:
            self.withhold([item.path for item in plan.items])

    def broken_off(self) -> None:
        """The user cancelled a plan that was carried out: no round starts its rest unasked."""
        if self.enabled and self._running is None and not self._ctx.cancel.cancelled:
            self._halt()

    def withhold(self, paths: Collection[str]) -> None:
        """The user was shown these deletions and left them out."""
        gone = frozenset(paths)
        with self._agreeing:
            self._agreed = {rel: c for rel, c in self._agreed.items() if rel not in gone}

    # --- stopping -----------------------------------------------------------------------

    def cancel(self) -> bool:
        """Stop the sync that runs now, if one does; the next one waits for a change or a key."""
        running = self._running
        if running is not None:
            running[0].cancel()
        return running is not None

    def resume(self) -> None:
        """The user wants it to go on."""
        self._halted_at = None
        self.suspended = ""

    def _halt(self) -> None:
        self._halted_at, self._halted_with = self._bucket(), self._cache()
        self.suspended = CANCELLED
        self._ctx.note("info", "auto-sync", CANCELLED)

    def _bucket(self) -> tuple[object, ...]:
        return self._view.index, self._view.behind

    def _cache(self) -> dict[str, object]:
        """The dirty paths, each with what its file was at the last look."""
        local = self._view.local
        files = {} if local is None else local.scan.files
        return {row.path: files.get(row.path) for row in self._view.dirty}

    # --- when ---------------------------------------------------------------------------

    def noticed(self, rels: set[str] | None) -> float | None:
        """Something changed in the cache: in how many seconds a sync is due, None: not for that.

        What the engine wrote itself is not dirty, and so no change.
        """
        dirty = [row.path for row in self._view.dirty]
        told = None if rels is None else frozenset(rels)
        fresh = bool(dirty) if told is None else any(covers(told, rel) for rel in dirty)
        if not (self.enabled and fresh and self._health.healthy):
            return None
        if self._halted_at is not None:
            if self._cache() == self._halted_with:  # news of what was there already
                return None
            self.resume()
        now = self._ctx.clock.monotonic()
        self._burst.add("", now)
        return self._burst.due_in(now)

    @staticmethod
    def _new_burst() -> Debounce:
        return Debounce(QUIET_S, LONGEST_S)

    # --- a round ------------------------------------------------------------------------

    def sync(self) -> None:
        """Do what may go unasked, and say what may not. Raises what `Engine.run` raises."""
        self._burst = self._new_burst()
        self.kept_out = ""
        if self._halted_at is not None:
            if self._bucket() == self._halted_at:
                return
            self.resume()
        if self._engine.read_only:
            self.suspended = f"read-only: {why_read_only(self._engine.read_only)}"
            return
        if not (self._view.dirty or self._view.behind) or not self._health.healthy:
            self.suspended = ""
            self.deletions = 0
            return
        self._carry_out(self._engine.plan("sync", policy="ask"))

    def _carry_out(self, plan: Plan) -> None:
        held = self._held(plan)
        allowed = plan.without({item.path for item in held})
        self.kept_out = self._lockout.keeper(self._gate()) if allowed.by(*_UP) else ""
        if self.kept_out:
            allowed = allowed.without({item.path for item in allowed.by(*_UP)})
        self.deletions = len(held) - len(plan.conflicts)
        self.suspended = _sentence(self.deletions, len(plan.conflicts), self.kept_out)
        if allowed.moves:
            self._run(allowed)

    def _held(self, plan: Plan) -> list[Item]:
        """What must be asked: conflicts, and deletions that were not agreed to as they are."""
        asked = [i for i in plan.by(*_DELETES) if self._agreed.get(i.path) != i.change]
        if asked and self._unasked != 0:
            guarded = deletions_of(plan.without({i.path for i in plan.conflicts}))
            if not guarded.trips(known=plan.known, max_delete=self._unasked):
                asked = []
        return [*plan.conflicts, *asked]

    def _gate(self) -> LockInfo | None:
        """The lock that a push of ours needs, as it was seen last."""
        key = self._ctx.keys.lock
        return next((info for info in self._view.locks if info.key == key), None)

    def _run(self, plan: Plan) -> None:
        token = CancelToken()
        deletes = len(plan.by(*_DELETES))
        self._running = (token, self._ctx.clock.monotonic())
        try:
            self._engine.run(plan, cancel=token, max_delete=deletes or None)
        except LockHeld:
            self._lockout.refused()
            raise
        except Cancelled:
            if not token.cancelled or self._ctx.cancel.cancelled:
                raise
            self._halt()
        finally:
            self._running = None


def _sentence(deletions: int, conflicts: int, keeper: str) -> str:
    """Why not all is done; empty when it is."""
    parts = [
        count(deletions, "deletion") if deletions else "",
        count(conflicts, "conflict") if conflicts else "",
    ]
    waiting = " and ".join(part for part in parts if part)
    verb = "waits" if deletions + conflicts == 1 else "wait"
    told = [f"{waiting} {verb} for you"] if waiting else []
    if keeper:
        told.append(f"the push waits for the lock that {keeper} holds")
    return "; ".join(told)
