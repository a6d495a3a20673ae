"""The list for everything that can be long: one line a row, painted when it is seen.

It follows the line API, so a million rows cost what the visible ones cost. A tick compares the
visible lines with what was painted and repaints the columns that differ, nothing else.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from s3dash.tui import keys, theme
from s3dash.tui.cells import Cell, crop, width
from s3dash.tui.columns import GUTTER, Column, Slot, fitted, layout, span
from s3dash.tui.look import Look
from s3dash.tui.widgets.list_model import LineModel

R = TypeVar("R")

MANY = 8
SIDEWAYS = 16
"""Cells that one key press goes to the left or right."""
MARK, CURSOR = "◆", "▌"


class Painted(NamedTuple):
    """What a line of the terminal says: row number, cursor, mark, and its cells."""

    line: int
    current: bool
    marked: bool
    cells: tuple[Cell, ...]


class LineList(ScrollView, Generic[R], can_focus=True):
    """Rows of a `LineModel` in columns. `show` hands down what it needs to paint.

    A `still` list has no cursor and takes no focus. In a `following` one a cursor on the last
    row stays on the last row.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.MOVE, keys.OPEN)
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line-list--cursor",
        "line-list--blurred",
    }
    DEFAULT_CSS = """
    LineList {
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        overflow-x: hidden;
        overflow-y: auto;
    }
    LineList > .line-list--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
    }
    LineList > .line-list--blurred { background: $surface; }
    """

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, sender: "LineList[Any]") -> None:
            super().__init__()
            self.sender = sender

        @property
        def control(self) -> "LineList[Any]":
            return self.sender

    class Chosen(Moved):
        """A row was opened."""

    class Marked(Moved):
        """The marks changed."""

    def __init__(
        self,
        model: LineModel[R],
        columns: Sequence[Column[R]],
        *,
        id: str | None = None,
        still: bool = False,
        following: bool = False,
    ) -> None:
        super().__init__(id=id)
        self.can_focus = not still
        self.model = model
        self._columns = columns
        self._look: Look | None = None
        self._empty: list[Cell] = []
        self._slots: list[Slot] = []
        self._painted: dict[int, Painted] = {}
        self._styles: dict[str, Style] = {}
        self._beat = 0
        self._still = still
        self._following = following
        self._wide = False
        self._span = 0

    # --- content ------------------------------------------------------------------------

    def show(self, look: Look, rows: Sequence[R], *, force: bool = False) -> None:
        """Take what is known now. Rows that are the same object are not looked at again."""
        self._look = look
        held = self.model.current
        at_end = self._following and self.model.cursor >= len(self.model) - 1
        if self.model.set_rows(rows, force=force):
            self.reshape(to_end=at_end)
            if self.model.current is not held:
                self.post_message(self.Moved(self))
        else:
            self.tick(look, sparing=True)

    def set_empty(self, lines: list[Cell]) -> None:
        """What stands in the middle of a list without rows."""
        if lines != self._empty:
            self._empty = lines
            if not len(self.model):
                self.refresh()

    def reshape(self, *, to_end: bool = False) -> None:
        """The number or the order of the rows changed."""
        if to_end:
            self.model.move(len(self.model) - 1)
        self.virtual_size = Size(self._span, len(self.model))
        self._bring_into_view()
        self.tick(self._look)

    def tick(self, look: Look | None, *, sparing: bool = False) -> None:
        """Repaint of the visible lines the columns that say something else now.

        `sparing` takes every other line when many have changed, and the rest the next time: what
        moves all the time then costs a slow connection half.
        """
        self._look = look
        changed = []
        for y in range(self.size.height):
            before, fresh = self._painted.get(y), self._lay_out(y + self.scroll_offset.y)
            if fresh != before:
                changed.append((y, before, fresh))
        self._beat ^= 1
        every = 2 if sparing and len(changed) > MANY else 1
        for y, before, fresh in changed:
            if (y + self._beat) % every == 0:
                self._repaint(y, before, fresh)

    def _repaint(self, y: int, before: Painted | None, fresh: Painted | None) -> None:
        """The span of the columns that differ when only they do, else the whole line."""
        start, end = 0, self.size.width
        if before is not None and fresh is not None and before[1:3] == fresh[1:3]:
            pairs = zip(self._slots, before.cells, fresh.cells, strict=True)
            changed = [slot for slot, old, new in pairs if old != new]
            if changed:
                left = self.scroll_offset.x
                start = max(0, changed[0].x - left)
                end = max(start, changed[-1].x + changed[-1].width - left)
        self.refresh(Region(start, y, end - start, 1))

    # --- painting -----------------------------------------------------------------------

    def _lay_out(self, line: int) -> Painted | None:
        if self._look is None or line >= len(self.model):
            return None
        row = self.model.row(line)
        cells = tuple(self._columns[s.column].cell(row, self._look) for s in self._slots)
        current = line == self.model.cursor and not self._still
        return Painted(line, current, self.model.is_marked(line), cells)

    def render_line(self, y: int) -> Strip:
        fresh = self._lay_out(y + self.scroll_offset.y)
        if fresh is None:
            self._painted.pop(y, None)
            return self._blank(y)
        self._painted[y] = fresh
        band = self._band() if fresh.current else Style.null()
        pieces = [(self._gutter(fresh), self._style("key") + band)]
        end = GUTTER
        for slot, cell in zip(self._slots, fresh.cells, strict=True):
            pieces.append((" " * (slot.x - end), self._style("") + band))
            parts = fitted(cell, self._columns[slot.column], slot.width)
            pieces += [(text, self._lit(look, fresh) + band) for text, look in parts]
            end = slot.x + slot.width
        strip = Strip(_merged(pieces))
        left, wide = self.scroll_offset.x, self.size.width
        strip = strip.adjust_cell_length(max(left + wide, self._span), self._style("") + band)
        return strip.crop(left, left + wide)

    def _gutter(self, painted: Painted) -> str:
        return (CURSOR if painted.current else " ") + (MARK if painted.marked else " ")

    def _blank(self, y: int) -> Strip:
        """A line below the rows; in a list without rows the text that says so."""
        wide = self.size.width
        start = max(1, (self.size.height - len(self._empty)) // 3)
        if len(self.model) or not start <= y < start + len(self._empty):
            return Strip.blank(wide, self._style(""))
        cell = crop(self._empty[y - start], wide)
        segments = [Segment(" " * ((wide - width(cell)) // 2), self._style(""))]
        segments += [Segment(text, self._style(look)) for text, look in cell]
        return Strip(segments).adjust_cell_length(wide, self._style(""))

    def _style(self, look: str) -> Style:
        """The style of a look, on the background of the list."""
        if look not in self._styles:
            below, variables = self.background_colors[1], self.app.theme_variables
            style = theme.line_style(look, variables, below)
            self._styles[look] = self.rich_style + style
        return self._styles[look]

    def _lit(self, look: str, painted: Painted) -> Style:
        """Under the cursor nothing is dimmed: it would not stand out of the band."""
        return self._style("" if painted.current and look in ("dim", "faint") else look)

    def _band(self) -> Style:
        """What the cursor lays over a line: a background, or reverse where there are no colours."""
        name = "line-list--cursor" if self.has_focus else "line-list--blurred"
        style = self.get_component_rich_style(name, partial=True)
        return Style(bgcolor=style.bgcolor, bold=style.bold, reverse=style.reverse)

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        self._slots = layout(self._columns, self.size.width, wide=self._wide)
        self._span = span(self._slots, self.size.width)
        self._painted.clear()
        self.virtual_size = Size(self._span, len(self.model))
        self._bring_into_view()
        self.refresh()

    def set_wide(self, wide: bool) -> None:
        """Show all columns; those that do not fit are reached sideways."""
        self._wide = wide
        self.styles.overflow_x = "auto" if wide else "hidden"
        if not wide:
            self.scroll_to(x=0, animate=False, immediate=True, force=True)
        self.on_resize()

    def on_focus(self) -> None:
        self._refresh_cursor()

    def on_blur(self) -> None:
        self._refresh_cursor()

    # --- cursor and marks ---------------------------------------------------------------

    def move_to(self, line: int) -> None:
        """Put the cursor on a line; only the two lines concerned are repainted."""
        if not len(self.model):
            return
        before = self.model.cursor
        if self.model.move(line) != before:
            self.refresh_line(before)
            self._refresh_cursor()
            self._bring_into_view()
            self.post_message(self.Moved(self))

    def _refresh_cursor(self) -> None:
        self.refresh_line(self.model.cursor)

    def _bring_into_view(self) -> None:
        top, height, line = self.scroll_offset.y, self.size.height, self.model.cursor
        if height <= 0:
            return
        if line < top or line >= top + height:
            target = line if line < top else line - height + 1
            self.scroll_to(y=target, animate=False, immediate=True)

    def action_move(self, step: int) -> None:
        self.move_to(self.model.cursor + step)

    def action_page(self, pages: float) -> None:
        self.move_to(self.model.cursor + int(pages * max(2, self.size.height - 1)))

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(len(self.model) - 1)

    def action_sideways(self, steps: int) -> None:
        self.scroll_relative(x=steps * SIDEWAYS, animate=False, immediate=True)

    def action_choose(self) -> None:
        if self.model.current is not None:
            self.post_message(self.Chosen(self))

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < len(self.model):
            self.move_to(line)
            if event.chain == 2:
                self.action_choose()


def _merged(pieces: list[tuple[str, Style]]) -> list[Segment]:
    """Segments with blanks drawn to the text beside them: fewer colour changes to send."""
    segments: list[Segment] = []
    for text, style in pieces:
        last = segments[-1] if segments else None
        if last is None or last.style is None:
            segments.append(Segment(text, style))
        elif style == last.style or _hides(text, style, last.style):
            segments[-1] = Segment(last.text + text, last.style)
        elif _hides(last.text, last.style, style):
            segments[-1] = Segment(last.text + text, style)
        else:
            segments.append(Segment(text, style))
    return segments


def _hides(text: str, style: Style, other: Style) -> bool:
    """True when `text` looks the same in the other style, as it is blank."""
    plain = not (other.underline or other.strike)
    return plain and not text.strip() and style.bgcolor == other.bgcolor
