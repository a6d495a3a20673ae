"""Finding the version of an object whose content we know.

An ETag is a version token, never a hash: before a write is made conditional on one that we did
not make ourselves, the bytes of that very version are read and compared by SHA-256.
"""

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import BinaryIO

from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.errors import NotFound, PreconditionFailed, S3DashError
from s3dash.objectstore.port import Downloaded, ObjectInfo

ABANDONED_S = 86_400.0


def object_sha256(ctx: Context, key: str, etag: str, sink: BinaryIO | None = None) -> str | None:
    """The SHA-256 of this version of an object; None when it is there no more.

    `sink` takes the bytes, for callers that want to keep them.
    """
    if sink is not None:
        return _stream(ctx, key, etag, sink)
    with ctx.cache.staging() as scratch:
        return _stream(ctx, key, etag, scratch)


def _stream(ctx: Context, key: str, etag: str, sink: BinaryIO) -> str | None:
    try:
        return ctx.store.download(key, sink, if_match=etag).sha256
    except (NotFound, PreconditionFailed):
        return None


def find_version(ctx: Context, rel: str, known: set[str]) -> tuple[str | None, str | None]:
    """The object's ETag and SHA-256 if its content is one of `known`; else (None, what it is).

    (None, None): there is no object, or it moved while we looked.
    """
    key = ctx.keys.data(rel)
    try:
        etag = ctx.store.head(key).etag
    except NotFound:
        return None, None
    digest = object_sha256(ctx, key, etag)
    return (etag if digest in known else None), digest


def is_proved(ctx: Context, key: str, got: Downloaded, body: BinaryIO) -> bool:
    """Whether `body`, of which no entry says the SHA-256, is what the bucket has.

    A line without TLS may flip a bit, and nobody notices. The MD5 as ETag proves the bytes; where
    the ETag is of another kind, a second read must agree.
    """
    if not (ctx.settings.endpoint or "").startswith("http://"):
        return True
    body.seek(0)
    if hashlib.file_digest(body, _md5).hexdigest() == got.etag:  # type: ignore[arg-type] # binary
        return True
    return object_sha256(ctx, key, got.etag) == got.sha256


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)


def replaced(ctx: Context, versions: Mapping[str, str]) -> set[str]:
    """Paths whose object is not of this ETag any more, or gone; `versions` maps path to ETag.

    One HEAD each. Raises what the store raises.
    """
    found = set()
    work = each(
        partial(_etag, ctx),
        versions,
        workers=ctx.settings.push_concurrency,
        cancel=ctx.cancel,
        name="s3dash-head",
    )
    for rel, outcome in work:
        if isinstance(outcome, S3DashError):
            raise outcome
        if outcome != versions[rel]:
            found.add(rel)
    return found


def _etag(ctx: Context, rel: str) -> str | None:
    try:
        return ctx.store.head(ctx.keys.data(rel)).etag
    except NotFound:
        return None


def is_abandoned(info: ObjectInfo) -> bool:
    """True for an object that was uploaded long ago; no index names it, says the caller.

    By the server's clock alone.
    """
    if info.server_time is None or info.last_modified is None:
        return False
    return (info.server_time - info.last_modified).total_seconds() > ABANDONED_S
