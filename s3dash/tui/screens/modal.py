"""What all dialogs share: escape closes, and a guard against keys that were meant for before."""

import asyncio
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.screen import ModalScreen

from s3dash.clock import Clock
from s3dash.tui import keys

T = TypeVar("T")

GUARD_S = 0.3


class KeyGuard:
    """Lets a confirmation pass only after a pause; every one that comes too early starts anew.

    So a key that is held down when the dialog opens never confirms anything.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic()

    def restart(self) -> None:
        """The dialog shows something new."""
        self._since = self._clock.monotonic()

    def passes(self) -> bool:
        now = self._clock.monotonic()
        if now - self._since >= GUARD_S:
            return True
        self._since = now
        return False


class Modal(ModalScreen[T | None], Generic[T]):
    """A dialog that gives an answer of type T, or None when it was closed."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.MODAL)
    _is_answered = False

    @property
    def is_open(self) -> bool:
        """It was not closed: what comes in now can be shown.

        Of a screen that is going Textual says that it is attached when its parts are gone.
        """
        return self.is_attached and not self._is_answered and self in self.app.screen_stack

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Once: keys that came in faster than it closed answer nothing any more."""
        if self._is_answered or self not in self.app.screen_stack:
            return AwaitComplete()
        self._is_answered = True
        return super().dismiss(result)

    def action_dismiss_modal(self) -> None:
        self.dismiss(None)

    def show(self) -> None:
        """What is known may have changed: dialogs that show it repaint."""


async def ask_user(app: App[Any], screen: Modal[T]) -> "asyncio.Future[T | None]":
    """Open a dialog; when this returns it is on the screen, and its answer still to come.

    One that is there already, as keys came in faster than it opened, is not opened again: then
    the answer is None at once.
    """
    answer: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
    if any(type(shown) is type(screen) for shown in app.screen_stack):
        answer.set_result(None)
        return answer

    def take(given: T | None) -> None:
        if not answer.done():
            answer.set_result(given)

    await app.push_screen(screen, take)
    return answer
