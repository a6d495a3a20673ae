"""The trash: what was replaced, deleted or lost a conflict, and what can be done about it."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, Literal

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from s3dash.core.report import TrashItem
from s3dash.tui import filters, keys
from s3dash.tui.cells import Cell, crop, one
from s3dash.tui.columns import Column, heading
from s3dash.tui.format import count, moment, safe, short_hash, size
from s3dash.tui.look import Look
from s3dash.tui.screens.modal import Modal
from s3dash.tui.widgets.filter_input import FilterInput
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel


class Wish(msgspec.Struct, frozen=True):
    """What the user wants done with an item; `to` is another name for it, empty: where it was."""

    what: Literal["restore", "drop"]
    item: TrashItem
    to: str = ""


Do = Callable[[Wish], Coroutine[Any, Any, None]]

COLUMNS: tuple[Column[TrashItem], ...] = (
    Column(title="WHEN", width=12, least=50, cell=lambda i, look: _when(i, look)),
    Column(title="PATH", middle=True, cell=lambda i, _: _path(i)),
    Column(title="SIZE", width=9, right=True, cell=lambda i, _: one(size(i.size), "dim")),
    Column(
        title="WHY",
        width=38,
        least=84,
        cell=lambda i, _: one(safe(i.reason), "dim" if i.expires else "warn"),
    ),
)  # fmt: skip
FIELDS: dict[str, Callable[[TrashItem], str]] = {"why": lambda item: item.reason}


def _when(item: TrashItem, look: Look) -> Cell:
    return one(moment(item.at, look.now) if item.at else "?", "dim")


def _path(item: TrashItem) -> Cell:
    return one(safe(item.path)) if item.path else one("(not known)", "dim")


class TrashScreen(Modal[None]):
    """Newest first. What is done is done by `do`, which tells by `ready` and `say`."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.TRASH, keys.MOVE)
    AUTO_FOCUS = "#trash-list"

    def __init__(self, where: str, *, look: Callable[[], Look], do: Do) -> None:
        super().__init__()
        self._where = where
        self._look = look
        self._do = do
        self._message: Cell = ()
        self._given = filters.parse("", FIELDS)
        self._naming: TrashItem | None = None
        model: LineModel[TrashItem] = LineModel(lambda item: item.id)
        self._list: LineList[TrashItem] = LineList(model, COLUMNS, id="trash-list")
        self._note = Block(lambda width: self._paint_note(width), id="trash-note")
        self._typed_name = Input(id="trash-name", compact=True, select_on_focus=False)
        self._filter = FilterInput(id="trash-filter")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog full") as box:
            box.border_title = Content(f"trash of {safe(self._where)}")
            yield Line(lambda width: heading(COLUMNS, width), id="trash-heading")
            yield self._list
            yield self._note
            yield self._typed_name
            yield self._filter
            yield Line(lambda width: crop(_HINT, width), id="hint")

    def on_mount(self) -> None:
        self._typed_name.display = False
        self._list.set_empty([one("Reading …", "dim")])
        self._list.show(self._look(), ())

    # --- what comes in ------------------------------------------------------------------

    def ready(self, items: Sequence[TrashItem]) -> None:
        """What is in the trash now, oldest first."""
        if self.is_attached:
            self._list.set_empty([one("The trash is empty.", "good")])
            with self._list.prevent(LineList.Moved):  # what was told just now stays
                self._list.show(self._look(), tuple(reversed(items)))
            self._list.refresh()
            self._changed()

    def unread(self) -> None:
        """It cannot be read: what was listed before stays."""
        if self.is_attached:
            self._list.set_empty([one("It could not be read.", "bad")])
            self._list.refresh()

    def say(self, message: Cell) -> None:
        """How it went."""
        self._message = message
        if self.is_attached:
            self._changed()

    def ask_name(self, item: TrashItem) -> None:
        """Where to put it instead."""
        if self.is_attached:
            self._naming = item
            self._typed_name.value = item.path
            self._typed_name.cursor_position = len(item.path)
            self._typed_name.display = True
            self._typed_name.focus()
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

    def _paint_note(self, width: int) -> list[Cell]:
        item, model = self._list.model.current, self._list.model
        total = f"{count(len(model), 'file')} of {model.total:,}" if self._given.text else ""
        filtered: Cell = ((f"/{safe(self._given.text)}  ", "accent"), (total, "dim"))
        lines = [filtered] if self._given.text else []
        if item is not None:
            stays = "may leave by age or size" if item.expires else "stays until you drop it"
            lines.append(one(safe(item.reason), "dim" if item.expires else "warn"))
            lines.append(one(f"{stays}  SHA-256 {short_hash(item.sha256)}", "dim"))
        if self._naming is not None:
            lines.append(one("Put it back under another name (enter; esc leaves it):", "warn"))
        lines += [self._message] if self._message else []
        return [crop(cell, width) for cell in lines]

    # --- keys ---------------------------------------------------------------------------

    def action_restore(self) -> None:
        self._wish("restore")

    def action_drop(self) -> None:
        self._wish("drop")

    def _wish(self, what: Literal["restore", "drop"], to: str = "") -> None:
        item = self._naming if to else self._list.model.current
        if item is None:
            self.say(one("there is nothing here", "dim"))
        else:
            self.run_worker(self._do(Wish(what, item, to)), group="trash")

    def action_elsewhere(self) -> None:
        item = self._list.model.current
        if item is not None:
            self.ask_name(item)

    @on(Input.Submitted, "#trash-name")
    def _named(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._wish("restore", event.value.strip())
            self._stop_naming()

    def _stop_naming(self) -> None:
        self._naming = None
        self._typed_name.display = False
        self._list.focus()
        self._changed()

    def action_dismiss_modal(self) -> None:
        """One level: first the name, then the filter, then the trash."""
        if self._naming is not None:
            self._stop_naming()
        elif self._given.text:
            self._set_filter("")
        else:
            self.dismiss(None)

    # --- filter -------------------------------------------------------------------------

    def action_filter(self) -> None:
        self._filter.open(self._given.text, fields=FIELDS)

    def _set_filter(self, text: str) -> None:
        self._given = filters.parse(text, FIELDS)
        model = self._list.model
        model.set_filter(filters.test_of(self._given, _text, FIELDS))
        while model.filter_some():
            pass  # a trash is short
        self._list.reshape()
        self._list.refresh()
        self._changed()

    @on(FilterInput.Typed)
    def _filter_typed(self, event: FilterInput.Typed) -> None:
        self._set_filter(event.text)

    @on(FilterInput.Closed)
    def _filter_closed(self) -> None:
        self._list.focus()


def _text(item: TrashItem) -> str:
    return f"{item.path} {item.reason} {item.sha256}"


_HINT: Cell = (
    ("u", "key"), (" puts back  ", "dim"), ("o", "key"), (" under another name  ", "dim"),
    ("x", "key"), (" drops for good  ", "dim"), ("/", "key"), (" filter  ", "dim"),
    ("esc", "key"), (" closes", "dim"),
)  # fmt: skip
