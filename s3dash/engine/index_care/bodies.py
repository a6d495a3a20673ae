"""The content of objects, hashed as it streams by: nothing is kept, in memory or on the disk."""

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from s3dash.engine.context import Context
from s3dash.engine.jobs import each, retrying
from s3dash.errors import NotFound, PreconditionFailed, S3DashError


class _Nowhere(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return len(cast(bytes, data))


def sha256_of(ctx: Context, key: str, etag: str) -> str | None:
    """The SHA-256 of this version of an object, in hex; None when it is there no more.

    Counts against the limit of the bandwidth. Raises Cancelled, and what the store raises.
    """

    def passed(count: int) -> None:
        ctx.throttle.draw(count, ctx.cancel, check=ctx.cancel.check)

    def attempt(_: int) -> str:
        sink = cast(BinaryIO, _Nowhere())
        return ctx.store.download(key, sink, if_match=etag, on_bytes=passed).sha256

    try:
        return retrying(attempt, patience=ctx.patience)
    except (NotFound, PreconditionFailed):
        return None


def hash_all(
    ctx: Context, versions: Iterable[tuple[str, str]], *, total: int
) -> Iterator[tuple[str, str | None]]:
    """(path, SHA-256) of each (path, ETag), side by side, in any order. Tells how far it is."""
    jobs = each(
        lambda version: sha256_of(ctx, ctx.keys.data(version[0]), version[1]),
        versions,
        workers=ctx.settings.pull_concurrency,
        cancel=ctx.cancel,
        name="s3dash-verify",
    )
    for number, ((rel, _), outcome) in enumerate(jobs, 1):
        ctx.stage.count(f"{number:,} of {total:,} contents read")
        if isinstance(outcome, S3DashError):
            raise outcome
        yield rel, outcome
    ctx.cancel.check()
