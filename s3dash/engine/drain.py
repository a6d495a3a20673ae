"""Draining: a structural change starts only when no writer is in the middle of a model.

Writers hold `NS/data/<type>/<id>/.lock` while they work, and some of them then want the global
lock: so nobody is waited for while we hold that. It is taken when the model locks are gone, and
under it they are looked at again, which decides: who takes a model lock looks at the global one
before and after. What costs is one listing of `data/` (a request for each 1000 objects) before the
lock and one under it; in between only the locks that were found are read again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from s3dash.clock import from_iso
from s3dash.core.lock import LockInfo, place, stated_ttl_ms
from s3dash.core.text import count, duration
from s3dash.engine.cas import read
from s3dash.engine.context import Context
from s3dash.engine.lease import RETRY_S, STALE_SLACK_S, Lease
from s3dash.engine.locks import describe
from s3dash.engine.publish import lock
from s3dash.errors import LockHeld
from s3dash.objectstore.port import Capabilities, Fetched

TRIES = 5
"""How often the global lock is let go again because a writer was quicker."""

NAMED = 3
"""Locks that an error names; it tells the number of the others."""


class Busy(msgspec.Struct, frozen=True):
    """A model whose lock may be alive, and for how many seconds it has been held."""

    info: LockInfo
    held_s: float

    @property
    def sentence(self) -> str:
        who = self.info.holder or "an unknown client"
        where = f" (pid {self.info.pid})" if self.info.pid else ""
        return f"{self.info.model} held by {who}{where} for {duration(self.held_s)}"


@contextmanager
def drained(ctx: Context, can: Capabilities, *, operation: str) -> Iterator[Lease]:
    """The global lock of the datastore or namespace, held while no model of it is locked.

    `operation` is how the log calls what is done («index»). A lock that ran out is no obstacle,
    and told. Raises LockHeld when writers go on for longer than `lock_timeout_ms`, or when the
    global lock is not had; Cancelled, and what the store raises.
    """
    deadline = ctx.clock.monotonic() + ctx.settings.lock_timeout_ms / 1000
    told: set[str] = set()
    busy: list[Busy] = []
    for _ in range(TRIES):
        _wait(ctx, deadline, told, operation)
        with ctx.stage.during("committing"), lock(ctx, ctx.nonce(), can) as lease:
            ctx.stage.enter("committing", "looking for writers")
            busy = _living(ctx, model_lock_keys(ctx), told, operation)
            if not busy:
                with ctx.stage.holding_lock():
                    yield lease
                return
        ctx.cancel.check()
    raise _held(busy)


def model_lock_keys(ctx: Context) -> list[str]:
    """The keys of the model locks of this datastore or namespace; lists its `data/`."""
    below = f"{ctx.keys.root}data/"
    found = []
    for number, info in enumerate(ctx.store.list(below)):
        if number % 1000 == 0:
            ctx.cancel.check()
        if info.key.endswith("/.lock") and place(info.key) is not None:
            found.append(info.key)
    return found


def _wait(ctx: Context, deadline: float, told: set[str], operation: str) -> None:
    """Until every model lock that there is now is gone or ran out."""
    busy = _living(ctx, model_lock_keys(ctx), told, operation)
    while busy:
        if ctx.clock.monotonic() >= deadline:
            raise _held(busy)
        with ctx.stage.waiting("waiting for lock", waits_for(busy)):
            ctx.clock.wait(ctx.cancel.event, RETRY_S)
        ctx.cancel.check()
        busy = _living(ctx, (one.info.key for one in busy), told, operation)


def _living(ctx: Context, keys: Iterable[str], told: set[str], operation: str) -> list[Busy]:
    """Those whose holder may still be at work, the longest held first."""
    busy = []
    for key in keys:
        found = read(ctx.store, key)
        if found is None:
            continue
        one = _busy(key, found)
        if not is_over(found):
            busy.append(one)
        elif key not in told:
            told.add(key)
            ctx.note("warning", operation, f"a model lock ran out, and is ignored: {one.sentence}")
    return sorted(busy, key=lambda one: -one.held_s)


def _busy(key: str, found: Fetched) -> Busy:
    """Held since it says, and at least since its last heartbeat; clocks of holders may be off."""
    info = describe(key, found)
    since, server = from_iso(info.acquired_at), found.info.server_time
    said_s = (server - since).total_seconds() if since and server else 0.0
    return Busy(info, max(info.age_s, said_s))


def is_over(found: Fetched) -> bool:
    """Whether a lock ran out, by the server's clock; one that states no time never does."""
    modified, server = found.info.last_modified, found.info.server_time
    stated_ms = stated_ttl_ms(found.body)
    if modified is None or server is None or stated_ms is None:
        return False
    return (server - modified).total_seconds() > stated_ms / 1000 + STALE_SLACK_S


def waits_for(busy: Sequence[Busy]) -> str:
    """For a status line: `2 model locks: server/7b held by ada@vm for 12 s, and 1 more`."""
    more = f", and {len(busy) - 1} more" if len(busy) > 1 else ""
    return f"{count(len(busy), 'model lock')}: {busy[0].sentence}{more}"


def _held(busy: Sequence[Busy]) -> LockHeld:
    named = "; ".join(one.sentence for one in busy[:NAMED])
    more = f"; and {len(busy) - NAMED} more" if len(busy) > NAMED else ""
    return LockHeld(
        f"writers are in the middle of {count(len(busy), 'model')}: {named}{more}",
        hint="wait for them, or look with `s3dash locks`; nothing was changed",
    )
