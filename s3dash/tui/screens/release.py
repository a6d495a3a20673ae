"""Force release of a lock: what it says now, and a confirmation as strong as the risk."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input

from s3dash.clock import Clock
from s3dash.core.lock import LockInfo
from s3dash.errors import S3DashError
from s3dash.tui import keys
from s3dash.tui.cells import EMPTY, Cell, one
from s3dash.tui.format import safe
from s3dash.tui.glyphs import STALE
from s3dash.tui.look import Look
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.views.base import head, row_of
from s3dash.tui.views.locks import facts, place, sign
from s3dash.tui.widgets.line import Block


class ReleaseScreen(Modal[LockInfo]):
    """Answers with the lock as it was shown: its nonce is what may be released, nothing else.

    Looking at a lock and releasing it never take one.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.RELEASE)

    def __init__(self, asked: LockInfo, *, look: Callable[[], Look], clock: Clock) -> None:
        super().__init__()
        self._asked = asked
        self._look = look
        self._guard = KeyGuard(clock)
        self._lock: LockInfo | None = None
        self._message: Cell = one("Reading the lock again …", "dim")
        self._facts = Block(lambda _: self._paint_facts(), id="release-facts")
        self._note = Block(lambda _: [self._message], id="release-note")
        self._typed = Input(id="release-host", compact=True)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = Content("force release")
            yield self._facts
            yield self._note
            yield self._typed
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._typed.display = False
        self.query_one("#cancel").focus()

    # --- what comes in ------------------------------------------------------------------

    def ready(self, lock: LockInfo | None) -> None:
        """The lock as it is now; None when it is gone."""
        if not self.is_open:
            return
        self._guard.restart()
        self._lock = lock
        if lock is None:
            self._say(one("It is gone already: nothing to release.", "good"))
        elif self._is_stale(lock):
            silent = self._changed(lock, "Its holder is silent. ")
            self._say(((silent, ""), ("y", "key"), (" releases it", "dim")))
        else:
            self._typed.display = True
            self._typed.focus()
            self._say(
                (
                    (
                        self._changed(lock, "⚠ It is alive. Its holder will lose its work. Type "),
                        "warn",
                    ),
                    (self._word(lock), "strong"),
                    (" and press enter.", "warn"),
                )
            )
        self._facts.refresh(layout=True)

    def _changed(self, lock: LockInfo, told: str) -> str:
        """Says first that it is not the lock any more that the user looked at."""
        if lock.nonce == self._asked.nonce:
            return told
        return f"Re-acquired by {safe(lock.holder) or '?'} since you looked. {told}"

    def failed(self, error: S3DashError) -> None:
        if self.is_open:
            self._say(one(f"✖ {safe(error.message)}", "bad"))

    def show(self) -> None:
        self._facts.poke()

    def _say(self, message: Cell) -> None:
        self._message = message
        self._note.refresh(layout=True)

    def _is_stale(self, lock: LockInfo) -> bool:
        return sign(lock, self._look()) is STALE

    def _word(self, lock: LockInfo) -> str:
        """What has to be typed: the host's name; a lock that names none asks for `release`."""
        return safe(lock.hostname).strip() or "release"

    def _paint_facts(self) -> list[Cell]:
        look, lock = self._look(), self._lock
        if lock is None:
            return [head(place(self._asked)), one("")]
        return [
            head(place(lock)),
            one(""),
            row_of("state", sign(lock, look).cell),
            *facts(lock, look),
            EMPTY,
        ]

    # --- keys ---------------------------------------------------------------------------

    def action_confirm(self) -> None:
        """`y` is enough for a lock only that was stale when it was read: not for one whose time
        ran out while it is shown, as nobody looked whether its holder was heard of."""
        lock = self._lock
        if lock is not None and not self._typed.display and self._guard.passes():
            self.dismiss(lock)

    @on(Input.Submitted)
    def _host_typed(self, event: Input.Submitted) -> None:
        event.stop()
        lock = self._lock
        if lock is None or not self._guard.passes():
            return
        if event.value.strip() == self._word(lock):
            self.dismiss(lock)
        else:
            self._say(
                (
                    ("That is not ", "bad"),
                    (self._word(lock), "strong"),
                    ("; nothing was released.", "bad"),
                )
            )

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)
