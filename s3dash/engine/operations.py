"""Observe, plan, carry out: the parts put together, one operation at a time."""

import os
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from msgspec.structs import replace

from s3dash import tracing
from s3dash.core.cancel import CancelToken
from s3dash.core.guard import check_guard
from s3dash.core.hydration import Hydration
from s3dash.core.models import selected
from s3dash.core.paths import unmatched
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
from s3dash.engine import (
    at_home,
    heal,
    hydration,
    moved,
    neighbours,
    origin,
    pull,
    push,
    trust,
    twins,
    uploads,
    view,
)
from s3dash.engine.beside import beside
from s3dash.engine.context import Context
from s3dash.engine.growing import growing
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
from s3dash.objectstore.port import Capabilities

_DOWN = (Action.DOWNLOAD, Action.DELETE_LOCAL, Action.KEEP_BOTH, Action.ADOPT, Action.FORGET)
_UP = (Action.UPLOAD, Action.DELETE_REMOTE, Action.RESTORE)


@contextmanager
def ahead(ctx: Context, direction: Direction) -> Iterator[trust.Proof]:
    """What will be asked of the bucket whatever both sides look like, while they are looked at:
    the first time only, as the answers are kept. Yields what is known of the endpoint."""
    takes = direction != "push" and not origin.is_known(ctx)
    early = beside(ctx, partial(origin.remember, ctx)) if takes else nullcontext()
    with trust.proof(ctx, soon=direction != "pull") as proof, early:
        yield proof


def observe(ctx: Context, *, lazy: bool = False) -> Observation:
    """Both sides as they are now; `lazy`: as in a cache that leaves content out from now on."""
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
        seen = compare(ctx, local, index, lazy=lazy or hydration.is_lazy(ctx))
        heal.confirm(ctx, seen)
    return seen


def observe_known(ctx: Context, index: RemoteIndex) -> Observation:
    """The cache as it is now, against the index as it was last read: asks the bucket nothing."""
    local = look_local(ctx)
    index = leave_out_own(ctx, index, local, ask=False)
    take_up_own(ctx, index, local)
    hash_where_needed(ctx, local, index.entries)
    return compare(ctx, local, index, lazy=hydration.is_lazy(ctx))


def look_here(ctx: Context, seen: View, *, rels: set[str] | None = None) -> None:
    """The cache alone; `rels` None looks at all of it, else only there."""
    before = seen.local
    local = look_local(ctx) if rels is None or before is None else look_again(ctx, before, rels)
    index = ctx.reader.latest
    hash_where_needed(ctx, local, index.entries if index else {})
    lazy = hydration.is_lazy(ctx)
    if index is None:
        seen.take_local(local, local_changes(ctx, local, lazy=lazy), lazy=lazy)
    else:
        seen.take(compare(ctx, local, index, lazy=lazy))


def look_after(
    ctx: Context,
    seen: View,
    marks: tuple[str, ...],
    wanted: Hydration | None = None,
    *,
    unchanged: Observation | None = None,
) -> None:
    """What is true now: for the screen, for the peers on this cache, for the next start.

    `marks` stood when the operation began, `wanted` is what it did about content left out.
    `unchanged` is what was seen by an operation that had nothing to do: that holds still.
    """
    calm = replace(ctx, cancel=CancelToken())
    index = ctx.reader.latest
    if index is None:
        return
    after = unchanged or observe_known(calm, index)
    seen.take(after)
    view.settle(calm, seen, after, marks=marks)
    hydration.settle(calm, after, wanted=wanted)
    calm.save_docs()


@growing()
def plan_for(
    ctx: Context,
    seen: Observation,
    direction: Direction,
    *,
    selection: Collection[str],
    policy: ConflictPolicy | None,
    models: Collection[str] = (),
    wanted: Hydration | None = None,
) -> Plan:
    """A plan for what is selected and for these models. Raises UsageError for no model's name,
    and where only content that was left out is wanted, for a path that names nothing."""
    named = frozenset(s.strip("/") for s in selection)
    paths = named | selected(models)
    plan = make_plan(
        hydration.wanted_changes(seen, wanted, paths),
        direction=direction,
        policy=policy or ctx.settings.conflict,
        selection=paths,
        models=models,
        hydration="below" if wanted == "full" and paths else wanted,
        blocked=dict(seen.blocked),
        unchanged=seen.unchanged,
        known=seen.unchanged + len(seen.changes),
    )
    return replace(plan, unknown=_unknown(ctx, seen, named, models))


