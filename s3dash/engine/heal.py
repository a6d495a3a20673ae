"""Telling a deletion from an accident: an entry that is gone is looked at before it counts.

Invariant I6: an entry that is missing is a deletion only with a tombstone or a HEAD 404. An
object that is still there with the content we know was clobbered out of the index by a plain
client's overlapping commit, and its entry is put back.
"""

from dataclasses import replace
from functools import partial

from s3dash.core.diff import Verdict
from s3dash.core.plan import Change
from s3dash.engine import intents
from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.engine.observe import Observation
from s3dash.engine.pin import object_sha256
from s3dash.errors import NotFound, S3DashError

IN_FLIGHT = "its object is in the bucket, but not in the index: a write in flight"


def confirm_deletions(ctx: Context, seen: Observation) -> None:
    """Look at the object of every path that seems deleted in the bucket.

    Its verdict stays, becomes CLOBBERED, or the path is told as blocked (in flight). Raises
    what the store raises: nothing is deleted on a doubt.
    """
    asked = [c for c in seen.changes if c.verdict is Verdict.REMOTE_DELETED]
    if not asked:
        return
    answers: dict[str, Verdict | None] = {}
    work = each(
        partial(_look, ctx, seen),
        asked,
        workers=ctx.settings.pull_concurrency,
        cancel=ctx.cancel,
        name="s3dash-head",
    )
    for change, answer in work:
        if isinstance(answer, S3DashError):
            raise answer
        answers[change.path] = answer
    ctx.cancel.check()
    _honour_tombstones(ctx, seen, answers)
    for rel in (r for r, verdict in answers.items() if verdict is None):
        seen.blocked[rel] = IN_FLIGHT
    seen.changes[:] = [
        replace(c, verdict=answers.get(c.path) or c.verdict)
        for c in seen.changes
        if answers.get(c.path, c.verdict) is not None
    ]


def _look(ctx: Context, seen: Observation, change: Change) -> Verdict | None:
    """None: an object that we do not know is there."""
    row, key = seen.local.base[change.path], ctx.keys.data(change.path)
    try:
        info = ctx.store.head(key)
    except NotFound:
        return Verdict.REMOTE_DELETED
    if info.etag == row.etag:
        return Verdict.CLOBBERED
    same = info.size == row.size and object_sha256(ctx, key, info.etag) == row.sha256
    return Verdict.CLOBBERED if same else None


def _honour_tombstones(ctx: Context, seen: Observation, answers: dict[str, Verdict | None]) -> None:
    """A deletion on record whose object is still there: its deleter did not get that far."""
    doubtful = [rel for rel, verdict in answers.items() if verdict is Verdict.CLOBBERED]
    if not doubtful:
        return
    dead = intents.tombstones(ctx)
    for rel in doubtful:
        if seen.local.base[rel].tag in dead.get(rel, ()):
            answers[rel] = Verdict.REMOTE_DELETED
