"""The columns of a diff, and its list."""

from collections.abc import Callable
from typing import NamedTuple

from s3dash.core.lines import Row
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.diffing import Comparison, line_cell
from s3dash.tui.look import Look
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel

SIDEWAYS = 16
NUMBER = 6
SIGNS = {"removed": ("-", "del"), "added": ("+", "add"), "changed": ("~", "mod")}


class Seen(NamedTuple):
    """What the cells are painted from: `shift` is the first character, `room` cells are enough."""

    found: Comparison | None
    shift: int
    room: int


class DiffList(LineList[Row]):
    """Sideways every line moves, not the columns."""

    def action_sideways(self, steps: int) -> None:
        self.screen.action_sideways(steps)  # type: ignore[attr-defined] # the diff's own screen


def make_list(seen: Callable[[], Seen], *, two: bool) -> LineList[Row]:
    """Side by side or one below the other. `seen` is asked whenever a line is painted."""
    model: LineModel[Row] = LineModel(key)
    return DiffList(model, _two(seen) if two else _one(seen), id=f"diff-{'two' if two else 'one'}")


def key(row: Row) -> str:
    return f"{row.kind}:{row.left}:{row.right}"


def _number(index: int) -> Cell:
    return one(f"{index + 1}" if index >= 0 else "", "faint")


def _sign(row: Row, _: Look) -> Cell:
    return one(*SIGNS.get(row.kind, (" ", "")))


def _one(seen: Callable[[], Seen]) -> tuple[Column[Row], ...]:
    """A removed line has no number right, an added one none left."""

    def left(row: Row, _: Look) -> Cell:
        return _number(-1 if row.kind in ("added", "fold") else row.left)

    def right(row: Row, _: Look) -> Cell:
        return _number(-1 if row.kind in ("removed", "fold") else row.right)

    def text(row: Row, _: Look) -> Cell:
        if row.kind == "added":
            return _line(seen(), row, "added")
        return _line(seen(), row, "removed" if row.kind == "removed" else row.kind)

    return (
        Column(title="", width=NUMBER, right=True, least=60, cell=left),
        Column(title="", width=NUMBER, right=True, least=60, cell=right),
        Column(title="", width=1, cell=_sign),
        Column(title="", cell=text),
    )


def _two(seen: Callable[[], Seen]) -> tuple[Column[Row], ...]:
    def left(row: Row, _: Look) -> Cell:
        return _line(seen(), row, "removed" if row.kind == "changed" else row.kind, side="left")

    def right(row: Row, _: Look) -> Cell:
        return _line(seen(), row, "added" if row.kind == "changed" else row.kind, side="right")

    def number(index: int, row: Row) -> Cell:
        return _number(-1 if row.kind == "fold" else index)

    return (
        Column(title="", width=NUMBER, right=True, cell=lambda r, _: number(r.left, r)),
        Column(title="", cell=left),
        Column(title="", width=1, cell=_sign),
        Column(title="", width=NUMBER, right=True, cell=lambda r, _: number(r.right, r)),
        Column(title="", cell=right),
    )


def _line(seen: Seen, row: Row, kind: str, *, side: str = "") -> Cell:
    """The text of a row; empty where its side has no line."""
    if seen.found is None:
        return one("")
    if row.kind == "fold":
        return one(f"··· {row.hidden:,} equal lines ···", "faint")
    from_right = kind == "added" or side == "right"
    if (side == "left" and row.kind == "added") or (side == "right" and row.kind == "removed"):
        return one("")
    mine, yours = (seen.found.rights, seen.found.lefts)
    at, there = row.right, row.left
    if not from_right:
        (mine, yours), (at, there) = (yours, mine), (there, at)
    other = yours[there] if kind != "same" and there >= 0 else None
    return line_cell(mine[at], other, kind=kind, shift=seen.shift, room=seen.room)
