"""Text that repaints only when what it says has changed."""

from collections.abc import Callable
from itertools import zip_longest

from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.widget import Widget

from s3dash.tui.cells import Cell, content, width


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
        before = self._shown
        if fresh == before:
            return
        self._shown = fresh
        taller = len(fresh) != len(before)
        if taller and self.styles.is_auto_height:
            self.refresh(layout=True)
        else:
            self.refresh(*changed_rows(before, fresh, self.size))

    def render(self) -> Content:
        self._shown = self._paint(self.size.width)
        return content(self._shown)


def changed_rows(before: list[Cell], fresh: list[Cell], size: Size) -> list[Region]:
    """The rows of the terminal that say something else, line by line where none is wrapped.

    Where one is, a line stands in its own row or further down: all from the first on, as far as
    the text can reach.
    """
    pairs = enumerate(zip_longest(before, fresh))
    changed = [y for y, (old, new) in pairs if old != new]
    if all(width(line) <= size.width for line in (*before, *fresh)):
        return [Region(0, y, size.width, 1) for y in changed]
    end = min(size.height, max(_most_rows(before, size.width), _most_rows(fresh, size.width)))
    return [Region(0, changed[0], size.width, max(1, end - changed[0]))]


def _most_rows(lines: list[Cell], room: int) -> int:
    """Rows that the lines can take when wrapped: two of them together hold more than one can."""
    return sum(1 + 2 * (width(line) // max(1, room)) for line in lines)


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
