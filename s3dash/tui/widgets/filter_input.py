"""The filter line, in the place of the last event while it is open."""

from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from s3dash.tui import keys


class FilterInput(Input):
    """Tells what is typed as it is typed. Enter keeps the filter, escape takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.FILTER)

    class Typed(Message):
        """The filter is another one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The line went away; the filter stays as it is."""

    def __init__(self, *, id: str) -> None:
        super().__init__(
            id=id,
            placeholder="filter: words, !not, field:value; enter keeps, esc clears",
            compact=True,
            select_on_focus=False,
        )
        self.display = False

    def open(self, text: str) -> None:
        with self.prevent(Input.Changed):
            self.value = text
        self.display = True
        self.focus()

    def close(self) -> None:
        if self.display:
            self.display = False
            self.post_message(self.Closed())

    def action_discard(self) -> None:
        with self.prevent(Input.Changed):
            self.value = ""
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
