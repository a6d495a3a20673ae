"""The locks of single models: taken by a push that was told to keep to some models.

Plain clients hold the lock of a model while they write it, and the global lock for a structural
change, before which they wait for the models' locks to be gone. So do we: wait until the global
lock is free, take the model's, look at the global one again, and let go when it appeared meanwhile.
Every wait ends with `lock_timeout_ms`, and then all is let go of: nobody waits for us for ever.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from s3dash.core.cancel import CancelToken
from s3dash.core.lock import LockBody, decode_lock
from s3dash.core.models import Model, parse
from s3dash.core.plan import Action, Plan
from s3dash.engine import trust
from s3dash.engine.cas import read
from s3dash.engine.context import Context
from s3dash.engine.drain import is_over
from s3dash.engine.lease import RETRY_S, Lease
from s3dash.engine.publish import lock
from s3dash.errors import Cancelled, LockHeld
from s3dash.objectstore.port import Capabilities

_UP = (Action.UPLOAD, Action.DELETE_REMOTE, Action.RESTORE)


@contextmanager
def held(ctx: Context, plan: Plan, proof: trust.Proof | None = None) -> Iterator[Context]:
    """The locks of the plan's models, for as long as it is carried out, where it writes at all.
    `proof` is what is known of the endpoint, where that was asked for already.

    Yields the context to go on with: another one than `ctx` when locks were waited for, so that
    the plan has to be made anew. It is cancelled when a lock is lost. Raises LockHeld,
    LockLost, UnsafeEndpoint, Cancelled and what the store raises.
    """
    if not (plan.models and plan.by(*_UP)):
        yield ctx
        return
    can, token = (proof or trust.Proof(ctx)).capabilities(also=()), CancelToken()
    deadline = ctx.clock.monotonic() + ctx.settings.lock_timeout_ms / 1000
    with ExitStack() as stack, ctx.cancel.calling(token.cancel):
        leases = []
        for model in sorted({parse(name) for name in plan.models}):
            leases.append(_take(ctx, model, can, deadline, token))
            stack.callback(_let_go, ctx, model, leases[-1])
        try:
            yield ctx.with_cancel(token)
        except Cancelled:
            if not ctx.cancel.cancelled:
                _tell_lost(ctx, leases, plan)
            raise


def _take(
    ctx: Context, model: Model, can: Capabilities, deadline: float, token: CancelToken
) -> Lease:
    """Entered and ours, with the global lock free before and after."""
    with ctx.stage.during("comparing", f"for the lock of model {model.name}"):
        while True:
            _wait_for_global(ctx, model, deadline)
            lease = lock(
                ctx,
                ctx.nonce(),
                can,
                key=ctx.keys.data(model.lock),
                wait_s=max(0.0, deadline - ctx.clock.monotonic()),
                on_lost=token.cancel,
            )
            with ExitStack() as undo:
                undo.enter_context(lease)
                if _holder_of_global(ctx) is None:
                    undo.pop_all()
                    return lease


def _let_go(ctx: Context, model: Model, lease: Lease) -> None:
    lease.__exit__(None, None, None)
    if lease.left_behind:
        told = f"our lock of model {model.name} could not be removed: {lease.left_behind}"
        ctx.note("warning", "push", told)


def _tell_lost(ctx: Context, leases: list[Lease], plan: Plan) -> None:
    """Raises LockLost for the lock whose loss ended the operation."""
    for lease in leases:
        if lease.lost:
            ctx.note("error", plan.direction, f"a model's lock was lost: {lease.lost}")
        lease.guard()


def _wait_for_global(ctx: Context, model: Model, deadline: float) -> None:
    while (holder := _holder_of_global(ctx)) is not None:
        who = f"{holder.holder or 'an unknown client'} (pid {holder.pid} on {holder.hostname})"
        if ctx.clock.monotonic() >= deadline:
            raise LockHeld(
                f"the lock {ctx.keys.lock} is held by {who}: model {model.name} was not touched",
                hint="wait, or look at it with `s3dash locks`",
            )
        ctx.stage.enter("waiting for lock", f"held by {holder.holder}")
        ctx.clock.wait(ctx.cancel.event, RETRY_S)
        ctx.cancel.check()


def _holder_of_global(ctx: Context) -> LockBody | None:
    """Who holds the global lock; None when nobody does who was heard of in time."""
    found = read(ctx.store, ctx.keys.lock)
    return None if found is None or is_over(found) else decode_lock(found.body)
