"""What a migration or a repair would do: all of it is shown, `y` does it, nothing else."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from s3dash.clock import Clock
from s3dash.errors import S3DashError
from s3dash.tui import keys
from s3dash.tui.cells import EMPTY, Cell, crop, one
from s3dash.tui.columns import Column, heading
from s3dash.tui.format import safe, size
from s3dash.tui.look import Look
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel


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


class MovingScreen(Modal[bool]):
    """Answers with True when the user says yes to what is shown. Enter never does."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.MOVING, keys.MOVE)

    def __init__(self, title: str, *, look: Callable[[], Look], clock: Clock) -> None:
        super().__init__()
        self._title = title
        self._look = look
        self._guard = KeyGuard(clock)
        self._shown: Shown | None = None
        model: LineModel[MoveRow] = LineModel(lambda row: row.path)
        self._list: LineList[MoveRow] = LineList(model, COLUMNS, id="moving-list")
        self._totals = Line(lambda width: crop(self._paint_totals(), width), id="moving-totals")
        self._note = Line(lambda width: crop(self._paint_note(), width), id="moving-note")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as box:
            box.border_title = Content(safe(self._title))
            yield self._totals
            yield Line(lambda width: heading(COLUMNS, width), id="moving-heading")
            yield self._list
            yield self._note
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._list.set_empty([one("Looking at the bucket …", "dim")])
        self._list.show(self._look(), ())
        self.query_one("#cancel").focus()

    # --- what comes in ------------------------------------------------------------------

    def ready(self, shown: Shown) -> None:
        if not self.is_attached:
            return
        self._shown = shown
        self._guard.restart()
        self._list.set_empty([one(shown.empty, "good")])
        self._list.show(self._look(), tuple(shown.rows))
        self._list.tick(self._look())
        self._totals.poke()
        self._note.poke()

    def failed(self, error: S3DashError) -> None:
        if self.is_attached:
            self._list.set_empty(
                [one(f"✖ {safe(error.message)}", "bad"), one(safe(error.hint), "dim")]
            )

    # --- painting -----------------------------------------------------------------------

    def _paint_totals(self) -> Cell:
        return self._shown.totals if self._shown else EMPTY

    def _paint_note(self) -> Cell:
        if self._shown is None or not self._shown.yes:
            return EMPTY
        return (("y", "key"), (f"  {self._shown.yes}", ""))

    # --- keys ---------------------------------------------------------------------------

    def action_confirm(self) -> None:
        if self._shown is not None and self._shown.yes and self._guard.passes():
            self.dismiss(True)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)

    def action_move(self, step: int) -> None:
        self._list.action_move(step)

    def action_page(self, pages: float) -> None:
        self._list.action_page(pages)

    def action_first(self) -> None:
        self._list.action_first()

    def action_last(self) -> None:
        self._list.action_last()
