"""Text that repaints only when what it says has changed."""

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from s3dash.tui.cells import Cell, content


class Block(Widget):
    """Shows `paint(width)`, some lines of text; call `poke` when the answer may be another one."""

    def __init__(self, paint: Callable[[int], list[Cell]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._paint = paint
        self._shown: list[Cell] = []

    @property
    def shown(self) -> list[Cell]:
        """What stands there now."""
        return self._shown

    def poke(self) -> None:
        fresh = self._paint(self.size.width)
        if fresh != self._shown:
            taller = len(fresh) != len(self._shown)
            self._shown = fresh
            self.refresh(layout=taller and self.styles.is_auto_height)

    def render(self) -> Content:
        self._shown = self._paint(self.size.width)
        return content(self._shown)


class Line(Block):
    """A block of one line."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: clip; }"

    class Clicked(Message):
        """Somebody clicked on the cell `x` of the line."""

        def __init__(self, line: "Line", x: int) -> None:
            super().__init__()
            self.line = line
            self.x = x

        @property
        def control(self) -> "Line":
            return self.line

    def __init__(self, paint: Callable[[int], Cell], *, id: str | None = None) -> None:
        super().__init__(lambda width: [paint(width)], id=id)

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(self, event.x))
