"""Is this still the datastore that the cache was synced with? (scenario 43)

A small object carries an id that never changes. A bucket that was emptied, restored elsewhere or
made anew under the same name has another one, or none; what is missing there was not deleted.
"""

from collections.abc import Callable

from s3dash.engine.cas import Cas, read
from s3dash.engine.context import Context
from s3dash.errors import OtherDatastore, PreconditionFailed

_FACT = "datastore-id"


def _key(ctx: Context) -> str:
    return f"{ctx.keys.control}datastore-id"


def _there(ctx: Context) -> str | None:
    found = read(ctx.store, _key(ctx))
    return found.body.decode(errors="replace").strip() if found is not None else None


def remember(ctx: Context) -> None:
    """Take the id over when we know none; a datastore without one is taken as it is."""
    if ctx.state.get(_FACT) is None and (there := _there(ctx)) is not None:
        ctx.state.set(_FACT, there)


def ensure(ctx: Context, *, guard: Callable[[], None]) -> None:
    """Give the datastore an id when it has none. Under the lock, whose lease gives `guard`."""
    known = ctx.state.get(_FACT)
    if known is not None and known == _there(ctx):
        return
    try:
        mine = ctx.nonce()
        Cas(ctx.store, ctx.patience, guard).put(_key(ctx), mine.encode(), version=None)
        ctx.state.set(_FACT, mine)
    except PreconditionFailed:
        ctx.state.set(_FACT, _there(ctx) or "")


def check(ctx: Context) -> None:
    """Before a deletion in the bucket is believed. Raises OtherDatastore."""
    known = ctx.state.get(_FACT)
    if known is None or known == _there(ctx):
        return
    raise OtherDatastore(
        "files that were in the bucket are gone, and so is the mark of the datastore that this "
        "cache was synced with: the bucket was emptied or replaced; nothing was deleted here",
        hint="if that was meant, move the state directory away: the next sync joins both sides",
    )
