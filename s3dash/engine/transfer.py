"""Sending one file: conditional, hashed on the way, its version journalled.

Every overwrite is a compare-and-swap on the version that the index was known to name. A refusal
is looked at: our own bytes are there already (a lost reply, an interrupted push), or an older
version that we know under another ETag, or somebody else's (scenarios 1, 27, 29, 46).
"""

import hashlib
from functools import partial
from pathlib import Path

import msgspec

from s3dash.core.plan import Item
from s3dash.core.progress import Transfer
from s3dash.engine.context import Context
from s3dash.engine.copies import claim_of, copied
from s3dash.engine.jobs import retrying
from s3dash.engine.observe import CLASHES, Observation, wall_ns
from s3dash.engine.pin import is_abandoned, object_sha256
from s3dash.engine.uploads import UploadJournal
from s3dash.errors import (
    Cancelled,
    CommitConflict,
    ForeignVersion,
    LocalChanged,
    NotFound,
    PreconditionFailed,
    S3DashError,
    TransferPaused,
)
from s3dash.local.scan import FileStat, hash_file
from s3dash.local.state import JournalRow
from s3dash.local.trash import Reason
from s3dash.objectstore.port import Capabilities, Uploaded
from s3dash.objectstore.source import Held

DEFAULT_TYPE = "application/octet-stream"
CONTENT_TYPES = {
    "json": "application/json",
    "yaml": "text/yaml; charset=utf-8",
    "yml": "text/yaml; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "log": "text/plain; charset=utf-8",
}
"""As the plain clients set them, by extension."""


class Sent(msgspec.Struct, frozen=True):
    """A file that is durable in the bucket, and the local file it was read from.

    `read_ns` is the wall time before it was read. `copied`: on the server, no bytes were sent.
    """

    item: Item
    version: Uploaded
    stat: FileStat
    read_ns: int
    copied: bool = False


class Ready(msgspec.Struct, frozen=True):
    """A small file that was read before its turn, so that it is read once. `read_ns` is the wall
    time before."""

    held: Held
    read_ns: int


def content_type(rel: str) -> str:
    return CONTENT_TYPES.get(rel.rpartition(".")[2].lower(), DEFAULT_TYPE)


def send(
    ctx: Context,
    seen: Observation,
    journal: dict[str, JournalRow],
    item: Item,
    row: Transfer,
    can: Capabilities,
    *,
    nonce: str,
    ready: Ready | None = None,
    resumed: bool = False,
) -> Sent:
    """Upload one file. Raises CommitConflict when somebody else's bytes are there.

    `nonce` is the same when a paused one is `resumed`: it knows by that what it left there. What is
    `ready` is sent as it was read, while the file is still that one.
    """
    try:
        ctx.cancel.check()
        sent = retrying(
            lambda attempt: _attempt(
                ctx,
                seen,
                journal.get(item.path),
                item,
                row,
                can,
                nonce,
                attempt,
                again=resumed,
                ready=ready if attempt == 1 else None,
            ),
            patience=ctx.patience,
        )
    except TransferPaused:
        raise
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
    can: Capabilities,
    nonce: str,
    attempt: int,
    *,
    again: bool,
    ready: Ready | None,
) -> Sent:
    row.attempt = attempt
    ctx.accounting.start(row)
    ctx.traffic.check(row, first=True)
    if item.source is not None and unfinished is None and attempt == 1 and not again:
        there = copied(ctx, seen, item, can, nonce=nonce)
        if there is not None:
            ctx.accounting.resize(row, 0)
            stat = seen.local.scan.files[item.path]
            return Sent(item, there, stat, seen.local.taken_ns, copied=True)
    read_ns = ready.read_ns if ready else wall_ns(ctx)
    stat = FileStat.of(ready.held.stat) if ready else _stat(ctx, item.path)
    source = ready.held if ready else ctx.cache.base / item.path
    ctx.accounting.resize(row, stat.size)
    known = _ours(seen, item, unfinished)
    if item.source is not None:
        known.add(hashlib.sha256(claim_of(nonce)).hexdigest())
    version = _expected(ctx, seen, item, unfinished, known)
    if item.change.verdict in CLASHES:
        _announce(ctx, item, nonce, unfinished)
    try:
        return Sent(item, _put(ctx, item.path, source, version, row, stat), stat, read_ns)
    except PreconditionFailed:
        ours = _local_sha256(ctx, item)
        found = _present(ctx, seen, item, known | {ours})
    if found is not None and found.sha256 == ours:
        return Sent(item, found, stat, read_ns)
    ctx.accounting.start(row)
    version = found.etag if found is not None else None
    try:
        return Sent(item, _put(ctx, item.path, source, version, row, stat), stat, read_ns)
    except PreconditionFailed as error:
        raise CommitConflict(f"{item.path} keeps changing in the bucket") from error


