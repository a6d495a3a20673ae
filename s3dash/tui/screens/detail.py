"""A row in full, over the whole screen: what the detail pane shows, where there is no room."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll

from s3dash.tui import keys
from s3dash.tui.cells import Cell
from s3dash.tui.screens.modal import Modal
from s3dash.tui.widgets.line import Block, Line


class DetailScreen(Modal[None]):
    """Stays live while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.READ)
    AUTO_FOCUS = "#detail-scroll"

    def __init__(self, title: str, paint: Callable[[], list[Cell]]) -> None:
        super().__init__()
        self._title = title
        self._block = Block(lambda _: paint(), id="detail-text")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            with VerticalScroll(id="detail-scroll"):
                yield self._block
            yield Line(lambda _: (("esc", "key"), (" closes", "dim")), id="hint")

    def show(self) -> None:
        self._block.poke()

    def action_scroll(self, lines: int) -> None:
        scroll = self.query_one("#detail-scroll", VerticalScroll)
        scroll.scroll_relative(y=lines, animate=False)
