"""Carrying out the upward half of a plan: upload, commit, delete, in that order.

Kept here: I1 (an entry is written only after its object is durable with that SHA-256).
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from s3dash.clock import iso
from s3dash.core.index import Entry
from s3dash.core.plan import Action, Item, Plan, conflict_of
from s3dash.core.report import Failed, Result
from s3dash.engine import catalog_export, commit, uploads
from s3dash.engine.announce import Announcer
from s3dash.engine.context import Context, new_nonce
from s3dash.engine.lane import Course, Lane, standstill
from s3dash.engine.observe import Observation
from s3dash.engine.publish import Work, publish
from s3dash.engine.recover import Leftovers
from s3dash.engine.transfer import Ready, Sent, send
from s3dash.errors import Cancelled, CommitConflict, S3DashError, TransferCancelled
from s3dash.local.scan import FileStat
from s3dash.local.state import JournalRow
from s3dash.objectstore.port import Capabilities

BATCH = 256


def run(
    ctx: Context,
    plan: Plan,
    seen: Observation,
    result: Result,
    *,
    can: Capabilities,
    leftovers: Leftovers,
) -> None:
    """Uploads, commit and remote deletions. Counts into `result`.

    After any failure, or a transfer that the user cancelled, deletions are skipped: they stay to
    be done.
    """
    work = Work(nonce=ctx.nonce())
    _upload(ctx, plan, seen, result, work, leftovers, can)
    ctx.cancel.check()
    if not (result.failed or result.cancelled):
        work.removed = plan.by(Action.DELETE_REMOTE)
    work.restored = plan.by(Action.RESTORE)
    edits = _edits(ctx, seen, work)
    if edits or leftovers.unfinished or seen.remote.is_broken:
        publish(ctx, seen, result, work, edits, can=can, left=leftovers)
        catalog_export.owe(ctx)
        ctx.state.journal_clear(leftovers.standing.keys() - work.unsure)


# --- uploads ----------------------------------------------------------------------------


def _upload(
    ctx: Context,
    plan: Plan,
    seen: Observation,
    result: Result,
    work: Work,
    left: Leftovers,
    can: Capabilities,
) -> None:
    items = plan.by(Action.UPLOAD)
    rows = {i.path: ctx.accounting.queue("up", i.path, i.size) for i in items}
    nonces, ready = dict[str, str](), dict[str, Ready]()

    def upload(item: Item, runs: int) -> Sent:
        nonce = nonces.setdefault(item.path, new_nonce())
        row, read = rows[item.path], ready.pop(item.path, None)
        again = runs > 1
        return send(ctx, seen, left.uploads, item, row, can, nonce=nonce, ready=read, resumed=again)

    announcer = Announcer(ctx, seen, work, left, can, ready)
    course = _course(ctx, announcer)
    lane = Lane(ctx.traffic, upload, [(i, rows[i.path]) for i in items], course)
    fresh: list[Sent] = []
    try:
        for item, outcome in lane.run():
            if isinstance(outcome, TransferCancelled):
                result.cancelled.append(item.path)
                uploads.give_up(ctx, item.path)
            elif isinstance(outcome, S3DashError):
                _tell(result, item, outcome)
            else:
                fresh.append(outcome)
            if len(fresh) >= BATCH:
                _journal(ctx, work, fresh)
                fresh = []
    finally:
        _journal(ctx, work, fresh)
        for row in rows.values():
            if row.state in ("queued", "paused"):
                ctx.accounting.finish(row, "cancelled")
        work.unsure = nonces.keys() - {sent.item.path for sent in work.sent}
        ctx.state.journal_clear(rows.keys() - nonces.keys() - left.uploads.keys())


def _course(ctx: Context, announcer: Announcer) -> Course[Item]:
    return Course(
        limit=lambda: ctx.traffic.limit("up"),
        cancel=ctx.cancel,
        name="s3dash-push",
        announce=announcer.announce,
        still=lambda paused: ctx.stage.enter("pushing", standstill(paused)),
    )


def _journal(ctx: Context, work: Work, fresh: Iterable[Sent]) -> None:
    """Remember what is in the bucket but not yet in the index."""
    now, rows = ctx.now(), list[JournalRow]()
    for sent in fresh:
        work.sent.append(sent)
        remote, version = sent.item.change.remote, sent.version
        rows.append(
            JournalRow(
                commit_id=work.nonce,
                rel=sent.item.path,
                action="upload",
                sha256=version.sha256,
                size=version.size,
                etag=version.etag,
                over=remote.tag if remote else None,
                at=now,
            )
        )
    if rows:
        ctx.state.journal_add(rows)


def _tell(result: Result, item: Item, error: S3DashError) -> None:
    if isinstance(error, CommitConflict):
        result.conflicts.append(conflict_of(item.change))
    elif not isinstance(error, Cancelled):
        result.failed.append(Failed(item.path, error.message))


# --- what the index shall say -----------------------------------------------------------


def _edits(ctx: Context, seen: Observation, work: Work) -> list[commit.Edit]:
    now = ctx.now()
    edits = []
    for sent in work.sent:
        remote = sent.item.change.remote
        entry = Entry(
            key=sent.item.path,
            size=sent.version.size,
            lastModified=now,
            localMtime=file_time(sent.stat),
            sha256=sent.version.sha256,
        )
        over, etag = remote.tag if remote else None, sent.version.etag
        edits.append(commit.Edit(sent.item.path, entry, over, etag))
    for item in work.removed:
        remote = item.change.remote
        edits.append(commit.Edit(item.path, None, remote.tag if remote else None))
    for item in work.restored:
        remote = item.change.remote
        entry = _known_entry(seen, item.path, now)
        edits.append(commit.Edit(item.path, entry, remote.tag if remote else None))
    return edits


def _known_entry(seen: Observation, rel: str, now: str) -> Entry:
    row = seen.local.base[rel]
    mtime = file_time(row.stat) if row.stat else None
    return Entry(key=rel, size=row.size, lastModified=now, localMtime=mtime, sha256=row.sha256)


def file_time(stat: FileStat) -> str:
    """A file's modification time as the wire has it."""
    return iso(datetime.fromtimestamp(stat.mtime_ns / 1e9, UTC))
