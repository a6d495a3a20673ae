"""The trash: what was replaced, deleted or lost a conflict, and what can be done about it."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, Literal

import msgspec
from textual import on
from textual.binding import BindingType
from textual.widgets import Input

from s3dash.core.report import TrashItem
from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import count, moment, safe, short_hash, size
from s3dash.tui.look import Look
from s3dash.tui.screens.listed import ListDialog, Shape


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
_HINT: Cell = (
    ("u", "key"), (" puts back  ", "dim"), ("o", "key"), (" under another name  ", "dim"),
    ("x", "key"), (" drops for good  ", "dim"), ("/", "key"), (" filter  ", "dim"),
    ("esc", "key"), (" closes", "dim"),
)  # fmt: skip
SHAPE: Shape[TrashItem] = Shape(
    name="trash",
    columns=COLUMNS,
    identity=lambda item: item.id,
    text=lambda item: f"{item.path} {item.reason} {item.sha256}",
    fields={"why": lambda item: item.reason},
    waiting="Reading …",
    none=[one("The trash is empty.", "good")],
    unread="It could not be read.",
    hint=_HINT,
)


def _when(item: TrashItem, look: Look) -> Cell:
    return one(moment(item.at, look.now) if item.at else "?", "dim")


def _path(item: TrashItem) -> Cell:
    return one(safe(item.path)) if item.path else one("(not known)", "dim")


class TrashScreen(ListDialog[TrashItem]):
    """Newest first."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.TRASH, keys.MOVE)

    def __init__(self, where: str, *, look: Callable[[], Look], do: Do) -> None:
        super().__init__(f"trash of {where}", SHAPE, look=look)
        self._do = do
        self._naming: TrashItem | None = None

    def ready(self, things: Sequence[TrashItem]) -> None:
        """What is in the trash now, oldest first."""
        super().ready(tuple(reversed(things)))

    def ask_name(self, item: TrashItem) -> None:
        """Where to put it instead."""
        if self.is_open:
            self._naming = item
            self._ask(item.path)

    @property
    def is_asking(self) -> bool:
        return self._naming is not None

    def forget_question(self) -> None:
        self._naming = None

    def _paint_note(self) -> list[Cell]:
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
        return lines

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

    @on(Input.Submitted, "#trash-input")
    def _named(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._wish("restore", event.value.strip())
            self._stop_asking()
