"""The records of the control plane: listed, read, and written or deleted as they were seen."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, Literal

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from s3dash.core.control import Record
from s3dash.tui import filters, keys
from s3dash.tui.cells import Cell, crop, one
from s3dash.tui.columns import Column, heading
from s3dash.tui.format import count, moment, safe, size
from s3dash.tui.look import Look
from s3dash.tui.screens.modal import Modal
from s3dash.tui.widgets.filter_input import FilterInput
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel

What = Literal["list", "read", "new", "replace", "delete"]


class Wish(msgspec.Struct, frozen=True):
    """What the user wants; `key` names the record, `file` where its bytes are, `seen` its version.

    `own`: a list takes in what s3dash keeps for itself.
    """

    what: What
    key: str = ""
    file: str = ""
    seen: Record | None = None
    own: bool = False


Do = Callable[[Wish], Coroutine[Any, Any, None]]

COLUMNS: tuple[Column[Record], ...] = (
    Column(title="KEY", middle=True, cell=lambda r, _: one(safe(r.key), "strong")),
    Column(title="SIZE", width=9, right=True, cell=lambda r, _: one(size(r.size), "dim")),
    Column(
        title="WRITTEN",
        width=12,
        least=50,
        cell=lambda r, look: one(moment(r.last_modified, look.now) if r.last_modified else "?"),
    ),
    Column(title="ETAG", width=34, least=100, cell=lambda r, _: one(safe(r.etag), "dim")),
)
FIELDS: dict[str, Callable[[Record], str]] = {"etag": lambda record: record.etag}
_ASKS = {
    "key": "The key of the new record (enter; esc leaves it):",
    "file": "The file with the bytes of {} (enter; esc leaves it):",
}


class RecordsScreen(Modal[None]):
    """What is done is done by `do`, which tells by `ready` and `say`."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.RECORDS, keys.MOVE)
    AUTO_FOCUS = "#records-list"

    def __init__(self, where: str, *, look: Callable[[], Look], do: Do) -> None:
        super().__init__()
        self._where = where
        self._look = look
        self._do = do
        self._own = False
        self._message: Cell = ()
        self._given = filters.parse("", FIELDS)
        self._wish: Wish | None = None
        model: LineModel[Record] = LineModel(lambda record: record.key)
        self._list: LineList[Record] = LineList(model, COLUMNS, id="records-list")
        self._note = Block(lambda width: self._paint_note(width), id="records-note")
        self._input = Input(id="records-input", compact=True, select_on_focus=False)
        self._filter = FilterInput(id="records-filter")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog full") as box:
            box.border_title = Content(f"control records of {safe(self._where)}")
            yield Line(lambda width: heading(COLUMNS, width), id="records-heading")
            yield self._list
            yield self._note
            yield self._input
            yield self._filter
            yield Line(lambda width: crop(_HINT, width), id="hint")

    def on_mount(self) -> None:
        self._input.display = False
        self._list.set_empty([one("Asking the bucket …", "dim")])
        self._list.show(self._look(), ())

    # --- what comes in ------------------------------------------------------------------

    def ready(self, records: Sequence[Record]) -> None:
        """The records that there are now, by key."""
        if self.is_attached:
            self._list.set_empty([one("No records.", "good"), one("n writes one", "dim")])
            with self._list.prevent(LineList.Moved):  # what was told just now stays
                self._list.show(self._look(), tuple(records))
            self._list.refresh()
            self._changed()

    def unread(self) -> None:
        """They cannot be listed: what was listed before stays."""
        if self.is_attached:
            self._list.set_empty([one("They could not be read.", "bad")])
            self._list.refresh()

    def say(self, message: Cell) -> None:
        """How it went."""
        self._message = message
        if self.is_attached:
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
        model, record = self._list.model, self._list.model.current
        told = count(len(model), "record") + (f" of {model.total:,}" if self._given.text else "")
        given: Cell = ((f"/{safe(self._given.text)}  ", "accent"),) if self._given.text else ()
        own: Cell = (("  with s3dash's own", "warn"),) if self._own else ()
        lines: list[Cell] = [(*given, (told, "dim"), *own)]
        if record is not None:
            lines.append(one(f"{safe(record.key)}  ETag {safe(record.etag)}", "dim"))
        if self._wish is not None:
            asks = _ASKS["file" if self._wish.key else "key"].format(safe(self._wish.key))
            lines.append(one(asks, "warn"))
        lines += [self._message] if self._message else []
        return [crop(cell, width) for cell in lines]

    # --- keys ---------------------------------------------------------------------------

    def _start(self, wish: Wish) -> None:
        self.run_worker(self._do(wish), group="records")

    def action_again(self) -> None:
        self._start(Wish("list", own=self._own))

    def action_own(self) -> None:
        self._own = not self._own
        self.action_again()

    def action_new(self) -> None:
        self._ask(Wish("new"))

    def action_replace(self) -> None:
        record = self._list.model.current
        if record is not None:
            self._ask(Wish("replace", record.key, seen=record, own=self._own))

    def action_delete(self) -> None:
        record = self._list.model.current
        if record is None:
            self.say(one("there is nothing here", "dim"))
        else:
            self._start(Wish("delete", record.key, seen=record, own=self._own))

    @on(LineList.Chosen)
    def _opened(self, event: LineList.Chosen) -> None:
        event.stop()
        record = self._list.model.current
        if record is not None:
            self._start(Wish("read", record.key, seen=record))

    def _ask(self, wish: Wish) -> None:
        """For the key of a new record first, then for the file."""
        self._wish = wish
        self._input.value = ""
        self._input.display = True
        self._input.focus()
        self._changed()

    @on(Input.Submitted, "#records-input")
    def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        given, wish = event.value.strip(), self._wish
        if wish is None or not given:
            return
        if not wish.key:
            self._ask(Wish("new", given, own=self._own))
            return
        self._stop_asking()
        self._start(Wish(wish.what, wish.key, given, wish.seen, wish.own))

    def _stop_asking(self) -> None:
        self._wish = None
        self._input.display = False
        self._list.focus()
        self._changed()

    def action_dismiss_modal(self) -> None:
        """One level: first the question, then the filter, then the dialog."""
        if self._wish is not None:
            self._stop_asking()
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
        model.set_filter(filters.test_of(self._given, lambda record: record.key, FIELDS))
        while model.filter_some():
            pass  # records are few
        self._list.reshape()
        self._list.refresh()
        self._changed()

    @on(FilterInput.Typed)
    def _filter_typed(self, event: FilterInput.Typed) -> None:
        self._set_filter(event.text)

    @on(FilterInput.Closed)
    def _filter_closed(self) -> None:
        self._list.focus()


_HINT: Cell = (
    ("enter", "key"), (" reads  ", "dim"), ("n", "key"), (" new  ", "dim"),
    ("u", "key"), (" replaces  ", "dim"), ("x", "key"), (" deletes  ", "dim"),
    ("a", "key"), (" s3dash's own  ", "dim"), ("/", "key"), (" filter  ", "dim"),
    ("esc", "key"), (" closes", "dim"),
)  # fmt: skip
