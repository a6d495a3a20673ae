"""Uploads in parts that lie open in the bucket: whose they are, and giving some of them up."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import islice

from msgspec.structs import replace

from s3dash.clock import iso
from s3dash.core.cancel import CancelToken
from s3dash.core.endpoint import Aborted, OpenUploads, UploadRow
from s3dash.engine import uploads
from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.errors import NotFound, S3DashError
from s3dash.objectstore.port import OpenUpload

READERS = 8
MOST = 10_000
SIZED = 500
"""Uploads whose parts are asked for: a request each, or several for a very large one."""


def ours(ctx: Context) -> Collection[str]:
    """The ids of those that this cache began and has not finished."""
    return uploads.names(ctx)


def listed(ctx: Context, *, busy: bool) -> OpenUploads:
    """All below the prefix, the oldest first, with parts and bytes of the first 500.

    `busy`: an operation of this engine runs, so that ours may be in use. Raises what the store
    raises.
    """
    ours = uploads.names(ctx)
    found = [_row(u, ours, busy=busy) for u in islice(ctx.store.list_uploads(""), MOST)]
    found.sort(key=lambda row: (-(row.age_s or 0.0), row.key, row.upload_id))
    measured = each(
        lambda row: _measured(ctx, row),
        found[:SIZED],
        workers=READERS,
        cancel=ctx.cancel,
        name="s3dash-uploads",
    )
    by_id = {row.upload_id: row for row in found}
    for row, outcome in measured:
        if outcome is None:
            del by_id[row.upload_id]  # it went meanwhile
        elif isinstance(outcome, UploadRow):
            by_id[row.upload_id] = outcome
    ctx.cancel.check()
    return OpenUploads(rows=tuple(by_id.values()), at=ctx.now())


def _row(upload: OpenUpload, ours: Collection[str], *, busy: bool) -> UploadRow:
    mine = upload.upload_id in ours
    age = _since(upload.started, upload.server_time)
    return UploadRow(
        key=upload.key,
        upload_id=upload.upload_id,
        started=iso(upload.started) if upload.started else "",
        age_s=age,
        quiet_s=age,
        ours=mine,
        busy=mine and busy,
    )


def _measured(ctx: Context, row: UploadRow) -> UploadRow | None:
    """With its parts; None when there is no such upload any more."""
    count, size, latest = 0, 0, None
    try:
        for part in ctx.store.list_parts(row.key, row.upload_id):
            count, size = count + 1, size + part.size
            if part.modified is not None:
                latest = max(latest or part.modified, part.modified)
    except NotFound:
        return None
    quiet = _since(latest, ctx.store.server_time()) if latest else row.quiet_s
    return replace(row, parts=count, size=size, quiet_s=quiet)


def _since(then: datetime | None, now: datetime | None) -> float | None:
    if then is None or now is None:
        return None
    return max(0.0, (now - then).total_seconds())


def abort(
    ctx: Context,
    rows: Collection[UploadRow],
    *,
    turn: Callable[[], AbstractContextManager[object]],
    busy: Callable[[], bool],
    cancel: CancelToken,
) -> Aborted:
    """Give up exactly these, by key and id. Ours stay while an operation of this engine runs.

    `turn` keeps operations out while one of ours is given up. Aborting one that is gone is fine.
    """
    ours = uploads.names(ctx)
    done, kept, failed = 0, 0, []
    for row in rows:
        cancel.check()
        mine = ours.get(row.upload_id)
        if mine is not None and busy():
            kept += 1
            continue
        try:
            if mine is None:
                ctx.store.abort_upload(row.key, row.upload_id)
            else:
                with turn():
                    ctx.store.abort_upload(row.key, row.upload_id)
                    if row.upload_id in uploads.names(ctx):  # else the path has another one by now
                        uploads.forget(ctx, mine)
        except S3DashError as error:
            failed.append(f"{row.key}: {error.message}")
        else:
            done += 1
    if done:
        ctx.note("warning", "uploads", f"aborted {done} unfinished uploads in the bucket by hand")
    return Aborted(done, kept, tuple(failed))
