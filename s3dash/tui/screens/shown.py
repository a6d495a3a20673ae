"""A text over the whole screen, without a frame, to be selected with the terminal's own means."""

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from s3dash.tui.cells import Cell, one
from s3dash.tui.format import safe
from s3dash.tui.screens.reading import ReadScreen
from s3dash.tui.widgets.line import Block, Line

MOST = 500
"""Lines; more than these nobody selects by hand."""


class ShownScreen(ReadScreen):
    def __init__(self, text: str, why: str) -> None:
        super().__init__()
        self._why = why
        lines = text.split("\n")
        self._lines: list[Cell] = [one(safe(line)) for line in lines[:MOST]]
        if len(lines) > MOST:
            self._lines.append(
                one(f"… and {len(lines) - MOST:,} more lines; E writes a file", "dim")
            )

    def compose(self) -> ComposeResult:
        with Vertical(id="shown"):
            yield Line(lambda _: self._hint(), id="shown-hint")
            with VerticalScroll(id="shown-scroll"):
                yield Block(lambda _: self._lines, id="shown-text")

    def _hint(self) -> Cell:
        return (
            (f"{self._why}: ", "warn"),
            ("shift+drag", "key"),
            (" selects   ", "dim"),
            ("esc", "key"),
            (" closes", "dim"),
        )
