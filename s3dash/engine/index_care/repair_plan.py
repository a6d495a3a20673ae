"""What has to be done to put an index right. Decides, and writes nothing.

What is made anew is made of the objects; what was deleted on record stays deleted.
"""

from collections.abc import Mapping, Sequence

import msgspec

from s3dash.core.index import Document
from s3dash.core.index_care import Dropped, Mended, Step, Zombie
from s3dash.core.paths import is_data
from s3dash.core.text import count
from s3dash.engine.context import Context
from s3dash.engine.index_care.objects import data_objects
from s3dash.engine.index_care.picture import MONOLITH, Picture, document
from s3dash.engine.index_care.rebuild import Knowledge, doomed, rebuilt
from s3dash.engine.index_care.zombies import deleted, foreign, heads, home_of, misplaced
from s3dash.objectstore.port import ObjectInfo

UNFINISHED = "its deletion is on record, and its object is there: it got no entry"


class RepairPlan(msgspec.Struct):
    """By document (see `key_of`): `additions` entries as bytes, `removals` paths, `fresh` those
    that are made anew. `meta`: it has to be written, `version` what it is to say."""

    version: int
    steps: list[Mended] = msgspec.field(default_factory=list)
    left: list[Dropped] = msgspec.field(default_factory=list)
    additions: dict[str, dict[str, msgspec.Raw]] = msgspec.field(default_factory=dict)
    removals: dict[str, set[str]] = msgspec.field(default_factory=dict)
    fresh: set[str] = msgspec.field(default_factory=set)
    meta: bool = False

    def step(self, what: Step, name: str, reason: str) -> None:
        self.steps.append(Mended(what=what, name=name, reason=reason))


def make_plan(ctx: Context, picture: Picture, known: Knowledge) -> RepairPlan:
    """Lists the objects only when something is to be made anew of them. Raises what the store
    raises."""
    plan = RepairPlan(picture.version)
    if picture.version == 2:
        _plan_shards(ctx, picture, known, plan)
    else:
        _plan_monolith(ctx, picture, known, plan)
    if picture.meta_problem:
        if picture.version == 2:
            _plan_restored(ctx, picture, known, plan)
        plan.meta = True
        plan.step("meta", ctx.keys.meta.removeprefix(ctx.keys.root), _why_meta(picture))
    _plan_zombies(ctx, picture, known, plan)
    for name in picture.ruling:
        plan.left += [Dropped(path=r, reason=why) for r, why in picture.bad[name].items()]
    return plan


def _why_meta(picture: Picture) -> str:
    named = count(len(picture.names), "shard")
    return f"{picture.meta_problem}; made anew for {named}, version {picture.version}"


# --- what is made anew -------------------------------------------------------------------


def _plan_shards(ctx: Context, picture: Picture, known: Knowledge, plan: RepairPlan) -> None:
    for name in picture.dropped:
        plan.meta = True
        plan.step("dropped-shard", name, "it is there, but meta did not name it")
    lost = [*picture.missing, *sorted(picture.corrupt)]
    if not lost:
        return
    objects = _alive(data_objects(ctx), known, plan, only=set(lost))
    for name in lost:
        plan.fresh.add(name)
        mine = {
            rel: info
            for rel, info in objects.items()
            if home_of(rel) == name and not _is_elsewhere(picture, rel)
        }
        saved = known.saved(name, picture)
        entries = rebuilt(known, mine, copies=[saved] if saved else [])
        plan.additions[name] = entries
        found = f"made anew with {count(len(entries), 'entry', 'entries')} from the objects"
        if name in picture.corrupt:
            plan.step("corrupt-shard", name, f"{picture.corrupt[name]}; {found}")
        else:
            plan.step("missing-shard", name, f"meta names it, and it was not there; {found}")


def _is_elsewhere(picture: Picture, rel: str) -> bool:
    """Such an entry is moved, not made anew."""
    return any(rel in picture.entries[name] for name in picture.ruling)


def _plan_restored(ctx: Context, picture: Picture, known: Knowledge, plan: RepairPlan) -> None:
    """Nobody can tell which rule was in force: what the monolith alone names, and is there as it
    says, goes into the shards."""
    named = {rel for _, rel, _ in picture.all_entries()}
    named |= {rel for raws in plan.additions.values() for rel in raws}
    alone = {
        rel: entry
        for rel, entry in picture.entries.get(MONOLITH, {}).items()
        if rel not in named and rel not in known.tombstones and is_data(rel) and home_of(rel)
    }
    there = heads(ctx, alone)
    monolith = document(ctx, picture, MONOLITH) if alone else None
    for rel, info in there.items():
        home, raw = home_of(rel), monolith.raw(rel) if monolith else None
        if home is not None and raw is not None and info.size == alone[rel].size:
            plan.additions.setdefault(home, {})[rel] = raw
            plan.step("restored", rel, "only the old index had it, and its object is there")


