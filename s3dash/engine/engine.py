"""The facade: what the command line and the screen call. See `api` for the contract."""

import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Unpack

from s3dash.core import paths
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Level
from s3dash.core.lock import LockInfo, place
from s3dash.core.plan import WAYS, Direction, Plan
from s3dash.core.report import ConflictInfo, Result, Status, TrashItem
from s3dash.core.settings import ConflictPolicy, Datastore, Take
from s3dash.core.snapshot import BY_CHOICE, HistoryRow, Snapshot
from s3dash.engine import locks, neighbours, operations, resolve, status, trash, view
from s3dash.engine.api import How
from s3dash.engine.bus import Mailbox
from s3dash.engine.census import Census
from s3dash.engine.contents import Contents
from s3dash.engine.context import Context
from s3dash.engine.decided import Decided
from s3dash.engine.endpoint import Endpoint
from s3dash.engine.handover import Handover
from s3dash.engine.health import Health
from s3dash.engine.lease import delete_if_nonce
from s3dash.engine.live import Live
from s3dash.engine.observe import Observation
from s3dash.engine.recover import Leftovers, leftovers
from s3dash.engine.transfers import Transfers
from s3dash.errors import (
    AccessDenied,
    CacheBusy,
    Cancelled,
    ReadOnly,
    S3DashError,
    StoreError,
    UsageError,
)
from s3dash.local.state import OwnerLock
from s3dash.objectstore.port import Capabilities

ASSUMED = Capabilities(create=True, replace=True, delete=True)
"""For releasing a lock by hand: a condition that is ignored does no harm there."""


