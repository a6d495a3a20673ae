"""For screen readers and for terminals without glyphs: where the real cursor is, and plain text."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from s3dash.tui.look import Look
from s3dash.tui.widgets.line_list import LineList

FRAMES = "─━│┃┌┐└┘├┤┬┴┼╭╮╰╯▏▕▁▂▃▄▅▆▇█▀▔▊▎▍▐░▒▓╸╺╹╻"
SIGNS = "●○◌◔◑◷▼▲◆✖✚±■▶·‖✔⚠⊘↻⇉→⏎☐☑▌"
LETTERS = dict(
    zip(
        "─━│┃┌┐└┘├┤┬┴┼╭╮╰╯●○◌◔◑◷▼▲◆✖✚±■▶·‖✔⚠⊘↻⇉→↑↓⏎☐☑▌…–«»⌫",
        '--||+++++++++++++*o.~~~v^*x+~#>.=v!/@=>^v<ox>.-""<',
        strict=True,
    )
)
BLOCKS = dict(zip("▁▂▃▄▅▆▇█▀▔▊▎▍▐▏▕░▒▓╸╺╹╻", '_.:-=+*#""||||||.:#----', strict=True))


class Translated(LineFilter):
    """Puts one character for another of the same width; nothing moves on the line."""

    def __init__(self, table: dict[str, str]) -> None:
        super().__init__()
        self._table = str.maketrans(table)

    def apply(self, segments: list[Segment], _background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else segment._replace(text=self._put(segment.text))
            for segment in segments
        ]

    def _put(self, text: str) -> str:
        return text.translate(self._table)


LETTERS_ONLY = Translated({**LETTERS, **BLOCKS})
"""Frames, graphs and signs as characters that every font has; a word stands beside each sign."""
SPOKEN = Translated({**dict.fromkeys(FRAMES + SIGNS, " "), "◆": "*", "☑": "x", "…": "."})
"""Nothing that a screen reader would spell out; the mark of a row stays one."""


def reading_point(screen: Screen[object]) -> Offset | None:
    """The cell that a screen reader is to read from; None: the widget sees to it by itself."""
    focused = screen.focused
    if focused is None or isinstance(focused, Input):
        return None
    origin = focused.content_region.offset
    if isinstance(focused, LineList):
        return Offset(origin.x, origin.y + _row(focused))
    return origin


def _row(rows: LineList[object]) -> int:
    seen: Widget = rows
    line = rows.model.cursor - rows.scroll_offset.y
    return max(0, min(line, seen.size.height - 1))


class Announcer:
    """What changed and stands nowhere near the cursor, in words."""

    def __init__(self) -> None:
        self._view = ""
        self._state = ("", "", True)

    def news(self, look: Look, view: str, rows: int) -> str:
        """One sentence, or nothing. `view` is the title of the view, `rows` how many it has."""
        told = ""
        snapshot = look.snapshot
        state = (look.site.name, snapshot.state, snapshot.healthy)
        if self._view not in ("", view):
            told = f"{view}: {rows:,} {'row' if rows == 1 else 'rows'}"
        elif state != self._state and self._view:
            told = f"{state[0]}: {state[1] if snapshot.healthy else 'offline'}"
        self._view, self._state = view, state
        return told
