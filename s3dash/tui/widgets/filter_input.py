"""The filter line, in the place of the last event while it is open."""

from collections.abc import Iterable
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from s3dash.tui import keys

KEPT = 50


class FilterInput(Input):
    """Tells what is typed as it is typed. Enter keeps the filter, escape takes it away.

    What was kept is remembered for this session and comes back by going up, as in a shell.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.FILTER)

    class Typed(Message):
        """The filter is another one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The line went away; the filter stays as it is."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, compact=True, select_on_focus=False)
        self.display = False
        self._history: list[str] = []
        self._back = 0
        self._draft = ""

    def open(self, text: str, *, fields: Iterable[str] = ()) -> None:
        """Edit `text`; `fields` are the names that can be asked for in this list."""
        there = " ".join(f"{name}:" for name in fields)
        self.placeholder = f"words  !not  {there}   enter keeps, esc clears"
        self._back = 0
        self._set(text)
        self.display = True
        self.focus()

    def close(self) -> None:
        if self.display:
            self.display = False
            self._remember()
            self.post_message(self.Closed())

    def _set(self, text: str) -> None:
        with self.prevent(Input.Changed):
            self.value = text
        self.cursor_position = len(text)

    def _remember(self) -> None:
        text = self.value.strip()
        if text:
            self._history = [text, *(old for old in self._history if old != text)][:KEPT]

    def action_older(self, step: int) -> None:
        """What was kept before; below the newest what was being typed."""
        back = self._back + step
        if not 0 <= back <= len(self._history):
            return
        if self._back == 0:
            self._draft = self.value
        self._back = back
        self._set(self._history[back - 1] if back else self._draft)
        self.post_message(self.Typed(self.value))

    def action_discard(self) -> None:
        self._set("")
        self.post_message(self.Typed(""))
        self.close()

    def on_blur(self, _: events.Blur) -> None:
        self.close()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()
