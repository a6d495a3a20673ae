"""Carrying out the upward half of a plan: upload, commit, delete, in that order.

Kept here: I1 (an entry is written only after its object is durable with that SHA-256).
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from s3dash.clock import iso
from s3dash.core.index import Entry
from s3dash.core.plan import Action, Item, Plan, conflict_of
from s3dash.core.report import Failed, Result
from s3dash.engine import commit
from s3dash.engine.context import Context, new_nonce
from s3dash.engine.jobs import each
from s3dash.engine.observe import Observation
from s3dash.engine.publish import Work, publish
from s3dash.engine.recover import Leftovers
from s3dash.engine.transfer import Sent, send
from s3dash.errors import Cancelled, CommitConflict, S3DashError
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

    After any failure deletions are skipped: they stay to be done.
    """
    work = Work(nonce=new_nonce())
    _upload(ctx, plan, seen, result, work, leftovers)
    ctx.cancel.check()
    if not result.failed:
        work.removed = plan.by(Action.DELETE_REMOTE)
    work.restored = plan.by(Action.RESTORE)
    edits = _edits(ctx, seen, work)
    if edits or leftovers.deletes or seen.remote.rebuilt:
        publish(ctx, seen, result, work, edits, can=can, left=leftovers)


# --- uploads ----------------------------------------------------------------------------


def _upload(
    ctx: Context, plan: Plan, seen: Observation, result: Result, work: Work, left: Leftovers
) -> None:
    items = plan.by(Action.UPLOAD)
    rows = {i.path: ctx.accounting.queue("up", i.path, i.size) for i in items}
    jobs = each(
        lambda item: send(ctx, seen, left.uploads, item, rows[item.path]),
        items,
        workers=ctx.settings.push_concurrency,
        cancel=ctx.cancel,
        name="s3dash-push",
    )
    fresh: list[Sent] = []
    try:
        for item, outcome in jobs:
            if isinstance(outcome, S3DashError):
                _tell(result, item, outcome)
                continue
            fresh.append(outcome)
            if len(fresh) >= BATCH:
                _journal(ctx, work, fresh)
                fresh = []
    finally:
        _journal(ctx, work, fresh)
        for row in rows.values():
            if row.state == "queued":
                ctx.accounting.finish(row, "cancelled")


def _journal(ctx: Context, work: Work, fresh: Iterable[Sent]) -> None:
    """Remember what is in the bucket but not yet in the index."""
    rows = []
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
                at=ctx.now(),
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
        edits.append(commit.Edit(sent.item.path, entry, remote.tag if remote else None))
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