class Engine:
    """One datastore and one namespace, from one cache. One operation runs at a time."""

    def __init__(self, ctx: Context, owner: OwnerLock, *, read_only: str = "") -> None:
        self._ctx = ctx
        self._owner = owner
        self._read_only = read_only
        self._turn = threading.RLock()
        self._view = view.View(ctx)
        self._health = Health(ctx)
        self._running: CancelToken | None = None
        self._stopped = threading.Event()
        self._live = Live(ctx, self, self._view, self._health)
        self.auto = self._live.auto
        self.excludes = ctx.excludes
        self.excludes.changed = self._live.poke
        self.handover = Handover(ctx, self, owner)
        self.census = Census(ctx, self._view)
        self.endpoint = Endpoint(ctx, self._health, busy=self._may_send, turn=self.looking)
        self.contents = Contents(ctx)
        self.decided = Decided(
            ctx,
            turn=self._taking_turn,
            push=lambda path, token: self.push((path,), policy="ask", cancel=token),
            look_after=self._look_after,
        )
        self.transfers = Transfers(
            ctx,
            self._health,
            plan=lambda direction, paths: self.plan(direction, selection=paths),
            run=lambda plan, cancel: self.run(plan, cancel=cancel),
        )
        ctx.patience.begin(ctx.cancel)
        ctx.stage.enter("idle")

    @property
    def settings(self) -> Datastore:
        return self.excludes.settings

    @property
    def read_only(self) -> str:
        """Who owns the cache, BY_CHOICE, or empty when we do."""
        return self._read_only

    # --- life ---------------------------------------------------------------------------

    def start(self) -> None:
        self._live.start()

    def stop(self) -> None:
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._ctx.cancel.cancel()
        running = self._running
        if running is not None:
            running.cancel()
        self._live.stop()
        self.endpoint.close()
        with self._turn, ExitStack() as closing:
            closing.callback(self._ctx.store.close)
            closing.callback(self._owner.release)
            closing.callback(self._ctx.state.close)
            self._save()
            self._ctx.stage.enter("stopped")

    # --- looking ------------------------------------------------------------------------

    def status(self) -> Status:
        with self._taking_turn(None) as ctx:
            seen = self._health.watch(lambda: operations.observe(ctx))
            if seen is None:
                operations.look_here(ctx, self._view)
            else:
                self._view.take(seen)
                self._view.take_locks(self._health.watch(lambda: locks.list_gates(ctx.store)))
            if not self._read_only:
                view.try_mark_dirty(ctx, self._view)
            return status.describe(ctx, self._view, self._health, seen)

    def refresh(self) -> None:
        self._live.look_now()

    def plan(
        self,
        direction: Direction,
        *,
        selection: Collection[str] = (),
        policy: ConflictPolicy | None = None,
    ) -> Plan:
        with self._taking_turn(None) as ctx:
            return self._plan(ctx, direction, selection, policy)[0]

    def _plan(
        self,
        ctx: Context,
        direction: Direction,
        selection: Collection[str],
        policy: ConflictPolicy | None,
        *,
        tidy: bool = False,
    ) -> tuple[Plan, Observation, Leftovers]:
        seen = operations.observe(ctx)
        left = leftovers(ctx, seen, tidy=tidy) if direction != "pull" else Leftovers()
        self._view.take(seen)
        plan = operations.plan_for(ctx, seen, direction, selection=selection, policy=policy)
        return plan, seen, left

    # --- moving -------------------------------------------------------------------------

    def run(
        self, plan: Plan, *, cancel: CancelToken | None = None, max_delete: int | None = None
    ) -> Result:
        with self._taking_turn(cancel, writes=True) as ctx, status.measured(ctx) as timed:
            try:
                _, seen, left = self._plan(ctx, plan.direction, (), None, tidy=True)
                valid, moved = operations.still_valid(plan, seen)
                valid = operations.left_out(valid, moved)
                self.auto.agreed(valid)
                result = timed(self._execute(ctx, valid, seen, left, max_delete))
            except Cancelled:
                self.auto.broken_off()
                raise
            self.auto.carried_out(valid, result)
            return result

    def push(self, selection: Collection[str] = (), **how: Unpack[How]) -> Result:
        return self._operate("push", selection, **how)

    def pull(self, selection: Collection[str] = (), **how: Unpack[How]) -> Result:
        return self._operate("pull", selection, **how)

    def sync(self, selection: Collection[str] = (), **how: Unpack[How]) -> Result:
        return self._operate("sync", selection, **how)

    def _operate(
        self,
        direction: Direction,
        selection: Collection[str],
        *,
        policy: ConflictPolicy | None = None,
        max_delete: int | None = None,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Result:
        turn = self._taking_turn(cancel, writes=not dry_run)
        with turn as ctx, status.measured(ctx) as timed:
            plan, seen, left = self._plan(ctx, direction, selection, policy, tidy=not dry_run)
            if dry_run:
                return timed(operations.dry(plan))
            return timed(self._execute(ctx, plan, seen, left, max_delete))

    def _execute(
        self,
        ctx: Context,
        plan: Plan,
        seen: Observation,
        left: Leftovers,
        max_delete: int | None,
    ) -> Result:
        view.mark_dirty(ctx, self._view)
        marks = ctx.sidecar.read().dirtyPaths
        try:
            result = operations.execute(ctx, plan, seen, max_delete=max_delete, left=left)
        except S3DashError as error:
            level: Level = "info" if isinstance(error, Cancelled) else "error"
            ctx.note(level, plan.direction, error.message)
            raise
        finally:
            self._look_after(ctx, marks)
        trash.keep_within_limits(ctx, self._view.local)
        ctx.note("info", plan.direction, status.sentence(result))
        self._health.answered()
        self._health.finished(plan.direction)
        return result

    def _look_after(self, ctx: Context, marks: tuple[str, ...]) -> None:
        """What is true now: for the screen, for the peers on this cache, for the next start."""
        calm = replace(ctx, cancel=CancelToken())
        index = ctx.reader.latest
        if index is None:
            return
        after = operations.observe_known(calm, index)
        self._view.take(after)
        view.settle(calm, self._view, after, marks=marks)
        calm.save_docs()

    @contextmanager
    def _taking_turn(
        self, cancel: CancelToken | None, *, writes: bool = False
    ) -> Iterator[Context]:
        """One operation at a time, stoppable by its token or by `stop`."""
        if writes and self._read_only == BY_CHOICE:
            raise ReadOnly("this datastore was opened to look only; nothing was written")
        if writes and self._read_only:
            raise CacheBusy(
                f"this cache belongs to another s3dash ({self._read_only}); this one only reads",
                hint="use that one, or stop it first",
            )
        with self._turn:
            if self._stopped.is_set():
                raise Cancelled("the engine was stopped")
            token = cancel or CancelToken()
            self._running = token
            self._ctx.patience.begin(token)
            try:
                yield self._ctx.with_cancel(token)
            except StoreError as error:
                if error.retryable or isinstance(error, AccessDenied):
                    self._health.failed(error)
                raise
            finally:
                self._running = None
                self._ctx.patience.cancel = self._ctx.cancel
                self._ctx.stage.enter("idle")

    @contextmanager
    def looking(self) -> Iterator[Context]:
        """A turn for the background: waits for a running operation, cancels with `stop`."""
        with self._turn:
            self._ctx.cancel.check()
            yield self._ctx

    def _save(self) -> None:
        if not self._read_only:
            self._ctx.save_docs()

    # --- conflicts and trash ------------------------------------------------------------

    def conflicts(self) -> list[ConflictInfo]:
        with self._taking_turn(None) as ctx:
            self._view.take(operations.observe(ctx))
            return list(self._view.conflicts)

    def resolve(
        self,
        path: str,
        *,
        take: Take,
        shown: ConflictInfo | None = None,
        cancel: CancelToken | None = None,
    ) -> Result:
        direction, policy = WAYS[take]
        with self._taking_turn(cancel, writes=True) as ctx, status.measured(ctx) as timed:
            plan, seen, left = self._plan(ctx, direction, (path,), policy, tidy=True)
            chosen = resolve.chosen(ctx, plan, path, take=take, shown=shown)
            result = timed(self._execute(ctx, chosen, seen, left, None))
            return self.decided.note(seen, path, take, result)

    def trash(self) -> list[TrashItem]:
        return trash.listing(self._ctx)

    def restore_trash(self, id: str, *, to: str | None = None) -> str:
        with self._taking_turn(None, writes=True) as ctx:
            rel = trash.restore(ctx, id, to=to)
            operations.look_here(ctx, self._view, rels={rel})
            view.try_mark_dirty(ctx, self._view)
            return rel

    def drop_trash(self, id: str) -> TrashItem:
        with self._taking_turn(None, writes=True) as ctx:
            return trash.drop(ctx, id)

    # --- locks, namespaces, history -----------------------------------------------------

    def locks(self) -> list[LockInfo]:
        found = locks.list_all(self._ctx.store)
        self._view.take_locks(found)
        return found

    def release_lock(self, key: str, nonce: str) -> None:
        if place(key) is None:
            raise UsageError(f"{key} is no lock", hint="`s3dash locks` lists them")
        delete_if_nonce(self._ctx.store, key, nonce, ASSUMED)
        self._ctx.note("warning", "locks", f"released {key} by force")
        self._live.poke()

    def namespaces(self) -> list[str]:
        names = [n for n in self._ctx.store.list_dirs("") if paths.is_namespace(n)]
        return sorted(neighbours.registered(self._ctx, names))

    def history(self, limit: int = 1000) -> list[HistoryRow]:
        return self._ctx.state.history(limit)

    # --- for the screen -----------------------------------------------------------------

    def set_auto(self, enabled: bool) -> None:
        self._live.set_auto(enabled)

    def busy(self) -> bool:
        return self._running is not None

    def _may_send(self) -> bool:
        """Whether an operation on this cache may be under way, be it another process'."""
        return self.busy() or bool(self._read_only)

    def snapshot(self) -> Snapshot:
        return status.snapshot(
            self._ctx,
            self._view,
            self._health,
            self._live,
            endpoint=self.endpoint.facts,
            tenants=self.census.seen,
            read_only=self._read_only,
        )

    def subscribe(self, *, capacity: int = 1024) -> Mailbox:
        return self._ctx.bus.subscribe(capacity=capacity)
