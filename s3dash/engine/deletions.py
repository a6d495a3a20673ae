"""Deleting objects that no index names any more, each only while it is the version that was meant.

Kept here: the second half of I2, with If-Match on the deleted version.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from s3dash.engine.context import Context
from s3dash.engine.jobs import each, retrying
from s3dash.engine.lease import Lease
from s3dash.engine.pin import find_version
from s3dash.errors import NotFound, PreconditionFailed, S3DashError, Throttled
from s3dash.objectstore.port import Capabilities

SMALL = 4 << 20
"""Bytes of an object that may be read while the lock is held, to see what it is."""


class Doomed(msgspec.Struct, frozen=True):
    """A path whose object is to go: the version by its ETag, its content by its SHA-256."""

    rel: str
    etag: str | None
    sha256: str


def delete_all(ctx: Context, due: Sequence[Doomed], *, lease: Lease, can: Capabilities) -> set[str]:
    """Delete them side by side; the paths that are done with. A version that is not ours stays."""
    jobs = each(
        partial(_delete_one, ctx, lease, can),
        due,
        workers=ctx.settings.push_concurrency,
        cancel=ctx.cancel,
        name="s3dash-delete",
    )
    done = set()
    for doomed, outcome in jobs:
        if isinstance(outcome, S3DashError):
            ctx.note("warning", "push", f"{doomed.rel}: its object stays behind: {outcome.message}")
        else:
            done.add(doomed.rel)
    return done


def _delete_one(ctx: Context, lease: Lease, can: Capabilities, doomed: Doomed) -> None:
    with suppress(NotFound):  # then it is gone already
        try:
            return delete_version(
                ctx, lease.guard, can, key=ctx.keys.data(doomed.rel), etag=doomed.etag
            )
        except PreconditionFailed:
            etag = _same_content(ctx, doomed)
        if etag is None:
            ctx.note("warning", "push", f"{doomed.rel}: a newer object is in the bucket; it stays")
        else:
            delete_version(ctx, lease.guard, can, key=ctx.keys.data(doomed.rel), etag=etag)


def delete_version(
    ctx: Context, guard: Callable[[], None], can: Capabilities, *, key: str, etag: str | None
) -> None:
    """Delete this version of an object. `guard` is the lease's, asked before every attempt.

    Where DELETE cannot be conditional, the object is looked at first. Raises PreconditionFailed
    when it is another version, NotFound, LockLost, and what else the store raises.
    """

    def attempt(_: int) -> None:
        guard()
        if not can.delete:
            if ctx.store.head(key).etag != etag:
                raise PreconditionFailed(key)
            return ctx.store.delete(key)
        try:
            ctx.store.delete(key, if_match=etag)
        except PreconditionFailed as error:  # S3 also says so to two requests at once
            if ctx.store.head(key).etag == etag:
                raise Throttled(f"{key}: the endpoint is busy with it") from error
            raise

    retrying(attempt, patience=ctx.patience)


def _same_content(ctx: Context, doomed: Doomed) -> str | None:
    """The ETag under which the object has the deleted bytes now: an ETag is no hash (27).

    A large object is not read for that, as the lock is held meanwhile: it stays.
    """
    if ctx.store.head(ctx.keys.data(doomed.rel)).size > SMALL:
        return None
    return find_version(ctx, doomed.rel, {doomed.sha256})[0]
