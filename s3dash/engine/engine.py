"""The facade: what the command line and the screen call. See `api` for the contract."""

import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Unpack

from s3dash.core import paths
from s3dash.core.cancel import CancelToken, following
from s3dash.core.events import Level
from s3dash.core.hydration import Hydration
from s3dash.core.lock import LockInfo, place
from s3dash.core.plan import WAYS, Direction, Plan
from s3dash.core.report import ConflictInfo, Result, Status, TrashItem
from s3dash.core.settings import ConflictPolicy, Datastore, Take
from s3dash.core.snapshot import HistoryRow, Snapshot
from s3dash.engine import (
    hydration,
    locks,
    model,
    neighbours,
    operations,
    resolve,
    status,
    trash,
    trust,
    view,
)
from s3dash.engine.api import How
from s3dash.engine.bus import Mailbox
from s3dash.engine.catalog_export import keep_up
from s3dash.engine.catalogs import CatalogsOf
from s3dash.engine.census import Census
from s3dash.engine.contents import Contents
from s3dash.engine.context import Context
from s3dash.engine.control import Control
from s3dash.engine.decided import Decided
from s3dash.engine.endpoint import Endpoint
from s3dash.engine.fleet import Fleet
from s3dash.engine.foreign import ForeignObjects
from s3dash.engine.handover import Handover
from s3dash.engine.health import Health
from s3dash.engine.index_care.care import IndexCare
from s3dash.engine.lease import delete_if_nonce
from s3dash.engine.live import Live
from s3dash.engine.migration import Migration
from s3dash.engine.observe import Observation
from s3dash.engine.other_owner import need_writable
from s3dash.engine.recover import Leftovers, leftovers
from s3dash.engine.registry import Registry
from s3dash.engine.transfers import Transfers
from s3dash.errors import (
    AccessDenied,
    Cancelled,
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
        self.migration = Migration(ctx, turn=self._taking_turn)
        self.foreign = ForeignObjects(ctx, turn=self._taking_turn)
        self.registry = Registry(ctx, self._view, turn=self._taking_turn, told=self.census.stand)
        self.catalogs = CatalogsOf(ctx, self._view, turn=self._taking_turn, keep=not read_only)
        self.endpoint = Endpoint(ctx, self._health, busy=self._may_send, turn=self.looking)
        self.contents = Contents(ctx)
        self.control = Control(ctx, turn=self._taking_turn)
        self.fleet = Fleet(ctx, self._view)
        self.index_care = IndexCare(turn=self._taking_turn, changed=self._live.poke)
        self.hydration = hydration.Hydrating(self._view, self.pull)
        self.decided = Decided(
            ctx,
            turn=self._taking_turn,
            push=lambda path, token: self.push((path,), policy="ask", cancel=token),
            look_after=lambda turn, marks: operations.look_after(turn, self._view, marks),
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
        models: Collection[str] = (),
        hydration: Hydration | None = None,
    ) -> Plan:
        with self._taking_turn(None) as ctx:
            return self._plan(ctx, direction, selection, policy, models, hydration)[0]

    def _plan(
        self,
        ctx: Context,
        direction: Direction,
        selection: Collection[str],
        policy: ConflictPolicy | None,
        models: Collection[str] = (),
        hydration: Hydration | None = None,
        *,
        tidy: bool = False,
    ) -> tuple[Plan, Observation, Leftovers]:
        seen = operations.observe(ctx, lazy=hydration == "lazy")
        left = leftovers(ctx, seen, tidy=tidy) if direction != "pull" else Leftovers()
        self._view.take(seen)
        plan = operations.plan_for(
            ctx,
            seen,
            direction,
            selection=selection,
            policy=policy,
            models=models,
            wanted=hydration,
        )
        return plan, seen, left

    # --- moving -------------------------------------------------------------------------

    def run(
        self, plan: Plan, *, cancel: CancelToken | None = None, max_delete: int | None = None
    ) -> Result:
        turn = self._taking_turn(cancel, writes=True)
        with turn as ctx, status.measured(ctx, plan.direction) as timed:
            try:
                with model.held(ctx, plan) as kept:
                    again = plan.direction, (), None, (), plan.hydration
                    _, seen, left = self._plan(kept, *again, tidy=True)
                    valid, moved = operations.still_valid(plan, seen)
                    valid = operations.left_out(valid, moved)
                    self.auto.agreed(valid, max_delete=max_delete)
                    result = timed(self._execute(kept, valid, seen, left, max_delete))
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
        models: Collection[str] = (),
        hydration: Hydration | None = None,
    ) -> Result:
        turn = self._taking_turn(cancel, writes=not dry_run)
        with turn as ctx, status.measured(ctx, direction, tell=not dry_run) as timed:
            wanted = direction, selection, policy, models, hydration
            if dry_run:
                return timed(operations.dry(self._plan(ctx, *wanted)[0]))
            with operations.ahead(ctx, direction) as proof:
                plan, seen, left = self._plan(ctx, *wanted, tidy=True)
                with model.held(ctx, plan, proof) as kept:
                    if kept is not ctx:  # whoever had the lock may have changed something
                        plan, seen, left = self._plan(kept, *wanted, tidy=True)
                    return timed(self._execute(kept, plan, seen, left, max_delete, proof))

    def _execute(
        self,
        ctx: Context,
        plan: Plan,
        seen: Observation,
        left: Leftovers,
        max_delete: int | None,
        proof: trust.Proof | None = None,
    ) -> Result:
        view.mark_dirty(ctx, self._view)
        marks = ctx.sidecar.read().dirtyPaths
        idle = operations.has_nothing_to_do(plan, seen, left, marks)
        try:
            result = operations.execute(
                ctx, plan, seen, max_delete=max_delete, left=left, proof=proof
            )
        except S3DashError as error:
            level: Level = "info" if isinstance(error, Cancelled) else "error"
            ctx.note(level, plan.direction, error.message)
            raise
        finally:
            unchanged = seen if idle else None
            operations.look_after(ctx, self._view, marks, plan.hydration, unchanged=unchanged)
        if plan.direction != "pull":
            keep_up(ctx)
        trash.keep_within_limits(ctx, self._view.local)
        ctx.note("info", plan.name, status.sentence(result))
        self._health.answered()
        self._health.finished(plan.direction)
        return result

    @contextmanager
    def _taking_turn(
        self, cancel: CancelToken | None, *, writes: bool = False
    ) -> Iterator[Context]:
        """One operation at a time, stoppable by its token or by `stop`."""
        if writes:
            need_writable(self._read_only)
        with self._turn, following(cancel) as token:
            before, self._running = self._running, token  # first: `stop` cancels what it finds
            try:
                if self._stopped.is_set():
                    raise Cancelled("the engine was stopped")
                self._ctx.patience.begin(token)
                yield self._ctx.with_cancel(token)
            except StoreError as error:
                if error.retryable or isinstance(error, AccessDenied):
                    self._health.failed(error)
                raise
            finally:
                self._running = before
                self._ctx.patience.cancel = before or self._ctx.cancel
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
        turn = self._taking_turn(cancel, writes=True)
        with turn as ctx, status.measured(ctx, direction) as timed:
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
        self._view.take_locks(found, all_models=True)
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
