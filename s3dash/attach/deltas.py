"""What a guest does not know yet of the owner's snapshot: in the owner, one for each guest.

Long rows go in pieces, so that neither side stops for them; what did not change goes not at all.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import fields, replace

from s3dash.attach import countdown
from s3dash.attach.frames import Facts, Splice
from s3dash.attach.values import packed
from s3dash.core.progress import Progress, Transfer
from s3dash.core.snapshot import Snapshot

PIECE = 2000
"""Rows in a frame: some milliseconds on either side."""
_STRIDE = 512


@cache
def kinds() -> dict[str, Any]:
    """The types of the fields of a snapshot."""
    hints = get_type_hints(Snapshot)
    return {field.name: hints[field.name] for field in fields(Snapshot)}


@cache
def row_fields() -> frozenset[str]:
    """Fields that are rows: they may be a million, and are replaced as a whole."""
    return frozenset(
        name
        for name, kind in kinds().items()
        if get_origin(kind) is tuple and get_args(kind)[1:] == (...,)
    )


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(packed(value))


_everything_of = attrgetter(*(field.name for field in fields(Transfer)))


class Differ:
    """Fed with every look of the owner at itself; not for two threads at once."""

    def __init__(self, *, rows: bool) -> None:
        self._with_rows = rows
        self._told: Snapshot | None = None
        self._rows: dict[str, tuple[Any, ...]] = dict.fromkeys(row_fields(), ())
        self._transfers = _Transfers()

    def since(self, snapshot: Snapshot, now: float) -> Iterator[Facts]:
        """The frames that bring a guest from the last snapshot to this one; none when nothing is
        new. To be sent whole: the next call takes them for known."""
        new = countdown.as_moments(snapshot, now)
        told, self._told = self._told, None
        if told is not None:
            new = countdown.settled(new, told, now)
        pieces = [*self._long(new)] if self._with_rows else []
        changed = self._short(new, told)
        yield from map(_piece, pieces)
        moved = list(self._transfers.since(new.progress))
        if changed or pieces or moved:
            yield from moved
            yield Facts(fields=changed, whole=True)
        self._told = new

    def _short(self, new: Snapshot, told: Snapshot | None) -> dict[str, msgspec.Raw]:
        found = {}
        for name in kinds().keys() - row_fields():
            value = getattr(new, name)
            before = getattr(told, name) if told is not None else None
            if name == "progress":
                value = bare(value)
                before = bare(before) if before is not None else None
            if told is None or (value is not before and value != before):
                found[name] = raw(value)
        return found

    def _long(self, new: Snapshot) -> Iterator[tuple[str, int, int, Sequence[Any]]]:
        for name in sorted(row_fields()):
            rows, before = getattr(new, name), self._rows[name]
            if rows is before:
                continue
            self._rows[name] = rows
            start, end = _common(before, rows)
            removed, fresh = len(before) - end - start, rows[start : len(rows) - end]
            if removed or fresh:
                yield name, start, removed, fresh[:PIECE]
            for at in range(PIECE, len(fresh), PIECE):
                yield name, start + at, 0, fresh[at : at + PIECE]


def _piece(piece: tuple[str, int, int, Sequence[Any]]) -> Facts:
    name, start, removed, rows = piece
    return Facts(splices=(Splice(name, start, removed, raw(rows)),))


def _common(old: Sequence[Any], new: Sequence[Any]) -> tuple[int, int]:
    """How many rows are the same at the beginning, and of the rest at the end."""
    most = min(len(old), len(new))
    start = _same(most, lambda at, end: old[at:end] == new[at:end])
    n, m = len(old), len(new)
    back = _same(most - start, lambda at, end: old[n - end : n - at] == new[m - end : m - at])
    return start, back


def _same(most: int, is_same: Callable[[int, int], bool]) -> int:
    """How far it is the same, at most that far; by strides, then row by row."""
    at = 0
    for stride in (_STRIDE, 1):
        while at < most and is_same(at, min(most, at + stride)):
            at = min(most, at + stride)
    return at


def bare(progress: Progress) -> Progress:
    return replace(progress, transfers=[])


class _Transfers:
    """The rows of what moves. They are live, so that only a copy of each tells what was told."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[Any, ...]] = {}
        self._order: list[int] = []
        self._still: tuple[object, ...] = ()

    def since(self, progress: Progress) -> Iterator[Facts]:
        rows = progress.transfers
        still = (len(rows), rows[-1].id if rows else 0, progress.counts, progress.limits)
        if still == self._still and not progress.counts.unfinished:
            return
        self._still = still
        now = {row.id: _everything_of(row) for row in rows}
        gone = tuple(self._told.keys() - now.keys())
        moved = [row for row in rows if self._told.get(row.id) != now[row.id]]
        order = [row.id for row in rows]
        told = self._order if not gone else [id for id in self._order if id in now]
        expected = [*told, *(id for id in order if id not in self._told)]
        self._told, self._order = now, order
        for at in range(0, len(moved), PIECE):
            yield Facts(rows=(raw(moved[at : at + PIECE]),))
        if gone or expected != order:
            yield Facts(gone=gone, order=None if expected == order else tuple(order))
