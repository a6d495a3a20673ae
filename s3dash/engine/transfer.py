"""Sending one file: conditional, hashed on the way, its version journalled.

Every overwrite is a compare-and-swap on the version that the index was known to name. A refusal
is looked at: our own bytes are there already (a lost reply, an interrupted push), or an older
version that we know under another ETag, or somebody else's (scenarios 1, 27, 29, 46).
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from s3dash.core.diff import Remote
from s3dash.core.plan import Item
from s3dash.core.progress import Transfer
from s3dash.engine.context import Context
from s3dash.engine.jobs import retrying
from s3dash.engine.observe import CLASHES, Observation, wall_ns
from s3dash.engine.pin import find_version, object_sha256
from s3dash.errors import (
    Cancelled,
    CommitConflict,
    LocalChanged,
    NotFound,
    PreconditionFailed,
    S3DashError,
)
from s3dash.local.scan import FileStat, hash_file
from s3dash.local.state import JournalRow
from s3dash.objectstore.port import Uploaded

DEFAULT_TYPE = "application/octet-stream"
CONTENT_TYPES = {
    "json": "application/json",
    "yaml": "text/yaml; charset=utf-8",
    "yml": "text/yaml; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "log": "text/plain; charset=utf-8",
}
"""As the plain clients set them, by extension."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that is durable in the bucket, and the local file it was read from.

    `read_ns` is the wall time before it was read.
    """

    item: Item
    version: Uploaded
    stat: FileStat
    read_ns: int


def content_type(rel: str) -> str:
    return CONTENT_TYPES.get(rel.rpartition(".")[2].lower(), DEFAULT_TYPE)


def send(
    ctx: Context, seen: Observation, journal: dict[str, JournalRow], item: Item, row: Transfer
) -> Sent:
    """Upload one file. Raises CommitConflict when somebody else's bytes are there."""
    try:
        ctx.cancel.check()
        sent = retrying(
            partial(_attempt, ctx, seen, journal.get(item.path), item, row),
            clock=ctx.clock,
            cancel=ctx.cancel,
            on_back_off=ctx.backing_off,
        )
    except Cancelled:
        ctx.accounting.finish(row, "cancelled")
        raise
    except S3DashError as error:
        ctx.accounting.finish(row, "failed", error.message)
        raise
    ctx.accounting.finish(row, "done")
    return sent


def _attempt(
    ctx: Context,
    seen: Observation,
    unfinished: JournalRow | None,
    item: Item,
    row: Transfer,
    attempt: int,
) -> Sent:
    row.attempt = attempt
    ctx.accounting.start(row)
    read_ns = wall_ns(ctx)
    stat = _stat(ctx, item.path)
    row.size = stat.size
    known = _known(item, unfinished)
    version = _expected(ctx, seen, item, unfinished)
    try:
        return Sent(item, _put(ctx, item.path, version, row), stat, read_ns)
    except PreconditionFailed:
        adopted, version = _refused(ctx, item, known)
    if adopted is not None:
        return Sent(item, adopted, stat, read_ns)
    ctx.accounting.start(row)
    try:
        return Sent(item, _put(ctx, item.path, version, row), stat, read_ns)
    except PreconditionFailed as error:
        raise CommitConflict(f"{item.path} keeps changing in the bucket") from error


def _stat(ctx: Context, rel: str) -> FileStat:
    try:
        return FileStat.of(ctx.cache.target(rel).lstat())
    except FileNotFoundError as error:
        raise LocalChanged(f"{rel} is gone; it was there a moment ago") from error


def _put(ctx: Context, rel: str, version: str | None, row: Transfer) -> Uploaded:
    return ctx.store.upload(
        ctx.keys.data(rel),
        ctx.cache.base / rel,
        if_match=version,
        if_none_match=version is None,
        content_type=content_type(rel),
        on_bytes=partial(ctx.moved, row),
    )


def _known(item: Item, unfinished: JournalRow | None) -> set[str]:
    """SHA-256 of the versions that we may overwrite: what the plan showed as the other side."""
    change, known = item.change, set()
    if change.remote is not None and change.remote.sha256:
        known.add(change.remote.sha256)
    if change.base is not None and _same_version(change.remote, change.base.tag):
        known.add(change.base.sha256)
    if unfinished is not None:
        known.add(unfinished.sha256)
    return known


def _same_version(remote: Remote | None, tag: str) -> bool:
    return remote is None or remote.tag == tag


def _expected(
    ctx: Context, seen: Observation, item: Item, unfinished: JournalRow | None
) -> str | None:
    """The ETag to match; None: there should be no object."""
    if unfinished is not None and unfinished.etag:
        return unfinished.etag
    row, remote = seen.local.base.get(item.path), item.change.remote
    if remote is None:
        return None
    if item.change.verdict in CLASHES:
        return _keep_theirs(ctx, item, remote)
    if row is not None and row.etag and row.tag == remote.tag:
        return row.etag
    version, digest = find_version(ctx, item.path, _known(item, unfinished))
    if version is None and digest is not None:
        raise CommitConflict(_SOMEBODY.format(item.path))
    return version


def _keep_theirs(ctx: Context, item: Item, remote: Remote) -> str | None:
    """The user chose our version: theirs goes to the trash before it is overwritten."""
    key = ctx.keys.data(item.path)
    try:
        etag = ctx.store.head(key).etag
    except NotFound:
        return None
    with ctx.cache.staging() as temp:
        digest = object_sha256(ctx, key, etag, temp)
        if digest is None or remote.sha256 not in (None, digest):
            raise CommitConflict(_SOMEBODY.format(item.path))
        temp.flush()
        ctx.trash.keep(
            Path(temp.name), item.path, "replaced in the bucket by the local one", sha256=digest
        )
    return etag


_SOMEBODY = "{}: somebody else's version is in the bucket; it was not overwritten"


def _refused(ctx: Context, item: Item, known: set[str]) -> tuple[Uploaded | None, str | None]:
    """After a 412: what is there? Ours (adopt it), one we know (its ETag), or nothing."""
    key = ctx.keys.data(item.path)
    try:
        info = ctx.store.head(key)
    except NotFound:
        return None, None
    digest = object_sha256(ctx, key, info.etag)
    if digest is None:
        raise CommitConflict(f"{item.path} keeps changing in the bucket")
    ours = _local_sha256(ctx, item)
    if digest == ours:
        return Uploaded(info.etag, info.size, digest), None
    if digest in known:
        return None, info.etag
    raise CommitConflict(_SOMEBODY.format(item.path))


def _local_sha256(ctx: Context, item: Item) -> str:
    return hash_file(ctx.cache.base / item.path, cancel=ctx.cancel)[0]
