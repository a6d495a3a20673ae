"""Quitting while something runs: asked, never assumed."""

from typing import ClassVar, Literal

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

Answer = Literal["wait", "stop", "detach"]


class LeaveScreen(Modal[Answer]):
    """Answers with `wait` (quit when it is done), `stop` (cancel, then quit) or `detach`.

    `stays` says why nothing can be detached; empty when it can.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.LEAVE)

    def __init__(self, what: str, *, stays: str = "", clock: Clock) -> None:
        super().__init__()
        self._what = what
        self._stays = stays
        self._guard = KeyGuard(clock)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = Content("quit")
            yield Block(lambda _: self._paint(), id="leave-text")
            with Horizontal(classes="buttons"):
                yield Button("Stay", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()

    def _paint(self) -> list[Cell]:
        return [
            one(safe(self._what), "warn"),
            one(""),
            (("w", "key"), ("  wait until it is done, then quit", "")),
            (("s", "key"), ("  stop it cleanly and quit: nothing half done stays", "")),
            self._paint_detach(),
            one(""),
        ]

    def _paint_detach(self) -> Cell:
        if self._stays:
            return (("d", "faint"), (f"  detach: {self._stays}", "faint"))
        return (("d", "key"), ("  detach: quit, and it goes on without the screen", ""))

    def action_answer(self, answer: Answer) -> None:
        if answer == "detach" and self._stays:
            return
        if self._guard.passes():
            self.dismiss(answer)

    @on(Button.Pressed, "#cancel")
    def _stay(self) -> None:
        if self._guard.passes():
            self.dismiss(None)
