"""What an engine does by itself: watch the cache, poll the bucket, sync when told to."""

import threading
from typing import TYPE_CHECKING

from s3dash.core.snapshot import BY_CHOICE, AutoSync, WatchState
from s3dash.engine import locks, operations, view
from s3dash.engine.auto import Auto
from s3dash.engine.context import Context
from s3dash.engine.health import Health
from s3dash.engine.jobs import Ticker
from s3dash.engine.observe import Observation
from s3dash.engine.other_owner import OtherOwner
from s3dash.engine.pace import Pace
from s3dash.errors import Cancelled, S3DashError

if TYPE_CHECKING:
    from s3dash.engine.engine import Engine
    from s3dash.local.watch import Watcher

SMALL = 1500
"""Entries up to which a listing of all data takes a page or two."""


class Live:
    """Two threads of its own: the watcher's, and one that polls. Idle they do nothing."""

    def __init__(self, ctx: Context, engine: "Engine", seen: view.View, health: Health) -> None:
        self._ctx = ctx
        self._engine = engine
        self._view = seen
        self._health = health
        self._watcher: Watcher | None = None
        self._ticker = Ticker(self._tick, clock=ctx.clock, name="s3dash-poll")
        self.auto = Auto(ctx, engine, seen, health)
        self._other: OtherOwner | None = None
        self._pace = Pace()
        self._next_at = self._round_at = 0.0
        self._life = threading.Lock()
        self._running = self._over = False

    def start(self) -> None:
        """Nothing happens after `stop`: who opened it may be slower than who ends it."""
        with self._life:
            if self._over:
                return
            if self._ctx.settings.auto_sync:
                self.auto.turn(True)
            from s3dash.local.watch import Watcher  # late: a single command watches nothing

            ctx = self._ctx
            self._watcher = Watcher(ctx.cache.base, on_paths=self._look_again, clock=ctx.clock)
            self._running = True
            self._watcher.start()
            self._schedule(0.0)
            self._ticker.seconds = 0.05
            self._ticker.start()

    def stop(self) -> None:
        with self._life:
            self._over, was_running = True, self._running
            self._running = False
        if was_running:
            self._ticker.stop()
            if self._watcher is not None:
                self._watcher.stop()

    def poke(self) -> None:
        self._ticker.poke()

    def look_now(self) -> None:
        """The user asks: a look soon, and auto-sync goes on if it was cancelled."""
        self.auto.resume()
        self.poke()

    @property
    def watch_state(self) -> WatchState:
        watcher = self._watcher
        return watcher.state if watcher is not None and self._running else WatchState()

    @property
    def next_look_s(self) -> float | None:
        """Seconds until the next look at the bucket; None while nothing looks by itself."""
        return max(0.0, self._next_at - self._ctx.clock.monotonic()) if self._running else None

    @property
    def auto_state(self) -> AutoSync:
        next_in_s = max(0.0, self._next_at - self._ctx.clock.monotonic())
        return self.auto.state(next_in_s, failures=self._pace.failures)

    def set_auto(self, enabled: bool) -> None:
        """Off stops at the next round; on starts one soon."""
        self.auto.turn(enabled)
        if enabled:
            self._pace.went_well()
            self.poke()

    # --- rounds -------------------------------------------------------------------------

    def _tick(self) -> None:
        """One look at the bucket and, with auto-sync, one sync of what may go unasked."""
        if not self._engine.busy():
            try:
                self._follow()
                self._poll()
                if self.auto.enabled:
                    self.auto.sync()
                    self._engine.catalogs.keep_up()
                self._went()
            except Cancelled:
                return
            except S3DashError as error:
                self._failed(error)
        self._schedule(self._pace.pause_s(self._ctx.settings.poll_interval_s))

    def _follow(self) -> None:
        """What another process does that owns the cache."""
        who = self._engine.read_only
        if who and who != BY_CHOICE:
            self._other = self._other or OtherOwner(self._ctx, who)
            self._other.look()

    def _poll(self) -> None:
        with self._engine.looking() as ctx:
            seen = self._health.watch(lambda: self._observe(ctx))
            if seen is None:
                operations.look_here(ctx, self._view)
            else:
                self._health.watch(lambda: self._view.commits.learn(ctx, seen.remote))
                self._look_at_locks(ctx)
            self._mark(ctx)

    def _observe(self, ctx: Context) -> Observation:
        """What was seen is there to be shown before it is said that it was looked at."""
        seen = operations.observe(ctx)
        self._view.take(seen)
        return seen

    def _look_at_locks(self, ctx: Context) -> None:
        """The models' locks are listed where that takes a page or two; else see `locks.near`."""
        index, seen = ctx.reader.latest, self._view
        lists = index is not None and len(index.entries) <= SMALL
        dirty = [row.path for row in seen.dirty]
        found = self._health.watch(
            lambda: locks.look_around(
                ctx.store, ctx.keys, known=seen.locks, rels=dirty, lists=lists
            )
        )
        seen.take_locks(found, all_models=lists)

    def _went(self) -> None:
        """A round without an error of its own; what the endpoint answered, `Health` knows."""
        if not self._health.healthy:
            self._pace.went_wrong(None)
        elif self.auto.enabled and self.auto.kept_out:
            self._pace.waits_for_others()
        else:
            self._pace.went_well()

    def _failed(self, error: S3DashError) -> None:
        self._pace.went_wrong(error)
        self.auto.suspended = f"{type(error).__name__}: {error.message}"

    def _schedule(self, seconds: float) -> None:
        self._next_at = self._round_at = self._ctx.clock.monotonic() + seconds
        self._ticker.seconds = seconds

    def _hasten(self, due_s: float) -> None:
        """A change of the cache waits for no round that comes later than this."""
        at = self._ctx.clock.monotonic() + due_s
        if at < self._round_at:
            self._next_at = at
            self._ticker.after(due_s)

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
        due = self.auto.noticed(rels)
        if due is not None:
            self._hasten(due)

    def _mark(self, ctx: Context) -> None:
        if not self._engine.read_only:
            view.try_mark_dirty(ctx, self._view)
