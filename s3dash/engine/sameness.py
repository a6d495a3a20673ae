"""Whether two objects of a bucket hold the same bytes, without reading them where that can be told.

Equal ETags that are an MD5 tell it. Others tell nothing (parts, encryption): then it is on record
that the one was copied from the other, or both are read once, as the last resort.
"""

from s3dash.engine.context import Context
from s3dash.engine.index_care import bodies
from s3dash.objectstore.port import ObjectInfo

_FACT = "copied:"
_MD5 = 32


def same(ctx: Context, one: ObjectInfo, other: ObjectInfo) -> bool:
    """By content. Raises what the store raises."""
    if one.size != other.size:
        return False
    if one.etag == other.etag and len(one.etag) == _MD5:
        return True
    if ctx.state.get(_fact(one, other)) is not None:
        return True
    digest = sha256_of(ctx, one)
    if digest is None or digest != sha256_of(ctx, other):
        return False
    remember_same(ctx, one, other)
    return True


def remember_same(ctx: Context, one: ObjectInfo, other: ObjectInfo) -> None:
    """`other` was copied from just this version of `one`, or both were read; noted only where
    ETags do not tell."""
    if one.etag != other.etag or len(one.etag) != _MD5:
        ctx.state.set(_fact(one, other), ctx.now())


def forget_copies(ctx: Context) -> None:
    for key in ctx.state.facts(_FACT):
        ctx.state.unset(key)


def _fact(one: ObjectInfo, other: ObjectInfo) -> str:
    return f"{_FACT}{one.etag} {other.etag} {one.key} {other.key}"


def sha256_of(ctx: Context, info: ObjectInfo) -> str | None:
    """Read this very version of an object, and keep nothing of it; None when it is no more.

    Stops when the operation is cancelled. Raises Cancelled, and what the store raises.
    """
    return bodies.sha256_of(ctx, info.key, info.etag)
