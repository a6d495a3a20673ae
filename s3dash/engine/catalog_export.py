"""Our own catalog: what this namespace holds, told to those who do not work in it.

It is derived from the index, so it is written after the commit and without the lock: a large one
would hold that for too long. Compare-and-swap keeps it from going back. Whoever writes has read
the index after the version that is replaced was there; so what is there now is never older than
what was, and the last to commit writes last.
"""

import hashlib
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from s3dash.clock import from_iso, iso
from s3dash.core.catalog import Exported
from s3dash.core.catalog_wire import encoded
from s3dash.core.index import Entry
from s3dash.core.sidecar import Sidecar
from s3dash.engine.context import Context
from s3dash.errors import (
    Cancelled,
    CommitConflict,
    NotFound,
    PreconditionFailed,
    S3DashError,
    UsageError,
)

DUE, SENT = "catalog:due", "catalog:sent"
TRIES = 5
LARGE = 4 * 2**20
SPACING = timedelta(minutes=15)
"""A catalog of more than `LARGE` bytes is not sent after every push, but once in this time."""
TYPE = "application/json"


class _Sent(msgspec.Struct, frozen=True):
    """What we exported last: when, and the version that it became."""

    at: str
    sha256: str
    size: int
    etag: str


class _Body(msgspec.Struct, frozen=True):
    """A catalog in a staged file. `md5` is the ETag that most endpoints give it."""

    path: Path
    size: int
    sha256: str
    md5: str
    entries: int


def owe(ctx: Context) -> None:
    """The index has changed: the catalog is to follow, be it in a later run."""
    if ctx.keys.namespace is not None:
        ctx.state.set(DUE, ctx.now())


def is_due(ctx: Context) -> bool:
    """Whether something is owed that may be sent now, without a push: see `keep_up`."""
    if ctx.keys.namespace is None:
        return False
    since = from_iso(ctx.state.get(DUE) or "")
    return since is not None and since <= ctx.clock.now() and not _too_soon(ctx)


def keep_up(ctx: Context) -> None:
    """Export what is owed, at the end of a push. Never fails it: the next one tries again.

    Between pushes it is tried again after a while, where somebody syncs unasked.
    """
    if ctx.keys.namespace is None:
        return
    try:
        if ctx.state.get(DUE) is not None and not _too_soon(ctx):
            with ctx.stage.during("committing", "exporting the catalog"):
                export(ctx, at_hand=True)
    except Cancelled:
        return  # the push is done; it stays owed
    except S3DashError as error:
        ctx.state.set(DUE, iso(ctx.clock.now() + SPACING))
        told = f"the catalog was not exported, the next push tries again: {error.message}"
        ctx.note("warning", "catalog", told)


def export(ctx: Context, *, force: bool = False, at_hand: bool = False) -> Exported:
    """Write the catalog of our namespace, unless the bucket has these bytes already.

    `force` writes it all the same. `at_hand` tries with the index and the version that are known,
    which costs one request where nobody else exports. Raises UsageError where there is nothing to
    export, CommitConflict, and what the store raises.
    """
    slug = ctx.keys.namespace
    if slug is None:
        raise UsageError("only a namespace has a catalog", hint="name one with --namespace")
    sent = _recalled(ctx)
    for attempt in range(TRIES):
        ctx.cancel.check()
        known = at_hand and attempt == 0 and ctx.reader.latest is not None
        version = (sent.etag if sent else None) if known else _version(ctx)
        with ctx.cache.staging() as temp:
            body = _written(ctx, temp, _entries(ctx, slug, at_hand=known))
            same = version is not None and _is_there(body, version, sent)
            if same and known:
                continue  # nobody said yet that it is still there
            if not same or force:
                version = _put(ctx, body, version)
            if version is not None:
                _remember(ctx, _Sent(ctx.now(), body.sha256, body.size, version))
                return Exported(
                    namespace=slug,
                    key=ctx.keys.catalog,
                    entries=body.entries,
                    size=body.size,
                    sha256=body.sha256,
                    written=force or not same,
                    etag=version,
                )
    raise CommitConflict(f"{ctx.keys.catalog} keeps changing", hint="try again in a moment")


def _too_soon(ctx: Context) -> bool:
    sent = _recalled(ctx)
    at = from_iso(sent.at) if sent is not None else None
    if sent is None or at is None or sent.size <= LARGE:
        return False
    return timedelta(0) <= ctx.clock.now() - at < SPACING


def _version(ctx: Context) -> str | None:
    try:
        return ctx.store.head(ctx.keys.catalog).etag
    except NotFound:
        return None


def _entries(ctx: Context, slug: str, *, at_hand: bool) -> dict[str, Entry]:
    latest = ctx.reader.latest
    index = latest if at_hand and latest is not None else ctx.reader.load()
    if index.version == 0 and not index.entries:
        raise UsageError(f"{slug} has no index yet: there is nothing to export", hint="push first")
    return index.entries


def _written(ctx: Context, temp: BinaryIO, entries: dict[str, Entry]) -> _Body:
    """The catalog in a file: a large one is never whole in memory."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for piece in encoded(entries):
        ctx.cancel.check()
        temp.write(piece)
        sha256.update(piece)
        md5.update(piece)
        size += len(piece)
    temp.flush()
    return _Body(Path(temp.name), size, sha256.hexdigest(), md5.hexdigest(), len(entries))


def _is_there(body: _Body, version: str, sent: _Sent | None) -> bool:
    """Whether the object of this version has these bytes."""
    ours = sent is not None and (sent.etag, sent.sha256) == (version, body.sha256)
    return ours or version == body.md5


def _put(ctx: Context, body: _Body, version: str | None) -> str | None:
    """The new version; None: somebody else has written it, or a reply of ours was lost."""
    with suppress(PreconditionFailed, NotFound):  # the next round looks at what is there
        return ctx.store.upload(
            ctx.keys.catalog,
            body.path,
            if_match=version,
            if_none_match=version is None,
            content_type=TYPE,
            on_bytes=lambda count: ctx.throttle.draw(count, ctx.cancel),
        ).etag
    return None


# --- what is remembered ------------------------------------------------------------------


def _recalled(ctx: Context) -> _Sent | None:
    text = ctx.state.get(SENT)
    with suppress(msgspec.MsgspecError):  # a damaged note: the bucket is asked instead
        return msgspec.json.decode(text, type=_Sent) if text else None
    return None


def _remember(ctx: Context, sent: _Sent) -> None:
    """For our next export; and for plain clients on this cache, which then skip theirs."""
    ctx.state.set(SENT, msgspec.json.encode(sent).decode())
    ctx.state.unset(DUE)

    def said(now: Sidecar) -> Sidecar:
        fields = {**now.unknown, "lastCatalogHash": sent.sha256}
        return msgspec.structs.replace(now, unknown=fields)

    if ctx.sidecar.exists():
        ctx.sidecar.update(said)
