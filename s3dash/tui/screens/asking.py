"""What the dialogs share that list something and ask for a yes."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from s3dash.clock import Clock
from s3dash.errors import S3DashError
from s3dash.tui.cells import Cell, crop, one
from s3dash.tui.columns import Column, heading
from s3dash.tui.format import safe
from s3dash.tui.look import Look
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel

T = TypeVar("T")
R = TypeVar("R")


class Steered:
    """The keys that move in a list move in its own, wherever the focus is."""

    _list: LineList[Any]

    def action_move(self, step: int) -> None:
        self._list.action_move(step)

    def action_page(self, pages: float) -> None:
        self._list.action_page(pages)

    def action_first(self) -> None:
        self._list.action_first()

    def action_last(self) -> None:
        self._list.action_last()


class AskingDialog(Steered, Modal[T], Generic[T, R]):
    """Rows of type R that somebody else looks for, and an answer of type T about them.

    `NAME` begins the ids of what it is made of; `WAITING` stands in the place of rows until they
    are there. Cancel has the focus: enter never says yes.
    """

    NAME: ClassVar[str]
    WAITING: ClassVar[str]

    def __init__(
        self,
        title: str,
        columns: tuple[Column[R], ...],
        identity: Callable[[R], str],
        *,
        look: Callable[[], Look],
        clock: Clock,
    ) -> None:
        super().__init__()
        self._title = title
        self._look = look
        self._guard = KeyGuard(clock)
        self._heading = Line(lambda width: heading(columns, width), id=f"{self.NAME}-heading")
        self._list: LineList[R] = LineList(LineModel(identity), columns, id=f"{self.NAME}-list")
        self._totals = Line(
            lambda width: crop(self._paint_totals(), width), id=f"{self.NAME}-totals"
        )
        self._note = Line(lambda width: crop(self._paint_note(), width), id=f"{self.NAME}-note")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as box:
            box.border_title = Content(safe(self._title))
            yield self._totals
            yield self._heading
            yield self._list
            yield self._note
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._list.set_empty([one(self.WAITING, "dim")])
        self._list.show(self._look(), ())
        self.query_one("#cancel").focus()

    def failed(self, error: S3DashError) -> None:
        """There will be no rows."""
        if self.is_open:
            self._list.set_empty(
                [one(f"✖ {safe(error.message)}", "bad"), one(safe(error.hint), "dim")]
            )

    def _fill(self, rows: Sequence[R], empty: str) -> None:
        """They are there; keys that came before mean nothing."""
        self._guard.restart()
        self._list.set_empty([one(empty, "good")])
        self._list.show(self._look(), tuple(rows))
        self._changed()

    def _changed(self) -> None:
        self._list.tick(self._look())
        self._totals.poke()
        self._note.poke()

    def _paint_totals(self) -> Cell:
        """All rows in one line."""
        raise NotImplementedError

    def _paint_note(self) -> Cell:
        """What the keys would do."""
        raise NotImplementedError

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)
