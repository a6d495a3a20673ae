"""Moving the objects of a datastore: copied, checked, the index written, only then deleted.

Each step can be taken again, by whoever holds both locks: what is there says what is left to do,
and the record (`moved`) whether the new place's index rules already. No byte passes through this
machine. Invariants I1 (an entry is written after its object) and I2 (an object is deleted only
after the index of its place lacks it, and only the version that was copied) are kept here.
"""

from collections.abc import Iterable
from functools import partial

import msgspec

from s3dash.core.moves import Kept, Phase
from s3dash.core.paths import is_data
from s3dash.engine import intents, moved
from s3dash.engine.deletions import delete_version
from s3dash.engine.jobs import each, retrying
from s3dash.engine.moving_index import IndexMove
from s3dash.engine.moving_look import (
    Look,
    Objects,
    Places,
    extras,
    head,
    objects_again,
)
from s3dash.engine.moving_todo import Todo, sort
from s3dash.engine.origin import ID
from s3dash.engine.sameness import remember_same, same
from s3dash.errors import CommitConflict, NotFound, PreconditionFailed, S3DashError
from s3dash.objectstore.port import ObjectInfo

ROUNDS = 5
CHANGED = "it changed after it was copied; the new version is in the old place"


class Tally(msgspec.Struct):
    """What a run did. `kept` is what stays in the old place, by path."""

    copied: int = 0
    bytes_copied: int = 0
    unchanged: int = 0
    deleted: int = 0
    kept: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def rows(self) -> tuple[Kept, ...]:
        return tuple(Kept(path=path, reason=why) for path, why in sorted(self.kept.items()))


class Pair(msgspec.Struct, frozen=True):
    """One object and where it goes; `over` lies there, no index names it, and `shelf` keeps it."""

    source: ObjectInfo
    target: str
    over: ObjectInfo | None = None
    shelf: str = ""


def carry_out(places: Places, found: Look) -> Tally:
    """Under both locks. Raises LockLost, CommitConflict, Cancelled, and what the store raises."""
    tally = Tally()
    if found.phase is None or (found.phase == "done" and (found.wanted or found.ours)):
        found.record = _note(places, found, "copying")
    todo = _copied(places, found, tally)
    tally.unchanged = max(0, len(todo.drop) - tally.copied)
    tally.kept.update({kept.path: kept.reason for kept in todo.kept})
    tally.kept.update(_unspeakable(found))
    if found.phase == "done":
        return tally
    _extras(places, tally)
    index = IndexMove(places, version=found.here.version or found.there.version)
    if found.phase == "copying":
        left = tally.kept.keys() - found.named.keys()
        index.write(lambda rel: _may_go(found, rel) and rel not in left)
        found.record = _note(places, found, "committed")
    places.src.cancel.check()
    _welcome(places)
    _leave(places, found, todo, index, tally)
    found.record = _note(places, found, "done")
    return tally


def _note(places: Places, found: Look, phase: Phase) -> moved.Noted:
    to = places.dst.keys.namespace
    return moved.write(places.src, phase, to, over=found.record, guard=places.guard)


def _may_go(found: Look, rel: str) -> bool:
    """An old monolith that nobody looks at goes along as it is: so this is about names alone."""
    return is_data(rel) and rel not in found.here.blocked and not found.is_fenced(rel)


def _unspeakable(found: Look) -> dict[str, str]:
    """Entries whose names no client may act on: they stay with whatever they name."""
    return {r: why for r, why in found.here.blocked.items() if not found.is_fenced(r)}


# --- copying ------------------------------------------------------------------------------


def _copied(places: Places, found: Look, tally: Tally) -> Todo:
    """Copy until two looks in a row find nothing left: what changes meanwhile is copied again."""
    records = intents.read_all(places.dst) if found.named else intents.Records()

    def withdrawn(rel: str, tag: str) -> bool:
        return tag in records.tombstones.get(rel, set())

    for _ in range(ROUNDS):
        todo = sort(places, found, withdrawn)
        if not todo.copy:
            return todo
        shelf = f"{places.dst.keys.control}displaced/{places.dst.nonce()[:8]}/"
        pairs = [
            Pair(
                found.ours[rel],
                places.dst.keys.data(rel),
                found.theirs[rel] if rel in todo.over else None,
                shelf + rel,
            )
            for rel in todo.copy
        ]
        copy_all(places, pairs, tally)
        objects_again(places, found)
        found.here = places.src.reader.load()
    raise CommitConflict(
        "the files kept changing while they were copied; nothing was deleted",
        hint="stop the clients of the old place, and run it again",
    )


