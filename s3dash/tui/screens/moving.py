"""What a migration or a repair would do: all of it is shown, `y` does it, nothing else."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import msgspec
from textual.binding import BindingType

from s3dash.clock import Clock
from s3dash.tui import keys
from s3dash.tui.cells import EMPTY, Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import safe, size
from s3dash.tui.look import Look
from s3dash.tui.screens.asking import AskingDialog


class MoveRow(msgspec.Struct, frozen=True, kw_only=True):
    """One object and what is to become of it. `look` is a style of cells, `size` bytes."""

    action: str
    path: str
    reason: str
    size: int | None
    look: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`totals` says it in one line; `yes` is what `y` does, empty: there is nothing to do."""

    rows: Sequence[MoveRow]
    totals: Cell
    yes: str = ""
    empty: str = "Nothing to do."


def _size(row: MoveRow, _: Look) -> Cell:
    return one("" if row.size is None else size(row.size), "dim")


COLUMNS: tuple[Column[MoveRow], ...] = (
    Column(title="WHAT", width=9, cell=lambda row, _: one(safe(row.action), row.look)),
    Column(title="PATH", middle=True, cell=lambda row, _: one(safe(row.path))),
    Column(title="BYTES", width=9, right=True, least=50, cell=_size),
    Column(title="WHY", width=40, least=100, cell=lambda row, _: one(safe(row.reason), "dim")),
)


class MovingScreen(AskingDialog[bool, MoveRow]):
    """Answers with True when the user says yes to what is shown."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.MOVING, keys.MOVE)
    NAME = "moving"
    WAITING = "Looking at the bucket …"

    def __init__(self, title: str, *, look: Callable[[], Look], clock: Clock) -> None:
        super().__init__(title, COLUMNS, lambda row: row.path, look=look, clock=clock)
        self._shown: Shown | None = None

    def ready(self, shown: Shown) -> None:
        if self.is_open:
            self._shown = shown
            self._fill(shown.rows, shown.empty)

    def _paint_totals(self) -> Cell:
        return self._shown.totals if self._shown else EMPTY

    def _paint_note(self) -> Cell:
        if self._shown is None or not self._shown.yes:
            return EMPTY
        return (("y", "key"), (f"  {self._shown.yes}", ""))

    def action_confirm(self) -> None:
        if self._shown is not None and self._shown.yes and self._guard.passes():
            self.dismiss(True)
