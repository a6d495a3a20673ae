"""What to ignore: the path, its folder or its ending; with the exact change of the file."""

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from s3dash.clock import Clock
from s3dash.tui import keys
from s3dash.tui.cells import Cell, crop, one
from s3dash.tui.columns import Column
from s3dash.tui.format import safe
from s3dash.tui.look import Look
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel

SHOWN = 8


class Offer(NamedTuple):
    """One way to ignore what was chosen. `lines` are the change of the file, as in a diff."""

    label: str
    patterns: tuple[str, ...]
    lines: tuple[str, ...]


class IgnoreScreen(Modal[Offer]):
    """Answers with what is to be written. Nothing is deleted by it, so enter is enough."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.MOVE)
    AUTO_FOCUS = "#ignore-list"

    def __init__(
        self,
        what: str,
        file: str,
        offers: Sequence[Offer],
        *,
        look: Callable[[], Look],
        clock: Clock,
    ) -> None:
        super().__init__()
        self._what = what
        self._file = file
        self._offers = tuple(offers)
        self._look = look
        self._guard = KeyGuard(clock)
        columns: tuple[Column[Offer], ...] = (
            Column(title="IGNORE", cell=lambda offer, _: one(safe(offer.label), "strong")),
        )
        self._list: LineList[Offer] = LineList(
            LineModel(lambda offer: offer.label), columns, id="ignore-list"
        )
        self._change = Block(self._paint_change, id="ignore-change")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"ignore {safe(self._what)}")
            yield self._list
            yield self._change
            yield Line(lambda width: crop(_NOTE, width), id="ignore-note")
            yield Line(lambda width: crop(_KEYS, width), id="ignore-keys")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._list.styles.height = len(self._offers)
        self._list.show(self._look(), self._offers)

    def _paint_change(self, width: int) -> list[Cell]:
        offer = self._list.model.current
        lines = offer.lines if offer else ()
        looks = {"+": "add", "-": "del"}
        shown = [one(safe(line), looks.get(line[:1], "dim")) for line in lines[:SHOWN]]
        more = [one(f"… {len(lines) - SHOWN} more lines", "dim")] if len(lines) > SHOWN else []
        head = (("in ", "dim"), (safe(self._file), ""), (":", "dim"))
        return [one(""), *(crop(line, width) for line in (head, *shown, *more)), one("")]

    @on(LineList.Moved)
    def _moved(self) -> None:
        self._change.refresh(layout=True)

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        if self._guard.passes():
            self.dismiss(self._list.model.current)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)


_NOTE: Cell = one("What is in the bucket stays there: it is no longer looked at.", "dim")
_KEYS: Cell = (
    ("enter", "key"),
    (" writes it   ", "dim"),
    ("esc", "key"),
    (" writes nothing", "dim"),
)
