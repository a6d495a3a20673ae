"""One line of text that repaints only when what it says has changed."""

from collections.abc import Callable

from textual.content import Content
from textual.widget import Widget

from s3dash.tui.cells import EMPTY, Cell, content


class Line(Widget):
    """Shows `paint(width)`; call `poke` whenever the answer may be another one."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: clip; }"

    def __init__(self, paint: Callable[[int], Cell], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._paint = paint
        self._shown: Cell = EMPTY

    @property
    def shown(self) -> Cell:
        """What stands there now."""
        return self._shown

    def poke(self) -> None:
        fresh = self._paint(self.size.width)
        if fresh != self._shown:
            self._shown = fresh
            self.refresh()

    def render(self) -> Content:
        self._shown = self._paint(self.size.width)
        return content([self._shown])