def _unknown(
    ctx: Context, seen: Observation, named: Collection[str], models: Collection[str]
) -> tuple[str, ...]:
    """The paths and models that name nothing: no file, no entry, and no directory here."""
    known = (seen.local.scan.files, seen.remote.entries, seen.local.base, seen.blocked)
    paths = unmatched(named, *known)
    absent = [path for path in paths if not os.path.lexists(ctx.cache.base / path)]
    for model in models:
        own = selected([model])
        if len(unmatched(own, *known)) == len(own):
            absent.append(model)
    return tuple(absent)


def still_valid(plan: Plan, fresh: Observation) -> tuple[Plan, list[Item]]:
    """The plan less what moved since it was made, and the items that did."""
    now = fresh.skipped | {change.path: change for change in fresh.changes}
    moved = [item for item in plan.items if now.get(item.path) != item.change]
    return plan.without({item.path for item in moved}), moved


def execute(
    ctx: Context,
    plan: Plan,
    seen: Observation,
    *,
    max_delete: int | None,
    left: Leftovers,
    proof: trust.Proof | None = None,
) -> Result:
    """Carry a plan out: downwards first, then up. Raises before anything was done, or tells.

    Raises GuardTripped, UnsafeEndpoint, LockHeld, LockLost, Cancelled and what the store raises.
    """
    check_guard(plan, max_delete=max_delete)
    at_home.fence(ctx)
    hydration.begin(ctx, seen)
    ups = bool(plan.by(*_UP)) or _publishes(plan, seen) or left.unfinished
    can: Capabilities | None = None
    if ups and plan.direction != "pull":
        can = _may_push(ctx, plan, seen, proof or trust.Proof(ctx))
    result = report_of(plan)
    if plan.direction != "pull":
        uploads.tidy(ctx, seen)
    ctx.accounting.begin()
    ctx.traffic.begin()
    if plan.by(*_DOWN):
        with ctx.stage.during("pulling"), _half(plan, "pull"):
            ctx.cache.check()
            at_home.fence(ctx)
            origin.remember(ctx)
            pull.run(ctx, plan, seen, result)
    if can is not None:
        with ctx.stage.during("pushing"), _half(plan, "push"):
            push.run(ctx, plan, seen, result, can=can, leftovers=left)
            uploads.look_for_abandoned(ctx, plan.by(Action.UPLOAD))
    return result


def _may_push(ctx: Context, plan: Plan, seen: Observation, proof: trust.Proof) -> Capabilities:
    """What the endpoint can do. Raises before anything is sent when nothing may be: locks do not
    hold there, or the place was left for another one."""
    also = trust.needed(ctx, plan.by(Action.UPLOAD))
    if seen.remote.entries:
        return proof.capabilities(also=also)
    with beside(ctx, partial(moved.refuse_if_left, ctx)) as refuse:
        can = proof.capabilities(also=also)
        refuse()
    return can


def _half(plan: Plan, name: Direction) -> AbstractContextManager[object]:
    """Of a sync each half is a span of its own; else the whole operation is one."""
    return tracing.span(f"s3dash.{name}") if plan.direction == "sync" else nullcontext()


def has_nothing_to_do(
    plan: Plan, seen: Observation, left: Leftovers, marks: tuple[str, ...]
) -> bool:
    """What a client marked as dirty has to be looked at again before the mark can go."""
    return not (plan.items or marks or left.unfinished or _publishes(plan, seen))


def _publishes(plan: Plan, seen: Observation) -> bool:
    """A datastore whose index is lost, or lists what is not so, gets it back with a push."""
    return plan.direction != "pull" and seen.remote.is_broken


def report_of(plan: Plan) -> Result:
    """What is known before anything moves."""
    return Result(
        action=plan.name,
        unchanged=plan.unchanged,
        conflicts=[conflict_of(item.change) for item in plan.conflicts],
        blocked=[Blocked(path, reason) for path, reason in sorted(plan.blocked.items())],
        unknown=list(plan.unknown),
    )


def dry(plan: Plan) -> Result:
    result = report_of(plan)
    result.plan = [PlanRow(i.path, i.action.value, i.reason, i.size) for i in plan.items]
    return result


def left_out(plan: Plan, moved: list[Item]) -> Plan:
    """Tell the moved paths as blocked: they were not touched."""
    why = {item.path: "changed since the plan was shown; not touched" for item in moved}
    return replace(plan, blocked={**plan.blocked, **why})
