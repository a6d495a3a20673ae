"""Is this still the datastore that the cache was synced with? (scenario 43)

A small object carries an id that never changes. A bucket that was emptied, restored elsewhere or
made anew under the same name has another one, or none; what is missing there was not deleted.
"""

from collections.abc import Callable

from s3dash.core.paths import CONTROL_DIR
from s3dash.engine import moved
from s3dash.engine.cas import Cas, read
from s3dash.engine.context import Context
from s3dash.errors import OtherDatastore, PreconditionFailed

FACT = "datastore-id"
ID = f"{CONTROL_DIR}/s3dash/datastore-id"
"""The name of its object, without what stands before every key of the place."""


def _key(ctx: Context) -> str:
    return ctx.keys.root + ID


def _there(ctx: Context) -> str | None:
    found = read(ctx.store, _key(ctx))
    return found.body.decode(errors="replace").strip() if found is not None else None


def is_known(ctx: Context) -> bool:
    """Whether this cache has taken an id over."""
    return ctx.state.get(FACT) is not None


def remember(ctx: Context) -> None:
    """Take the id over when we know none; a datastore without one is taken as it is."""
    if ctx.state.get(FACT) is None and (there := _there(ctx)) is not None:
        ctx.state.set(FACT, there)


def ensure(ctx: Context, *, guard: Callable[[], None]) -> None:
    """Give the datastore an id when it has none. Under the lock, whose lease gives `guard`.

    Raises OtherDatastore when the datastore was moved to another place.
    """
    known = ctx.state.get(FACT)
    there = _there(ctx)
    if known is not None and known == there:
        return
    if there is None:
        moved.refuse_if_left(ctx)
    try:
        mine = ctx.nonce()
        Cas(ctx.store, ctx.patience, guard).put(_key(ctx), mine.encode(), version=None)
        ctx.state.set(FACT, mine)
    except PreconditionFailed:
        ctx.state.set(FACT, _there(ctx) or "")


def check(ctx: Context) -> None:
    """Before a deletion in the bucket is believed. Raises OtherDatastore."""
    known = ctx.state.get(FACT)
    if known is None or known == _there(ctx):
        return
    moved.refuse_if_left(ctx)
    raise OtherDatastore(
        "files that were in the bucket are gone, and so is the mark of the datastore that this "
        "cache was synced with: the bucket was emptied or replaced; nothing was deleted here",
        hint="if that was meant, move the state directory away: the next sync joins both sides",
    )
