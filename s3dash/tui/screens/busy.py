"""A datastore is at work whose settings the file changes, or takes away."""

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from s3dash.clock import Clock
from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import safe
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block

Answer = Literal["wait", "stop"]


class BusyScreen(Modal[Answer]):
    """Answers with what becomes of the running work; None leaves everything as it is."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.RELOAD)

    def __init__(self, names: str, *, clock: Clock) -> None:
        super().__init__()
        self._names = names
        self._guard = KeyGuard(clock)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = "the configuration"
            yield Block(lambda _: self._paint(), id="busy-text")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()

    def _paint(self) -> list[Cell]:
        return [
            one(f"{safe(self._names)}: at work, with settings that the file changes.", "warn"),
            one(""),
            (("w", "key"), ("  wait until it is done, then take them up", "")),
            (("y", "key"), ("  stop it cleanly and take them up now", "")),
            (("esc", "key"), ("  leave the datastores as they are", "")),
        ]

    def action_answer(self, answer: Answer) -> None:
        if self._guard.passes():
            self.dismiss(answer)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)
