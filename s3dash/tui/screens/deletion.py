"""A deletion in a bucket: all that goes is counted and shown, and no slip of a key confirms it."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input

from s3dash.clock import Clock
from s3dash.errors import S3DashError
from s3dash.stores.explore.entry import Doomed
from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import count, safe, size
from s3dash.tui.screens.decide import listed
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block

MANY = 20
"""Objects from which on a word has to be typed."""


class DeletionScreen(Modal[bool]):
    """Answers with True when the user says so: by `y`, of many objects by typing `word`."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.DECIDE)

    def __init__(self, where: str, word: str, *, clock: Clock) -> None:
        super().__init__()
        self._where = where
        self._word = safe(word).strip() or "delete"
        self._guard = KeyGuard(clock)
        self._doomed: Doomed | None = None
        self._lines: Sequence[Cell] = [one("Listing all that would go …", "dim")]
        self._note: Cell = ()
        self._text = Block(lambda _: [*self._lines, one(""), self._note], id="decide-text")
        self._typed = Input(id="deletion-word", compact=True)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = Content(f"delete in {safe(self._where)}")
            yield self._text
            yield self._typed
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._typed.display = False
        self.query_one("#cancel").focus()

    # --- what comes in ------------------------------------------------------------------

    def ready(self, doomed: Doomed) -> None:
        """What would go."""
        if not self.is_open:
            return
        self._guard.restart()
        self._doomed = doomed
        self._lines = _about(doomed)
        if doomed.more or not doomed.objects:
            self._note = one("" if doomed.objects else "Nothing is there any more.", "good")
        elif len(doomed.objects) >= MANY:
            self._typed.display = True
            self._typed.focus()
            self._note = (("Type ", "warn"), (self._word, "strong"), (" and press enter.", "warn"))
        else:
            self._note = (("y", "key"), ("  deletes it for good", ""))
        self._text.refresh(layout=True)

    def failed(self, error: S3DashError) -> None:
        if self.is_open:
            self._lines = [one(f"✖ {safe(error.message)}", "bad"), one(safe(error.hint), "dim")]
            self._text.refresh(layout=True)

    # --- keys ---------------------------------------------------------------------------

    @property
    def _may(self) -> bool:
        doomed = self._doomed
        return doomed is not None and bool(doomed.objects) and not doomed.more

    def action_confirm(self) -> None:
        """`y` is enough for a few."""
        if self._may and not self._typed.display and self._guard.passes():
            self.dismiss(True)

    @on(Input.Submitted)
    def _word_typed(self, event: Input.Submitted) -> None:
        event.stop()
        if not self._may or not self._guard.passes():
            return
        if event.value.strip() == self._word:
            self.dismiss(True)
        else:
            told = ("That is not ", "bad"), (self._word, "strong"), ("; nothing was done.", "bad")
            self._note = told
            self._text.refresh(layout=True)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)


def _about(doomed: Doomed) -> list[Cell]:
    number = count(len(doomed.objects), "object")
    if doomed.more:
        return [
            one(f"More than {number} lie there: too many for this dialog.", "bad"),
            one("`s3dash fs rm` deletes them, or go into a directory first.", "dim"),
        ]
    return [
        one(f"Delete {number}, {size(doomed.bytes)}? Nothing of it can be put back.", "warn"),
        one(""),
        *listed([info.key for info in doomed.objects]),
    ]