def _plan_monolith(ctx: Context, picture: Picture, known: Knowledge, plan: RepairPlan) -> None:
    """Version 1: the shards are copies, which help to make the monolith anew, and follow it.

    Where there is no index at all it becomes one of version 1, too: that is one write, so that
    nobody ever reads a part of it.
    """
    problem = picture.monolith_problem or ("" if picture.version else "there was no index")
    raws = None
    if problem:
        objects = _alive(data_objects(ctx), known, plan)
        if not (picture.version or objects):
            return
        plan.version = 1
        copies = [known.saved(MONOLITH, picture)]
        copies += [document(ctx, picture, name) for name in sorted(picture.names)]
        raws = rebuilt(known, objects, copies=[c for c in copies if c is not None], trusted=True)
        plan.fresh.add(MONOLITH)
        plan.additions[MONOLITH] = raws
        made = f"made anew with {count(len(raws), 'entry', 'entries')} from the objects"
        plan.step("monolith", ctx.keys.monolith.removeprefix(ctx.keys.root), f"{problem}; {made}")
    for name in sorted(picture.corrupt):
        plan.fresh.add(name)
        plan.additions[name] = _copied(ctx, picture, name, raws)
        plan.step("corrupt-shard", name, f"{picture.corrupt[name]}; copied from the monolith")


def _copied(
    ctx: Context, picture: Picture, name: str, raws: Mapping[str, msgspec.Raw] | None
) -> dict[str, msgspec.Raw]:
    if raws is not None:
        return {rel: raw for rel, raw in raws.items() if home_of(rel) == name}
    monolith = document(ctx, picture, MONOLITH) or Document.empty()
    found = {rel: monolith.raw(rel) for rel in monolith.rels() if home_of(rel) == name}
    return {rel: raw for rel, raw in found.items() if raw is not None}


def _alive(
    objects: Mapping[str, ObjectInfo],
    known: Knowledge,
    plan: RepairPlan,
    *,
    only: set[str] | None = None,
) -> dict[str, ObjectInfo]:
    """Without the versions whose deletion is on record. `only`: of these shards."""
    mine = {r: i for r, i in objects.items() if only is None or home_of(r) in only}
    dead = doomed(known, mine)
    plan.left += [Dropped(path=rel, reason=UNFINISHED) for rel in sorted(dead)]
    return {rel: info for rel, info in mine.items() if rel not in dead}


# --- zombies -----------------------------------------------------------------------------


def _plan_zombies(ctx: Context, picture: Picture, known: Knowledge, plan: RepairPlan) -> None:
    zombies = list(misplaced(picture, foreign(ctx, picture)))
    zombies += deleted(ctx, picture, zombies, known.tombstones)
    strays = [z for z in zombies if z.home]
    raws = _strays(ctx, picture, known, strays)
    for zombie in sorted(zombies, key=lambda z: (z.path, z.shard)):
        where = zombie.shard or ctx.keys.monolith.removeprefix(ctx.keys.root)
        plan.removals.setdefault(zombie.shard, set()).add(zombie.path)
        if not zombie.home:
            plan.step("zombie", zombie.path, f"{zombie.reason} (in {where})")
        elif zombie.path not in plan.additions.get(zombie.home, {}):
            plan.additions.setdefault(zombie.home, {})[zombie.path] = raws[zombie.path]
            plan.step("moved", zombie.path, f"it lay in {where}, and belongs in {zombie.home}")


def _strays(
    ctx: Context, picture: Picture, known: Knowledge, strays: Sequence[Zombie]
) -> dict[str, msgspec.Raw]:
    """What is written where they belong: their own bytes, unless their object is another one."""
    said = {z.path: picture.entries[z.shard][z.path] for z in strays}
    there = heads(ctx, said)
    other = {rel: info for rel, info in there.items() if info.size != said[rel].size}
    raws = rebuilt(known, other, copies=())
    for zombie in strays:
        source = document(ctx, picture, zombie.shard) or Document.empty()
        raw = source.raw(zombie.path)
        if zombie.path not in raws and raw is not None:
            raws[zombie.path] = raw
    return raws
