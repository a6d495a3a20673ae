"""Holding every entry of the index against its object. Writes nothing, takes no lock.

Existence and size come from one listing of the prefix, contents from reading them. Others go on
meanwhile: so what seems wrong is looked at again, entry and object, before it is told.
"""

import random
from collections.abc import Iterable, Mapping

from s3dash.core.index import Entry, entry_problem
from s3dash.core.index_care import MissingObject, Orphan, Verified, WrongObject
from s3dash.core.samples import sample_size
from s3dash.core.text import count
from s3dash.engine.context import Context
from s3dash.engine.index_care.bodies import hash_all, sha256_of
from s3dash.engine.index_care.objects import COUNTED, data_objects
from s3dash.engine.index_care.picture import look
from s3dash.engine.index_care.report import Problem, Seen, report
from s3dash.engine.index_care.zombies import (
    deleted,
    deletions_on_record,
    foreign,
    head,
    heads,
    misplaced,
    sound,
)
from s3dash.engine.jobs import each
from s3dash.errors import S3DashError
from s3dash.objectstore.port import ObjectInfo

GONE = "its object is not there"
OTHER_SIZE = "its object has another size"
OTHER_CONTENT = "its object has another content"
OTHER_KEY = "its field `key` names another path"


def verify(ctx: Context, *, full: bool = False, sample: str = "", seed: int = 0) -> Verified:
    """`full` reads every content, `sample` (`200` or `5%`) a share that `seed` chooses.

    Costs a listing of the prefix and of `_index/`, a request for each shard that is new to us, one
    for each content, and two for whatever seems wrong. Raises UsageError, IndexCorrupt for a
    version that we do not know, Cancelled, and what the store raises.
    """
    seen = _index(ctx)
    objects = data_objects(ctx)
    doubts = _compare(ctx, seen, objects)
    chosen = _chosen(seen, objects, doubts, full=full, sample=sample, seed=seed)
    read = _contents(ctx, seen, objects, chosen, doubts)
    named = seen.entries.keys() | seen.unfit.keys() | {z.path for z in seen.zombies}
    orphans = sorted(objects.keys() - named)
    again = _index(ctx) if doubts or orphans else seen
    found = _confirmed(ctx, again, doubts, hashed=chosen)
    return report(ctx, again, found, _still_orphans(ctx, again, orphans), read=read, seed=seed)


def _index(ctx: Context) -> Seen:
    with ctx.stage.during("comparing", "reading the index"):
        picture = look(ctx, copies=False)
        zombies = list(misplaced(picture, foreign(ctx, picture)))
        zombies += deleted(ctx, picture, zombies, deletions_on_record(ctx))
        seen = Seen(picture, zombies, sound(picture, zombies))
        lead = len(ctx.keys.root.encode())
        for name in picture.ruling:
            seen.unfit |= picture.bad[name]
        for rel, entry in seen.entries.items():
            if reason := entry_problem(rel, entry, key_prefix_bytes=lead):
                seen.unfit[rel] = reason
        return seen


# --- what seems wrong --------------------------------------------------------------------


def _compare(ctx: Context, seen: Seen, objects: Mapping[str, ObjectInfo]) -> set[str]:
    """Paths whose object is not there, or not of the size that the entry says."""
    doubts = set()
    for number, (rel, entry) in enumerate(seen.entries.items(), 1):
        if number % COUNTED == 0:
            ctx.cancel.check()
            ctx.stage.count(f"{number:,} of {count(len(seen.entries), 'entry', 'entries')} held")
        if rel not in seen.unfit and _problem(rel, entry, objects.get(rel)) is not None:
            doubts.add(rel)
    return doubts


def _problem(rel: str, entry: Entry, info: ObjectInfo | None) -> Problem | None:
    if entry.key != rel:
        return WrongObject(path=rel, reason=OTHER_KEY, expected=rel, found=entry.key)
    if info is None:
        return MissingObject(path=rel, reason=GONE)
    if info.size != entry.size:
        return WrongObject(path=rel, reason=OTHER_SIZE, expected=entry.size, found=info.size)
    return None


def _chosen(
    seen: Seen,
    objects: Mapping[str, ObjectInfo],
    doubts: set[str],
    *,
    full: bool,
    sample: str,
    seed: int,
) -> set[str]:
    """The paths whose content is to be read: those of the right size that say a SHA-256."""
    if not (full or sample):
        return set()
    known = {r for r, e in seen.entries.items() if e.sha256 is not None}
    fit = sorted((known & objects.keys()) - doubts - seen.unfit.keys())
    if full:
        return set(fit)
    number = sample_size(sample, len(fit))
    return set(random.Random(seed).sample(fit, number))  # noqa: S311 - no secret in it


def _contents(
    ctx: Context,
    seen: Seen,
    objects: Mapping[str, ObjectInfo],
    chosen: set[str],
    doubts: set[str],
) -> tuple[int, int]:
    """How many were read, and their bytes. What is another content joins the doubts."""
    number = size = 0
    with ctx.stage.during("comparing", f"reading {count(len(chosen), 'content')}"):
        versions = ((rel, objects[rel].etag) for rel in sorted(chosen))
        for rel, digest in hash_all(ctx, versions, total=len(chosen)):
            if digest != seen.entries[rel].sha256:
                doubts.add(rel)
            if digest is not None:
                number, size = number + 1, size + objects[rel].size
    return number, size


# --- looked at again ---------------------------------------------------------------------


def _confirmed(ctx: Context, now: Seen, doubts: set[str], *, hashed: set[str]) -> list[Problem]:
    """What is still wrong of these paths, with the entries and objects of now."""
    jobs = each(
        lambda rel: _examined(ctx, rel, now.entries[rel], read=rel in hashed),
        sorted(rel for rel in doubts if rel in now.entries and rel not in now.unfit),
        workers=ctx.settings.pull_concurrency,
        cancel=ctx.cancel,
        name="s3dash-verify",
    )
    found = []
    for _, outcome in jobs:
        if isinstance(outcome, S3DashError):
            raise outcome
        if outcome is not None:
            found.append(outcome)
    ctx.cancel.check()
    return found


def _examined(ctx: Context, rel: str, entry: Entry, *, read: bool) -> Problem | None:
    info = head(ctx, rel)
    problem = _problem(rel, entry, info)
    if problem is not None or info is None or not read or entry.sha256 is None:
        return problem
    digest = sha256_of(ctx, info.key, info.etag)
    if digest in (None, entry.sha256):  # None: it moves while we look, and is nobody's finding
        return None
    return WrongObject(path=rel, reason=OTHER_CONTENT, expected=entry.sha256, found=digest or "")


def _still_orphans(ctx: Context, now: Seen, rels: Iterable[str]) -> list[Orphan]:
    there = heads(ctx, [rel for rel in rels if rel not in now.entries])
    return [Orphan(path=rel, size=info.size) for rel, info in there.items()]
