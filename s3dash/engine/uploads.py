"""Uploads in parts that are not finished: remembered, continued, or given up.

An upload that a crash or a lost connection cut off stays open in the bucket, with the parts that
arrived. The state file knows its name and the file it was read from. The same file goes on where
it broke off; when the file has changed, or nobody wants it any more, the upload is aborted. Only
what this state file began is aborted: anything else may be another machine at work.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

import msgspec

from s3dash.core.diff import Verdict
from s3dash.core.plan import Change, Item
from s3dash.core.progress import Transfer
from s3dash.engine.context import Context
from s3dash.engine.observe import Observation
from s3dash.errors import NotFound, PathBlocked, S3DashError, StoreError
from s3dash.local.scan import FileStat
from s3dash.objectstore.abandoned import abandoned, sentence
from s3dash.objectstore.port import Begun, OpenUpload, Part

ASKED_S = 900.0
"""Between the answer that told us the server's time and the request that began an upload."""
LOOK_EVERY_S = 86_400.0
LARGE = 16 << 20
_FACT = "upload:"
_LOOKED = "uploads-looked-at"


class Unfinished(msgspec.Struct, frozen=True):
    """One such upload. `stat` is the file's; None: a copy on the server, never continued.

    Without an `upload_id` it was asked for, at the server's time `asked`, and may be open.
    """

    upload_id: str = ""
    part_size: int = 0
    nonce: str = ""
    stat: tuple[int, int, int, int] | None = None
    asked: datetime | None = None


class UploadJournal:
    """Implements `UploadLog` for one path: `stat` of the file that is sent, `row` to show it."""

    def __init__(
        self, ctx: Context, rel: str, *, stat: FileStat | None = None, row: Transfer | None = None
    ) -> None:
        self._ctx = ctx
        self._rel = rel
        self._stat = _values(stat)
        self._row = row

    def begun(self) -> Begun | None:
        """Raises what the store raises when the upload of an older file cannot be aborted."""
        noted = _read(self._ctx, self._rel)
        if noted is None:
            return None
        if noted.upload_id and self._stat is not None and noted.stat == self._stat:
            self._show(noted.part_size)
            return Begun(noted.upload_id, noted.part_size, noted.nonce)
        _give_up(self._ctx, self._rel, noted)
        return None

    def intend(self) -> None:
        self.begun()  # one upload to a path: another one goes first
        self._note(Unfinished(asked=self._ctx.store.server_time()))

    def begin(self, begun: Begun) -> None:
        self._note(Unfinished(begun.upload_id, begun.part_size, begun.nonce, self._stat))
        self._show(begun.part_size)

    def kept(self, count: int) -> None:
        if self._row is not None:
            self._ctx.accounting.kept(self._row, count)

    def over(self) -> None:
        self._ctx.state.unset(_FACT + self._rel)

    def _show(self, part_size: int) -> None:
        if self._row is not None:
            self._row.part_size = part_size

    def _note(self, upload: Unfinished) -> None:
        self._ctx.state.set(_FACT + self._rel, msgspec.json.encode(upload).decode())


def tidy(ctx: Context, seen: Observation) -> None:
    """Abort what we began and nobody wants any more: the file is gone, changed or in sync."""
    facts = ctx.state.facts(_FACT)
    if not facts:
        return
    wanted = {change.path for change in seen.changes if _may_be_sent(change)}
    for rel in sorted(fact.removeprefix(_FACT) for fact in facts):
        noted = _read(ctx, rel)
        if noted is None or (noted.upload_id and rel in wanted and _is_file(ctx, rel, noted)):
            continue
        give_up(ctx, rel)


def give_up(ctx: Context, rel: str) -> None:
    """Abort what we began for this path; what cannot be aborted now is told, and `tidy` or the
    next push of the path sees to it."""
    try:
        noted = _read(ctx, rel)
        if noted is not None:
            _give_up(ctx, rel, noted)
    except StoreError as error:
        ctx.note("warning", "push", f"{rel}: an unfinished upload stays: {error.message}")


def names(ctx: Context) -> dict[str, str]:
    """The ids of the uploads that this state file began and has not finished, with their paths."""
    paths = (fact.removeprefix(_FACT) for fact in ctx.state.facts(_FACT))
    noted = ((_read(ctx, rel), rel) for rel in paths)
    return {upload.upload_id: rel for upload, rel in noted if upload and upload.upload_id}


def forget(ctx: Context, rel: str) -> None:
    """The upload of this path was given up: the next push begins a new one."""
    ctx.state.unset(_FACT + rel)


def look_for_abandoned(ctx: Context, items: Iterable[Item]) -> None:
    """With large uploads, once a day: tell of what somebody left behind. Never aborts it."""
    if not any(item.size > LARGE for item in items) or not _is_due(ctx):
        return
    try:
        found = abandoned(ctx.store, prefix=ctx.keys.root)
    except S3DashError:
        return  # a look that may be forbidden, and that nothing depends on
    if found:
        ctx.note("warning", "push", sentence(found))


def _is_due(ctx: Context) -> bool:
    now = ctx.clock.now().timestamp()
    with suppress(ValueError):  # a damaged note: it is due
        if 0 <= now - float(ctx.state.get(_LOOKED) or 0.0) < LOOK_EVERY_S:
            return False
    ctx.state.set(_LOOKED, str(now))
    return True


def _read(ctx: Context, rel: str) -> Unfinished | None:
    text = ctx.state.get(_FACT + rel)
    try:
        return msgspec.json.decode(text, type=Unfinished) if text else None
    except msgspec.DecodeError:
        return None  # a damaged note: the bucket's own rules remove the upload


def _give_up(ctx: Context, rel: str, noted: Unfinished) -> None:
    key = ctx.keys.data(rel)
    for upload_id in [noted.upload_id] if noted.upload_id else _nameless(ctx, key, noted.asked):
        ctx.store.abort_upload(key, upload_id)
    ctx.state.unset(_FACT + rel)


def _nameless(ctx: Context, key: str, asked: datetime | None) -> list[str]:
    """The upload that we asked for and never learned the name of, if it is open.

    It has this very key, was begun when we asked, and has no part: none is sent before the name
    is known here. Should it be another machine's after all, that one only begins anew.
    """
    if asked is None:
        return []
    return [
        upload.upload_id
        for upload in ctx.store.list_uploads(key)
        if upload.key == key
        and upload.started is not None
        and 0 <= (upload.started - asked).total_seconds() <= ASKED_S
        and next(_parts(ctx, upload), None) is None
    ]


def _parts(ctx: Context, upload: OpenUpload) -> Iterator[Part]:
    with suppress(NotFound):  # it went meanwhile
        yield from ctx.store.list_parts(upload.key, upload.upload_id)


def _may_be_sent(change: Change) -> bool:
    return change.local is not None and change.verdict is not Verdict.CONVERGED


def _is_file(ctx: Context, rel: str, noted: Unfinished) -> bool:
    try:
        found = FileStat.of(ctx.cache.target(rel).lstat())
    except (OSError, PathBlocked):
        return False
    return noted.stat == _values(found)


def _values(stat: FileStat | None) -> tuple[int, int, int, int] | None:
    return (stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode) if stat else None