def copy_all(places: Places, pairs: Iterable[Pair], tally: Tally) -> None:
    """Side by side. One whose source moved meanwhile is left for the next look."""
    ctx, jobs = places.src, list(pairs)
    work = each(
        partial(_copy, places),
        jobs,
        workers=ctx.settings.push_concurrency,
        cancel=ctx.cancel,
        name="s3dash-copy",
    )
    failed: list[S3DashError] = []
    for number, (pair, answer) in enumerate(work, 1):
        ctx.stage.count(f"copied {number:,} of {len(jobs):,}")
        if isinstance(answer, S3DashError):
            if not isinstance(answer, NotFound | PreconditionFailed):
                failed.append(answer)
        else:
            tally.copied += 1
            tally.bytes_copied += pair.source.size
    if failed:
        raise failed[0]
    ctx.cancel.check()


def _copy(places: Places, pair: Pair) -> None:
    store, source = places.src.store, pair.source

    def attempt(_: int) -> str:
        places.guard()
        size, etag = source.size, source.etag
        return store.copy(source.key, pair.target, if_match=etag, size=size).etag

    if pair.over is not None:
        places.guard()
        store.copy(pair.target, pair.shelf, if_match=pair.over.etag, size=pair.over.size)
    etag = retrying(attempt, patience=places.src.patience)
    remember_same(places.src, source, ObjectInfo(pair.target, source.size, etag))


# --- what moves beside the data -----------------------------------------------------------


def _extras(places: Places, tally: Tally) -> None:
    """Copy the control records and the catalog. What the new place has of its own stays."""
    ours, theirs = extras(places.src), extras(places.dst)
    pairs = [
        Pair(info, places.dst.keys.root + name) for name, info in ours.items() if name not in theirs
    ]
    copy_all(places, pairs, Tally())
    theirs = extras(places.dst)
    for name, info in ours.items():
        there = theirs.get(name)
        if there is not None and name != ID and not same(places.src, info, there):
            tally.kept[name] = "the new place has another record of this name"


def _welcome(places: Places) -> None:
    """The new place may itself have been left once: that is over."""
    old = moved.find(places.dst)
    if old is not None:
        key = moved.key_of(places.dst.keys)
        delete_version(places.dst, places.guard, places.can, key=key, etag=old.etag)


# --- leaving ------------------------------------------------------------------------------


def _leave(places: Places, found: Look, todo: Todo, index: IndexMove, tally: Tally) -> None:
    """The id first, so that nobody takes the old place for what it was; its index last."""
    src, beside = places.src, extras(places.src)
    mark = beside.pop(ID, None)
    if mark is not None:
        _delete_all(places, {ID: mark}, Tally())
    index.empty(lambda rel: rel in tally.kept)
    _delete_all(places, {rel: found.ours[rel] for rel in todo.drop}, tally, checked=True)
    going = {name: info for name, info in beside.items() if name not in tally.kept}
    _delete_all(places, _at_both(places, going), Tally())
    index.remove(everything=not tally.kept)
    if places.to_solo and not tally.kept:
        manifest = head(src, src.keys.manifest)
        if manifest is not None:
            _delete_all(places, {"": manifest}, Tally())


def _at_both(places: Places, ours: Objects) -> Objects:
    """Those that lie in the new place as well, by content."""
    theirs = extras(places.dst)
    return {n: i for n, i in ours.items() if n in theirs and same(places.src, i, theirs[n])}


def _delete_all(places: Places, due: Objects, tally: Tally, *, checked: bool = False) -> None:
    """Delete these versions; what is another one by now stays, and is told with `checked`."""
    ctx = places.src
    work = each(
        lambda name: _delete(places, due[name]),
        due,
        workers=ctx.settings.push_concurrency,
        cancel=ctx.cancel,
        name="s3dash-delete",
    )
    failed: list[S3DashError] = []
    for number, (name, answer) in enumerate(work, 1):
        ctx.stage.count(f"deleted {number:,} of {len(due):,} originals")
        if isinstance(answer, PreconditionFailed):
            if checked:
                tally.kept[name] = CHANGED
        elif isinstance(answer, S3DashError):
            failed.append(answer)
        else:
            tally.deleted += 1
    if failed:
        raise failed[0]
    ctx.cancel.check()


def _delete(places: Places, info: ObjectInfo) -> None:
    try:
        delete_version(places.src, places.guard, places.can, key=info.key, etag=info.etag)
    except NotFound:
        return  # somebody was quicker
