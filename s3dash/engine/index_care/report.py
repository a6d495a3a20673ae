"""From what was seen to what is told."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from s3dash.core.index import Entry
from s3dash.core.index_care import (
    Corrupt,
    MetaFacts,
    MissingObject,
    MonolithFacts,
    Orphan,
    Verified,
    WrongObject,
    Zombie,
)
from s3dash.engine.context import Context
from s3dash.engine.index_care.picture import MONOLITH, Picture

Problem = MissingObject | WrongObject


class Seen(msgspec.Struct):
    """The index as it was looked at. `unfit` entries are none to act on, with a reason each."""

    picture: Picture
    zombies: list[Zombie]
    entries: Mapping[str, Entry]
    unfit: dict[str, str] = msgspec.field(default_factory=dict)


def report(
    ctx: Context,
    now: Seen,
    found: Sequence[Problem],
    orphans: Sequence[Orphan],
    *,
    read: tuple[int, int],
    seed: int,
) -> Verified:
    """`found` and `orphans` are confirmed; `read`: how many contents were, and their bytes."""
    picture = now.picture
    wrong = [p for p in found if isinstance(p, WrongObject)] + list(_unfit(now))
    missing = [p for p in found if isinstance(p, MissingObject)]
    named = {rel for _, rel, _ in picture.all_entries()} | now.unfit.keys()
    amiss = {w.path for w in wrong} | {m.path for m in missing} | {z.path for z in now.zombies}
    return Verified(
        version=picture.version,
        checked=len(named),
        ok=len(named - amiss),
        read=read[0],
        bytes_read=read[1],
        unhashed=sum(entry.sha256 is None for entry in now.entries.values()),
        seed=seed,
        missing=tuple(sorted(missing, key=lambda m: m.path)),
        wrong=tuple(sorted(wrong, key=lambda w: w.path)),
        orphans=tuple(sorted(orphans, key=lambda o: o.path)),
        dropped_shards=tuple(picture.dropped),
        missing_shards=tuple(picture.missing),
        corrupt_shards=tuple(
            Corrupt(name=name, reason=why) for name, why in sorted(picture.corrupt.items())
        ),
        zombies=tuple(sorted(now.zombies, key=lambda z: (z.path, z.shard))),
        meta=_meta(ctx, picture),
        monolith=_monolith(ctx, picture, lost=picture.version == 0 and bool(orphans)),
    )


def _unfit(now: Seen) -> Iterable[WrongObject]:
    for rel, reason in now.unfit.items():
        yield WrongObject(path=rel, reason=reason, expected="", found="")


def _meta(ctx: Context, picture: Picture) -> MetaFacts:
    meta = picture.meta
    return MetaFacts(
        present=ctx.keys.meta in picture.docs,
        version=meta.version if meta else 0,
        commit_seq=meta.commitSeq if meta else 0,
        partitions=len(picture.partitions),
        problem=picture.meta_problem,
    )


def _monolith(ctx: Context, picture: Picture, *, lost: bool) -> MonolithFacts:
    """In version 2 nobody reads it any more, so that nothing can be wrong with it."""
    problem = picture.monolith_problem if picture.version == 1 else ""
    return MonolithFacts(
        present=ctx.keys.monolith in picture.docs,
        rules=picture.version == 1,
        entries=len(picture.entries.get(MONOLITH, ())),
        problem="there is no index, but there are objects" if lost else problem,
    )
