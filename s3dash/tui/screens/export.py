"""Where an export goes, and as what. Nothing that is there is overwritten without a `y`."""

from datetime import datetime
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input

from s3dash.clock import Clock
from s3dash.errors import LocalError
from s3dash.tui import keys
from s3dash.tui.cells import Cell, crop, one
from s3dash.tui.export_file import is_taken, target_of, whole
from s3dash.tui.exporting import FORMATS, Format, file_name
from s3dash.tui.format import safe
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block

LOW = 16
"""Rows of the terminal below which the formats share a line."""


class ExportAnswer(NamedTuple):
    kind: Format
    path: Path
    overwrite: bool


class ExportScreen(Modal[ExportAnswer]):
    """Two steps when something of that name is there: the name, then the question."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.EXPORT)

    def __init__(self, view: str, what: str, *, now: datetime, clock: Clock) -> None:
        super().__init__()
        self._view = view
        self._what = what
        self._now = now
        self._guard = KeyGuard(clock)
        self._kind: Format = "csv"
        self._taken: Path | None = None
        self._problem = ""
        self._typed = Input(self._default(), id="export-name", compact=True, select_on_focus=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = Content("export")
            yield Block(lambda _: self._paint(), id="export-text")
            yield self._typed
            yield Block(lambda _: self._paint_note(), id="export-note")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._typed.focus()

    def _default(self) -> str:
        return file_name(self._view, self._kind, self._now)

    # --- painting -----------------------------------------------------------------------

    def _paint(self) -> list[Cell]:
        what = one(safe(self._what), "strong")
        if self.app.size.height < LOW:
            return [crop(what, self.app.size.width - 4), self._in_one_line()]
        shown: list[Cell] = [what, one("")]
        for kind, about in FORMATS.items():
            here = kind == self._kind
            sign = "▌● " if here else " ○ "
            shown.append(((sign, "key"), (f"{kind:<6}", "strong" if here else ""), (about, "dim")))
        return [*shown, one(""), one(f"in {safe(whole(Path()))}", "dim")]

    def _in_one_line(self) -> Cell:
        return tuple((f" {kind} ", "tab" if kind == self._kind else "dim") for kind in FORMATS)

    def _paint_note(self) -> list[Cell]:
        if self._taken is not None:
            what = "link" if self._taken.is_symlink() else "file"
            return [
                one(f"⚠ There is a {what} of that name: {safe(str(self._taken))}", "warn"),
                (("y", "key"), (" replaces it   ", "dim"), ("esc", "key"), (" leaves it", "dim")),
            ]
        if self._problem:
            return [one(f"✖ {self._problem}", "bad")]
        return [
            (
                ("up down", "key"),
                (" format   ", "dim"),
                ("enter", "key"),
                (" writes   ", "dim"),
                ("esc", "key"),
                (" closes", "dim"),
            )
        ]

    def _changed(self) -> None:
        for block in self.query(Block):
            block.refresh(layout=True)

    # --- keys ---------------------------------------------------------------------------

    def action_format(self, step: int) -> None:
        """Another format; the name follows as long as it is the one that was offered."""
        if self._taken is not None:
            return
        kinds = list(FORMATS)
        offered = self._typed.value == self._default()
        stem, dot, ending = self._typed.value.rpartition(".")
        before = self._kind
        self._kind = kinds[(kinds.index(before) + step) % len(kinds)]
        if offered:
            self._typed.value = self._default()
        elif dot and ending == before:
            self._typed.value = f"{stem}.{self._kind}"
        self._changed()

    @on(Input.Submitted)
    def _name_given(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            path = target_of(self._typed.value)
        except LocalError as error:
            self._problem = safe(error.message)
        else:
            if not is_taken(path):
                self.dismiss(ExportAnswer(self._kind, path, overwrite=False))
                return
            self._taken = path
            self._guard.restart()
            self._typed.display = False
            self.query_one("#cancel").focus()
        self._changed()

    @on(Input.Changed)
    def _name_changed(self) -> None:
        if self._problem:
            self._problem = ""
            self._changed()

    def action_confirm(self) -> None:
        """`y`, once the question stands there."""
        if self._taken is not None and self._guard.passes():
            self.dismiss(ExportAnswer(self._kind, self._taken, overwrite=True))

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)
