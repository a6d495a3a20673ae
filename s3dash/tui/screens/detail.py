"""A row in full, over the whole screen: what the detail pane shows, where there is no room."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from s3dash.tui.cells import Cell
from s3dash.tui.format import safe
from s3dash.tui.screens.reading import ReadScreen
from s3dash.tui.widgets.line import Block, Line


class DetailScreen(ReadScreen):
    """Stays live while it is open."""

    def __init__(self, title: str, paint: Callable[[], list[Cell]]) -> None:
        super().__init__()
        self._about = title
        self._block = Block(lambda _: paint(), id="detail-text")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(safe(self._about))
            with VerticalScroll(id="detail-scroll"):
                yield self._block
            yield Line(lambda _: (("esc", "key"), (" closes", "dim")), id="hint")

    def show(self) -> None:
        self._block.poke()
