"""A name or a path that the user types."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from s3dash.clock import Clock
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import safe
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block


class NameScreen(Modal[str]):
    """Answers with what was typed, without blanks around it. `about` says what it is for.

    `given` stands there to begin with, unless a terminal would obey it.
    """

    def __init__(self, title: str, about: str, *, given: str = "", clock: Clock) -> None:
        super().__init__()
        self._title = title
        self._about = about
        self._guard = KeyGuard(clock)
        known = given if given.isprintable() else ""
        self._typed = Input(known, id="name-typed", compact=True, select_on_focus=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(safe(self._title))
            yield Block(lambda _: [one(safe(self._about), "dim"), one("")], id="name-about")
            yield self._typed
            yield Block(lambda _: [one(""), _HINT], id="name-hint")

    def on_mount(self) -> None:
        self._typed.focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip() and self._guard.passes():
            self.dismiss(event.value.strip())


_HINT: Cell = (("enter", "key"), (" goes on   ", "dim"), ("esc", "key"), (" leaves it", "dim"))
