"""Deciding conflicts: what is taken, what becomes of the other version, and for how many."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from s3dash.clock import Clock
from s3dash.core.report import ConflictInfo
from s3dash.core.settings import Take
from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import count, safe
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block

SHOWN = 6

_TAKES: dict[Take, tuple[str, str]] = {
    "local": (
        "Take the LOCAL version: it goes to the bucket.",
        "The bucket's version is brought into the trash first.",
    ),
    "remote": (
        "Take the REMOTE version: it is fetched from the bucket.",
        "The local version goes to the trash.",
    ),
    "both": (
        "Keep BOTH: the bucket's version keeps the name.",
        "The local version gets a name of its own, and goes up with the next push.",
    ),
}


class DecideScreen(Modal[bool]):
    """Answers with True when the user says yes. Enter never does."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.DECIDE)

    def __init__(self, conflicts: Sequence[ConflictInfo], take: Take, *, clock: Clock) -> None:
        super().__init__()
        self._conflicts = conflicts
        self._take: Take = take
        self._guard = KeyGuard(clock)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = Content("conflicts")
            yield Block(lambda _: self._paint(), id="decide-text")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()

    def _paint(self) -> list[Cell]:
        taken, other = _TAKES[self._take]
        paths = [one(f"  {safe(c.path)}", "strong") for c in self._conflicts[:SHOWN]]
        more = len(self._conflicts) - SHOWN
        if more > 0:
            paths.append(one(f"  … and {more:,} more", "dim"))
        number = count(len(self._conflicts), "conflict")
        return [
            one(taken, "warn"),
            one(other, "dim"),
            one(""),
            *paths,
            one(""),
            (("y", "key"), (f"  decide {number} so", "")),
        ]

    def action_confirm(self) -> None:
        if self._guard.passes():
            self.dismiss(True)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)
