"""Putting an index right, under the global lock. Everything that is replaced is kept readable.

Additions are written before removals, and meta last, so that no reader ever misses an entry; each
step can be done again, and a repair that was killed is ended by the next.
"""

from s3dash.clock import iso
from s3dash.core.index import Document
from s3dash.core.index_care import Dropped, Mended, Repaired
from s3dash.engine import commit, origin
from s3dash.engine.context import Context
from s3dash.engine.drain import drained
from s3dash.engine.index_care.lost_meta import last_seq
from s3dash.engine.index_care.picture import MONOLITH, Picture, document, key_of, look
from s3dash.engine.index_care.rebuild import Knowledge
from s3dash.engine.index_care.repair_plan import RepairPlan, make_plan
from s3dash.engine.index_care.writing import Pen
from s3dash.engine.lease import Lease
from s3dash.errors import CommitConflict
from s3dash.objectstore.port import Capabilities


def preview(ctx: Context) -> Repaired:
    """What a repair would do. Writes nothing, takes no lock. Raises as `repair` does."""
    plan = _plan(ctx, Knowledge.of(ctx))[1]
    return Repaired(dry_run=True, done=tuple(plan.steps), left=tuple(plan.left))


def repair(ctx: Context, can: Capabilities) -> Repaired:
    """Takes no lock when there is nothing to do.

    Raises IndexCorrupt for a version that we do not know, LockHeld, LockLost, CommitConflict,
    Cancelled, and what the store raises.
    """
    known = Knowledge.of(ctx)
    first = _plan(ctx, known)[1]
    if not first.steps:
        return Repaired(dry_run=False, left=tuple(first.left))
    with drained(ctx, can, operation="index") as lease:
        ctx.stage.enter("committing", "repairing the index")
        origin.ensure(ctx, guard=lease.guard)
        known.refresh()
        done = _carry_out(ctx, known, lease)
    for step in done.done:
        ctx.note("warning", "index", f"repaired {step.name}: {step.reason}")
    if done.kept:
        ctx.note("info", "index", f"what was replaced is kept below {done.kept}")
    return done


def _plan(ctx: Context, known: Knowledge) -> tuple[Picture, RepairPlan]:
    with ctx.stage.during("comparing", "reading the index"):
        picture = look(ctx, known=known.docs)
        return picture, make_plan(ctx, picture, known)


def _carry_out(ctx: Context, known: Knowledge, lease: Lease) -> Repaired:
    """Plan and apply, until a look says that nothing is left to be done."""
    pen = Pen(ctx, lease, ctx.nonce())
    steps: dict[tuple[str, str], Mended] = {}
    left: dict[str, Dropped] = {}
    seq = None
    for _ in range(commit.ROUNDS):
        picture, plan = _plan(ctx, known)
        left |= {row.path: row for row in plan.left}
        if not plan.steps:
            return Repaired(
                dry_run=False,
                done=tuple(steps.values()),
                left=tuple(left.values()),
                kept=pen.kept,
                commit_seq=seq,
            )
        for step in plan.steps:
            steps.setdefault((step.what, step.name), step)
        seq = _apply(ctx, pen, picture, plan) or seq
    raise CommitConflict(
        "the index kept changing while it was repaired",
        hint="another client writes without the lock; try again, the next run goes on",
    )


def _apply(ctx: Context, pen: Pen, picture: Picture, plan: RepairPlan) -> int | None:
    """The new commitSeq; None on version 1, or when something moved: then once more."""
    touched = plan.fresh | plan.additions.keys() | plan.removals.keys()
    keys = {key_of(ctx, name) for name in touched} | ({ctx.keys.meta} if plan.meta else set())
    pen.keep(keys, picture)
    seq = _next_seq(ctx, picture) if plan.version == 2 else 0
    pen.announce(seq)
    added = {n: _with_additions(ctx, picture, plan, n) for n in plan.fresh | plan.additions.keys()}
    if not pen.put(added, picture):
        return None
    removed = {name: _without_removals(ctx, picture, plan, name) for name in plan.removals}
    if not pen.put(removed, picture):
        return None
    if plan.version == 1 and not plan.meta:
        return None
    names = sorted((picture.partitions | picture.names | touched) - {MONOLITH})
    changes: dict[str, object] = {"version": plan.version, "partitions": names}
    if plan.version == 2:
        changes |= {"commitSeq": seq, "writer": f"{ctx.identity.client} {pen.nonce}"}
    anew = picture.meta is None
    return seq if pen.put_meta(picture, changes, anew=anew) and plan.version == 2 else None


def _next_seq(ctx: Context, picture: Picture) -> int:
    """One more than what was just read; without a meta, than what anybody is known to have made."""
    return (picture.meta.commitSeq if picture.meta else last_seq(ctx)) + 1


def _with_additions(ctx: Context, picture: Picture, plan: RepairPlan, name: str) -> bytes:
    found = None if name in plan.fresh else document(ctx, picture, name)
    shard = found or Document.empty()
    for rel, raw in plan.additions.get(name, {}).items():
        shard.take(rel, raw)
    return _encoded(ctx, shard, name)


def _without_removals(ctx: Context, picture: Picture, plan: RepairPlan, name: str) -> bytes:
    """Of the document as it is after the additions."""
    shard = Document.decode(picture.docs[key_of(ctx, name)].body, name=key_of(ctx, name))
    for rel in plan.removals[name]:
        shard.remove(rel)
    return _encoded(ctx, shard, name)


def _encoded(ctx: Context, shard: Document, name: str) -> bytes:
    if name == MONOLITH:
        shard.set("lastPulled", iso(ctx.clock.now()))
    return shard.encode()
