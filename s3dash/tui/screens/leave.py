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
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block

Answer = Literal["wait", "stop"]


class LeaveScreen(Modal[Answer]):
    """Answers with `wait` (quit when it is done) or `stop` (cancel, then quit)."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.LEAVE)

    def __init__(self, what: str, *, clock: Clock) -> None:
        super().__init__()
        self._what = what
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
            one(self._what, "warn"),
            one(""),
            (("w", "key"), ("  wait until it is done, then quit", "")),
            (("s", "key"), ("  stop it cleanly and quit: nothing half done stays", "")),
            one(""),
        ]

    def action_answer(self, answer: Answer) -> None:
        if self._guard.passes():
            self.dismiss(answer)

    @on(Button.Pressed, "#cancel")
    def _stay(self) -> None:
        if self._guard.passes():
            self.dismiss(None)
