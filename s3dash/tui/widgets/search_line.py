"""A line that is always open, above the list that it searches."""

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from s3dash.tui import keys


class SearchLine(Input):
    """Tells what is typed as any input does; enter and down lead to the list."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.SEARCH)

    class Left(Message):
        """The user goes on: to the list below (`down`), or one level back."""

        def __init__(self, *, down: bool) -> None:
            super().__init__()
            self.down = down

    def __init__(self, placeholder: str, *, id: str) -> None:
        super().__init__(placeholder=placeholder, id=id, compact=True, select_on_focus=False)

    def action_to_list(self) -> None:
        self.post_message(self.Left(down=True))

    def action_leave(self) -> None:
        self.post_message(self.Left(down=False))
