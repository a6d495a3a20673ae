"""What is left of a move: which objects to copy, which originals can go, what stays, and why."""

from collections.abc import Callable

import msgspec

from s3dash.core.moves import Kept
from s3dash.engine.moving_look import Look, Places
from s3dash.engine.sameness import same

Withdrawn = Callable[[str, str], bool]
"""`(rel, tag)`: whether this version was deleted in the new place on purpose."""

OTHER = "the new place has another version of it"
LATE = "it came after the move; the next run takes it"
WITHDRAWN = "it was deleted in the new place on purpose"


class Todo(msgspec.Struct):
    """`copy`: not there yet; of these `over` replaces an object that no index names. `drop`: there
    as well, the original can go once the index is there. `absent`: entries without an object."""

    copy: list[str] = msgspec.field(default_factory=list)
    over: set[str] = msgspec.field(default_factory=set)
    drop: list[str] = msgspec.field(default_factory=list)
    absent: list[str] = msgspec.field(default_factory=list)
    kept: list[Kept] = msgspec.field(default_factory=list)


def sort(places: Places, found: Look, withdrawn: Withdrawn) -> Todo:
    """By what is there now. Raises what the store raises."""
    todo = Todo()
    rels = set(found.wanted)
    rels |= {r for r in found.ours if r in found.named and not found.is_fenced(r)}
    for rel in sorted(rels):
        _sort_one(places, found, rel, todo, withdrawn)
    return todo


def _sort_one(places: Places, found: Look, rel: str, todo: Todo, withdrawn: Withdrawn) -> None:
    ours, theirs = found.ours.get(rel), found.theirs.get(rel)
    entry, listed = found.here.entries.get(rel), found.named.get(rel)
    if ours is None:
        if theirs is None:
            todo.absent.append(rel)
    elif entry is not None and listed is None and found.phase == "committed":
        todo.kept.append(Kept(path=rel, reason=LATE))
    elif entry is not None and listed is None and withdrawn(rel, entry.tag):
        todo.kept.append(Kept(path=rel, reason=WITHDRAWN))
    elif theirs is not None and same(places.src, ours, theirs):
        todo.drop.append(rel)
    elif listed is not None:
        todo.kept.append(Kept(path=rel, reason=OTHER))
    else:
        todo.copy.append(rel)
        if theirs is not None:
            todo.over.add(rel)
