"""What an engine does by itself: watch the cache, poll the bucket, sync when told to."""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from s3dash.core.lock import LockInfo
from s3dash.core.plan import Action, Item
from s3dash.core.snapshot import AutoSync, WatchState
from s3dash.engine import locks, operations, view
from s3dash.engine.context import Context
from s3dash.engine.health import Health
from s3dash.engine.jobs import Ticker
from s3dash.errors import Cancelled, S3DashError
from s3dash.local.watch import Watcher

if TYPE_CHECKING:
    from s3dash.engine.engine import Engine

AUTO_DELAY_S = 2.0
SMALL = 1500
"""Entries up to which a listing of the whole prefix takes a page or two."""
FAILURES_MAX_PAUSE_S = 300.0
_DELETES = (Action.DELETE_REMOTE, Action.DELETE_LOCAL)


class Live:
    """Two threads of its own: the watcher's, and one that polls. Idle they do nothing."""

    def __init__(self, ctx: Context, engine: "Engine", seen: view.View, health: Health) -> None:
        self._ctx = ctx
        self._engine = engine
        self._view = seen
        self._health = health
        self._watcher = Watcher(ctx.cache.base, on_paths=self._look_again, clock=ctx.clock)
        self._ticker = Ticker(self._tick, clock=ctx.clock, name="s3dash-poll")
        self._auto = threading.Event()
        self._suspended = ""
        self._failures = 0
        self._next_at = 0.0
        self._running = False

    def start(self) -> None:
        if self._ctx.settings.auto_sync:
            self._auto.set()
        self._running = True
        self._watcher.start()
        self._schedule(0.0)
        self._ticker.seconds = 0.05
        self._ticker.start()

    def stop(self) -> None:
        if self._running:
            self._running = False
            self._ticker.stop()
            self._watcher.stop()

    def poke(self) -> None:
        self._ticker.poke()

    @property
    def watch_state(self) -> WatchState:
        return self._watcher.state if self._running else WatchState()

    @property
    def auto_state(self) -> AutoSync:
        interval = self._ctx.settings.poll_interval_s
        if not self._auto.is_set():
            return AutoSync(False, interval)
        left = max(0.0, self._next_at - self._ctx.clock.monotonic())
        return AutoSync(True, interval, left, self._suspended)

    def set_auto(self, enabled: bool) -> None:
        """Off stops at the next round; on starts one soon."""
        if enabled:
            self._auto.set()
            self._failures = 0
            self.poke()
        else:
            self._auto.clear()
        self._suspended = ""

    # --- rounds -------------------------------------------------------------------------

    def _tick(self) -> None:
        """One look at the bucket and, with auto-sync, one sync of what may go unasked."""
        if not self._engine.busy():
            try:
                self._poll()
                if self._auto.is_set():
                    self._sync()
                self._failures = 0
            except Cancelled:
                return
            except S3DashError as error:
                self._failed(error)
        self._schedule(self._pause_s())

    def _poll(self) -> None:
        with self._engine.looking() as ctx:
            seen = self._health.watch(lambda: operations.observe(ctx))
            if seen is None:
                operations.look_here(ctx, self._view)
            else:
                self._view.take(seen)
                self._view.take_locks(self._health.watch(lambda: self._locks(ctx)))
            self._mark(ctx)

    def _locks(self, ctx: Context) -> list[LockInfo]:
        """All locks where one listing is cheap; else the gates, and the model locks known so far.

        A model lock can only be found by listing everything; a known one is read again.
        """
        index = ctx.reader.latest
        if index is not None and len(index.entries) <= SMALL:
            return locks.list_all(ctx.store)
        known = [info.key for info in self._view.locks if info.scope == "model"]
        return [*locks.list_gates(ctx.store), *locks.read_again(ctx.store, known)]

    def _sync(self) -> None:
        """Never starts a deletion, nor picks a side: those wait for a plan that a user saw."""
        if not (self._view.dirty or self._view.behind) or not self._health.healthy:
            self._suspended = ""
            return
        plan = self._engine.plan("sync", policy="ask")
        held: list[Item] = [*plan.by(*_DELETES), *plan.conflicts]
        allowed = plan.without({item.path for item in held})
        self._suspended = f"{len(held)} deletions or conflicts wait for you" if held else ""
        if allowed.moves:
            self._engine.run(replace(allowed, blocked={}))

    def _failed(self, error: S3DashError) -> None:
        self._failures += 1
        self._suspended = f"{type(error).__name__}: {error.message}"

    def _pause_s(self) -> float:
        pause = self._ctx.settings.poll_interval_s
        return (
            min(FAILURES_MAX_PAUSE_S, pause * 2 ** min(self._failures, 6))
            if self._failures
            else pause
        )

    def _schedule(self, seconds: float) -> None:
        self._next_at = self._ctx.clock.monotonic() + seconds
        self._ticker.seconds = seconds

    # --- the watcher --------------------------------------------------------------------

    def _look_again(self, rels: set[str] | None) -> None:
        """Called by the watcher. While an operation runs it looks for itself at its end."""
        try:
            with self._engine.looking() as ctx:
                operations.look_here(ctx, self._view, rels=rels)
                self._mark(ctx)
        except Cancelled:
            return
        except S3DashError as error:
            self._ctx.note("error", "watch", error.message)
        if self._auto.is_set() and self._view.dirty:
            self._ticker.seconds = AUTO_DELAY_S
            self._next_at = self._ctx.clock.monotonic() + AUTO_DELAY_S

    def _mark(self, ctx: Context) -> None:
        if not self._engine.read_only:
            view.try_mark_dirty(ctx, self._view)
