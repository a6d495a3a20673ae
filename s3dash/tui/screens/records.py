"""The records of the control plane: listed, read, and written or deleted as they were seen."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Literal

import msgspec
from textual import on
from textual.binding import BindingType
from textual.widgets import Input

from s3dash.core.control import Record
from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import count, moment, safe, size
from s3dash.tui.look import Look
from s3dash.tui.screens.listed import ListDialog, Shape
from s3dash.tui.widgets.line_list import LineList

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
_HINT: Cell = (
    ("enter", "key"), (" reads  ", "dim"), ("n", "key"), (" new  ", "dim"),
    ("u", "key"), (" replaces  ", "dim"), ("x", "key"), (" deletes  ", "dim"),
    ("a", "key"), (" s3dash's own  ", "dim"), ("/", "key"), (" filter  ", "dim"),
    ("esc", "key"), (" closes", "dim"),
)  # fmt: skip
SHAPE: Shape[Record] = Shape(
    name="records",
    columns=COLUMNS,
    identity=lambda record: record.key,
    text=lambda record: record.key,
    fields={"etag": lambda record: record.etag},
    waiting="Asking the bucket …",
    none=[one("No records.", "good"), one("n writes one", "dim")],
    unread="They could not be read.",
    hint=_HINT,
)
_ASKS = {
    "key": "The key of the new record (enter; esc leaves it):",
    "file": "The file with the bytes of {} (enter; esc leaves it):",
}


class RecordsScreen(ListDialog[Record]):
    """By key."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.RECORDS, keys.MOVE)

    def __init__(self, where: str, *, look: Callable[[], Look], do: Do) -> None:
        super().__init__(f"control records of {where}", SHAPE, look=look)
        self._do = do
        self._own = False
        self._wish: Wish | None = None

    @property
    def is_asking(self) -> bool:
        return self._wish is not None

    def forget_question(self) -> None:
        self._wish = None

    def _paint_note(self) -> list[Cell]:
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
        return lines

    # --- keys ---------------------------------------------------------------------------

    def _start(self, wish: Wish) -> None:
        self.run_worker(self._do(wish), group="records")

    def action_again(self) -> None:
        self._start(Wish("list", own=self._own))

    def action_own(self) -> None:
        self._own = not self._own
        self.action_again()

    def action_new(self) -> None:
        self._want(Wish("new"))

    def action_replace(self) -> None:
        record = self._list.model.current
        if record is not None:
            self._want(Wish("replace", record.key, seen=record, own=self._own))

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

    def _want(self, wish: Wish) -> None:
        """For the key of a new record first, then for the file."""
        self._wish = wish
        self._ask()

    @on(Input.Submitted, "#records-input")
    def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        given, wish = event.value.strip(), self._wish
        if wish is None or not given:
            return
        if not wish.key:
            self._want(Wish("new", given, own=self._own))
            return
        self._stop_asking()
        self._start(Wish(wish.what, wish.key, given, wish.seen, wish.own))
