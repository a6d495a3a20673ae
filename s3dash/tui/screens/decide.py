"""A decision that the user has to confirm: `y` does it, nothing else. Cancel has the focus."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from s3dash.clock import Clock
from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import safe
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block

SHOWN = 6


class DecideScreen(Modal[bool]):
    """Answers with True when the user says yes. Enter never does.

    `lines` say what will be done; `yes` is what `y` does, as a clause.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.DECIDE)

    def __init__(self, title: str, lines: Sequence[Cell], yes: str, *, clock: Clock) -> None:
        super().__init__()
        self._title = title
        self._lines = [*lines, one(""), (("y", "key"), (f"  {yes}", ""))]
        self._guard = KeyGuard(clock)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = Content(self._title)
            yield Block(lambda _: self._lines, id="decide-text")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()

    def action_confirm(self) -> None:
        if self._guard.passes():
            self.dismiss(True)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)


def listed(paths: Sequence[str]) -> list[Cell]:
    """The first paths that a decision is about, and how many more there are."""
    lines = [one(f"  {safe(path)}", "strong") for path in paths[:SHOWN]]
    more = len(paths) - SHOWN
    return [*lines, one(f"  … and {more:,} more", "dim")] if more > 0 else lines
