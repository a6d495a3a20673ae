"""Columns of a list, and how they share a width. Pure."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from s3dash.tui.cells import Cell, one, skip, width
from s3dash.tui.format import fit, shorten
from s3dash.tui.look import Look

R = TypeVar("R")

GUTTER = 2
GAP = 2
EDGE = 1
"""Cells left open at the right."""
NARROWEST = 8
ROOMY = 72
"""Cells for a column without a width where all columns are shown."""


class Column(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """`width` in cells, 0 takes what is left; `least` is the list width below which it goes.

    `middle` cuts a text that is too long in its middle, as paths want it.
    """

    title: str
    cell: Callable[[R, Look], Cell]
    width: int = 0
    least: int = 0
    right: bool = False
    middle: bool = False


class Slot(NamedTuple):
    """Where a column stands in a line."""

    column: int
    x: int
    width: int


def layout(columns: Sequence[Column[R]], total: int, *, wide: bool = False) -> list[Slot]:
    """The columns that fit into `total` cells, with their places; gutter first.

    `wide` takes all of them and gives those without a width room enough; see `span` for how far
    they reach.
    """
    chosen = [i for i, column in enumerate(columns) if wide or total >= column.least]
    fixed = sum(columns[i].width for i in chosen)
    open_ = sum(1 for i in chosen if columns[i].width == 0)
    rest = total - GUTTER - EDGE - fixed - GAP * max(0, len(chosen) - 1)
    share = max(ROOMY if wide else NARROWEST, rest // open_) if open_ else 0
    slots, x = [], GUTTER
    for i in chosen:
        size = columns[i].width or share
        slots.append(Slot(i, x, size))
        x += size + GAP
    return slots


def span(slots: Sequence[Slot], total: int) -> int:
    """How many cells the columns take, at least `total`."""
    return max(total, slots[-1].x + slots[-1].width + EDGE) if slots else total


def fitted(cell: Cell, column: Column[R], room: int) -> Cell:
    """A cell in exactly `room` cells."""
    length = width(cell)
    if length > room:
        return _cut(cell, column, room)
    gap = (" " * (room - length), "")
    return (gap, *cell) if column.right else (*cell, gap)


def _cut(cell: Cell, column: Column[R], room: int) -> Cell:
    if len(cell) == 1:
        text, look = cell[0]
        return one(fit(shorten(text, room) if column.middle else text, room), look)
    kept: list[tuple[str, str]] = []
    for text, look in cell:
        length = min(width(((text, look),)), room)
        kept.append((fit(text, length), look))
        room -= length
    return tuple(kept)


def heading(columns: Sequence[Column[R]], total: int, *, wide: bool = False, left: int = 0) -> Cell:
    """The line above a list, without its first `left` cells."""
    parts: list[tuple[str, str]] = []
    end = 0
    for slot in layout(columns, total, wide=wide):
        column = columns[slot.column]
        parts.append((" " * (slot.x - end), "dim"))
        parts.append((fit(column.title, slot.width, right=column.right), "dim"))
        end = slot.x + slot.width
    return skip(tuple(parts), left)
