"""What the dialogs share that list things: a note on the current one, a question, a filter."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from s3dash.tui import filters
from s3dash.tui.cells import Cell, crop, one
from s3dash.tui.columns import Column, heading
from s3dash.tui.format import safe
from s3dash.tui.look import Look
from s3dash.tui.screens.modal import Modal
from s3dash.tui.widgets.filter_input import FilterInput
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel

T = TypeVar("T")


class Shape(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """How the things of one kind are shown.

    `name` begins the ids of all that the dialog is made of. `identity` tells one from the others.
    A filter looks into `text`, and into the `fields` by their names. `waiting`, `none` and `unread`
    stand in the place of rows.
    """

    name: str
    columns: tuple[Column[T], ...]
    identity: Callable[[T], str]
    text: Callable[[T], str]
    fields: Mapping[str, Callable[[T], str]]
    waiting: str
    none: Sequence[Cell]
    unread: str
    hint: Cell


class ListDialog(Modal[None], Generic[T]):
    """What is done with the things is done by somebody else, who tells by `ready` and `say`.

    Whoever derives from it paints the note and knows whether it is asking something.
    """

    AUTO_FOCUS: ClassVar[str | None] = "LineList"

    def __init__(self, title: str, shape: Shape[T], *, look: Callable[[], Look]) -> None:
        super().__init__()
        self._title = title
        self._shape = shape
        self._look = look
        self._message: Cell = ()
        self._given = filters.parse("", shape.fields)
        model: LineModel[T] = LineModel(shape.identity)
        self._list: LineList[T] = LineList(model, shape.columns, id=f"{shape.name}-list")
        self._note = Block(self._paint, id=f"{shape.name}-note")
        self._input = Input(id=f"{shape.name}-input", compact=True, select_on_focus=False)
        self._filter = FilterInput(id=f"{shape.name}-filter")

    def compose(self) -> ComposeResult:
        columns, hint = self._shape.columns, self._shape.hint
        with Vertical(classes="dialog full") as box:
            box.border_title = Content(safe(self._title))
            yield Line(lambda width: heading(columns, width), id=f"{self._shape.name}-heading")
            yield self._list
            yield self._note
            yield self._input
            yield self._filter
            yield Line(lambda width: crop(hint, width), id="hint")

    def on_mount(self) -> None:
        self._input.display = False
        self._list.set_empty([one(self._shape.waiting, "dim")])
        self._list.show(self._look(), ())

    # --- what comes in ------------------------------------------------------------------

    def ready(self, things: Sequence[T]) -> None:
        """What there is now, in the order of the rows."""
        if self.is_open:
            self._list.set_empty(list(self._shape.none))
            with self._list.prevent(LineList.Moved):  # what was told just now stays
                self._list.show(self._look(), tuple(things))
            self._list.refresh()
            self._changed()

    def unread(self) -> None:
        """They cannot be read: what was listed before stays."""
        if self.is_open:
            self._list.set_empty([one(self._shape.unread, "bad")])
            self._list.refresh()

    def say(self, message: Cell) -> None:
        """How it went."""
        self._message = message
        if self.is_open:
            self._changed()

    def _changed(self) -> None:
        self._note.refresh(layout=True)

    @on(LineList.Moved)
    def _moved(self, event: LineList.Moved) -> None:
        """On another row what was told before is of no use any more."""
        if not isinstance(event, LineList.Chosen):
            self._message = ()
            self._changed()

    # --- painting -----------------------------------------------------------------------

    def _paint(self, width: int) -> list[Cell]:
        lines = self._paint_note()
        lines += [self._message] if self._message else []
        return [crop(cell, width) for cell in lines]

    def _paint_note(self) -> list[Cell]:
        """What is known of the current thing, and what is asked."""
        raise NotImplementedError

    # --- the question -------------------------------------------------------------------

    @property
    def is_asking(self) -> bool:
        raise NotImplementedError

    def forget_question(self) -> None:
        """Nothing is asked any more."""
        raise NotImplementedError

    def _ask(self, text: str = "") -> None:
        """Let the user type an answer, beginning with `text`."""
        self._input.value = text
        self._input.cursor_position = len(text)
        self._input.display = True
        self._input.focus()
        self._changed()

    def _stop_asking(self) -> None:
        self.forget_question()
        self._input.display = False
        self._list.focus()
        self._changed()

    def action_dismiss_modal(self) -> None:
        """One level: first the question, then the filter, then the dialog."""
        if self.is_asking:
            self._stop_asking()
        elif self._given.text:
            self._set_filter("")
        else:
            self.dismiss(None)

    # --- filter -------------------------------------------------------------------------

    def action_filter(self) -> None:
        self._filter.open(self._given.text, fields=self._shape.fields)

    def _set_filter(self, text: str) -> None:
        self._given = filters.parse(text, self._shape.fields)
        model = self._list.model
        model.set_filter(filters.test_of(self._given, self._shape.text, self._shape.fields))
        while model.filter_some():
            pass  # they are few
        self._list.reshape()
        self._list.refresh()
        self._changed()

    @on(FilterInput.Typed)
    def _filter_typed(self, event: FilterInput.Typed) -> None:
        self._set_filter(event.text)

    @on(FilterInput.Closed)
    def _filter_closed(self) -> None:
        self._list.focus()