def _stat(ctx: Context, rel: str) -> FileStat:
    try:
        return FileStat.of(ctx.cache.target(rel).lstat())
    except FileNotFoundError as error:
        raise LocalChanged(f"{rel} is gone; it was there a moment ago") from error


def _put(
    ctx: Context,
    rel: str,
    source: Path | Held,
    version: str | None,
    row: Transfer,
    stat: FileStat,
) -> Uploaded:
    return ctx.store.upload(
        ctx.keys.data(rel),
        source,
        if_match=version,
        if_none_match=version is None,
        content_type=content_type(rel),
        on_bytes=partial(ctx.moved, row),
        log=UploadJournal(ctx, rel, stat=stat, row=row),
    )


def _ours(seen: Observation, item: Item, unfinished: JournalRow | None) -> set[str]:
    """SHA-256 of the versions that this machine has had: they may be overwritten."""
    change, known = item.change, set()
    row = seen.local.base.get(item.path)
    if row is not None and change.verdict not in CLASHES:
        known.add(row.sha256)
    if change.verdict in CLASHES and change.local is not None and change.local.sha256:
        known.add(change.local.sha256)
    if unfinished is not None:
        known.add(unfinished.sha256)
    return known


def _expected(
    ctx: Context,
    seen: Observation,
    item: Item,
    unfinished: JournalRow | None,
    known: set[str],
) -> str | None:
    """The ETag to match; None: there should be no object."""
    row, remote = seen.local.base.get(item.path), item.change.remote
    clash = item.change.verdict in CLASHES
    if unfinished is not None and unfinished.etag and not clash:
        return unfinished.etag
    if remote is None:
        return None
    if row is not None and row.etag and row.tag == remote.tag and not clash:
        return row.etag
    found = _present(ctx, seen, item, known)
    return found.etag if found is not None else None


def _present(ctx: Context, seen: Observation, item: Item, known: set[str]) -> Uploaded | None:
    """The version in the bucket, which may now be overwritten; None: there is no object.

    What is neither `known` nor what we have goes to the trash first: the version that the index
    named when the plan was made, or one that no index has named for a day. Raises ForeignVersion
    for any other.
    """
    key = ctx.keys.data(item.path)
    try:
        info = ctx.store.head(key)
    except NotFound:
        return None
    with ctx.cache.staging() as temp:
        digest = object_sha256(ctx, key, info.etag, temp)
        if digest is None:
            raise CommitConflict(f"{item.path} keeps changing in the bucket")
        if digest not in known and digest != _local_sha256(ctx, item):
            if not _is_chosen(seen, item, digest) and not is_abandoned(info):
                raise ForeignVersion(
                    f"{item.path}: somebody else's version is in the bucket; it was not overwritten"
                )
            temp.flush()
            ctx.trash.keep(Path(temp.name), item.path, Reason.OVERWRITTEN, sha256=digest)
    return Uploaded(info.etag, info.size, digest)


def _announce(ctx: Context, item: Item, nonce: str, unfinished: JournalRow | None) -> None:
    """Journal an upload over the other side's version before it is sent.

    After a crash the index would name what only our trash still has.
    """
    local, remote = item.change.local, item.change.remote
    if local is None or local.sha256 is None:
        return
    over = remote.tag if remote else None
    if unfinished is not None:
        ctx.state.attempt([(item.path, unfinished.sha256)])
    row = JournalRow(nonce, item.path, "upload", local.sha256, local.size, None, over, ctx.now())
    ctx.state.journal_add([row])


def _is_chosen(seen: Observation, item: Item, digest: str) -> bool:
    """The other side's version, as the plan showed it."""
    change = item.change
    if change.remote is None:
        return False
    if change.remote.sha256 is None:  # without an index it may be a first push in the middle
        return change.verdict in CLASHES and not seen.remote.rebuilt
    return change.remote.sha256 == digest


def _local_sha256(ctx: Context, item: Item) -> str:
    return hash_file(ctx.cache.base / item.path, cancel=ctx.cancel)[0]
