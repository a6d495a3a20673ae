"""Observe, plan, carry out: the parts put together, one operation at a time."""

from collections.abc import Collection
from dataclasses import replace

from s3dash.core.guard import check_guard
from s3dash.core.plan import (
    Action,
    Direction,
    Item,
    Plan,
    conflict_of,
    make_plan,
)
from s3dash.core.report import Blocked, PlanRow, Result
from s3dash.core.settings import ConflictPolicy
from s3dash.engine import heal, neighbours, origin, pull, push, trust, twins, uploads
from s3dash.engine.context import Context
from s3dash.engine.observe import (
    Observation,
    compare,
    hash_where_needed,
    local_changes,
    look_again,
    look_local,
    recognise,
)
from s3dash.engine.recover import Leftovers, leave_out_own, take_up_own
from s3dash.engine.remote import RemoteIndex
from s3dash.engine.view import View

_DOWN = (Action.DOWNLOAD, Action.DELETE_LOCAL, Action.KEEP_BOTH, Action.ADOPT, Action.FORGET)
_UP = (Action.UPLOAD, Action.DELETE_REMOTE, Action.RESTORE)


def observe(ctx: Context) -> Observation:
    """Both sides as they are now."""
    with ctx.stage.during("scanning"):
        local = look_local(ctx)
    with ctx.stage.during("comparing"):
        index = ctx.reader.load()
        recognise(index, local.base)
        index = leave_out_own(ctx, index, local)
        take_up_own(ctx, index, local)
        neighbours.keep_out(ctx, local.scan.files, index)
        twins.keep_apart(ctx, local.scan.files, index)
        hash_where_needed(ctx, local, index.entries)
        seen = compare(ctx, local, index, lazy=is_lazy(ctx))
        heal.confirm(ctx, seen)
    return seen


def observe_known(ctx: Context, index: RemoteIndex) -> Observation:
    """The cache as it is now, against the index as it was last read: asks the bucket nothing."""
    local = look_local(ctx)
    index = leave_out_own(ctx, index, local, ask=False)
    take_up_own(ctx, index, local)
    hash_where_needed(ctx, local, index.entries)
    return compare(ctx, local, index, lazy=is_lazy(ctx))


def look_here(ctx: Context, view: View, *, rels: set[str] | None = None) -> None:
    """The cache alone; `rels` None looks at all of it, else only there."""
    before = view.local
    local = look_local(ctx) if rels is None or before is None else look_again(ctx, before, rels)
    index = ctx.reader.latest
    hash_where_needed(ctx, local, index.entries if index else {})
    if index is None:
        view.take_local(local, local_changes(local, lazy=is_lazy(ctx)), lazy=is_lazy(ctx))
    else:
        view.take(compare(ctx, local, index, lazy=is_lazy(ctx)))


def is_lazy(ctx: Context) -> bool:
    return ctx.settings.hydration == "lazy" or ctx.sidecar.read().lazyPullActive


def plan_for(
    ctx: Context,
    seen: Observation,
    direction: Direction,
    *,
    selection: Collection[str],
    policy: ConflictPolicy | None,
) -> Plan:
    return make_plan(
        seen.changes,
        direction=direction,
        policy=policy or ctx.settings.conflict,
        selection=frozenset(s.strip("/") for s in selection),
        blocked=dict(seen.blocked),
        unchanged=seen.unchanged,
        known=seen.unchanged + len(seen.changes),
    )


def still_valid(plan: Plan, fresh: Observation) -> tuple[Plan, list[Item]]:
    """The plan less what moved since it was made, and the items that did."""
    now = {change.path: change for change in fresh.changes}
    moved = [item for item in plan.items if now.get(item.path) != item.change]
    return plan.without({item.path for item in moved}), moved


def execute(
    ctx: Context, plan: Plan, seen: Observation, *, max_delete: int | None, left: Leftovers
) -> Result:
    """Carry a plan out: downwards first, then up. Raises before anything was done, or tells.

    Raises GuardTripped, UnsafeEndpoint, LockHeld, LockLost, Cancelled and what the store raises.
    """
    check_guard(plan, max_delete=max_delete)
    ups = bool(plan.by(*_UP)) or _publishes(plan, seen) or left.unfinished
    can = trust.capabilities(ctx) if ups and plan.direction != "pull" else None
    result = report_of(plan)
    if plan.direction != "pull":
        uploads.tidy(ctx, seen)
    ctx.accounting.begin()
    ctx.traffic.begin()
    if plan.by(*_DOWN):
        with ctx.stage.during("pulling"):
            ctx.cache.check()
            origin.remember(ctx)
            pull.run(ctx, plan, seen, result)
    if can is not None:
        with ctx.stage.during("pushing"):
            push.run(ctx, plan, seen, result, can=can, leftovers=left)
            uploads.look_for_abandoned(ctx, plan.by(Action.UPLOAD))
    return result


def _publishes(plan: Plan, seen: Observation) -> bool:
    """A datastore whose index is lost, or lists what is not so, gets it back with a push."""
    return plan.direction != "pull" and seen.remote.is_broken


def report_of(plan: Plan) -> Result:
    """What is known before anything moves."""
    return Result(
        action=plan.direction,
        unchanged=plan.unchanged,
        conflicts=[conflict_of(item.change) for item in plan.conflicts],
        blocked=[Blocked(path, reason) for path, reason in sorted(plan.blocked.items())],
    )


def dry(plan: Plan) -> Result:
    result = report_of(plan)
    result.plan = [PlanRow(i.path, i.action.value, i.reason, i.size) for i in plan.items]
    return result


def left_out(plan: Plan, moved: list[Item]) -> Plan:
    """Tell the moved paths as blocked: they were not touched."""
    why = {item.path: "changed since the plan was shown; not touched" for item in moved}
    return replace(plan, blocked={**plan.blocked, **why})
