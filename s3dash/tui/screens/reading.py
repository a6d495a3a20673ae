"""What all dialogs share that are only read: their keys scroll."""

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll

from s3dash.tui import keys
from s3dash.tui.screens.modal import Modal


class ReadScreen(Modal[None]):
    """Has one VerticalScroll. No key goes further than what is seen at once."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.READ)
    AUTO_FOCUS = "VerticalScroll"

    def action_scroll(self, lines: int) -> None:
        scroll = self.query_one(VerticalScroll)
        page = max(1, scroll.size.height - 1)
        scroll.scroll_relative(y=max(-page, min(page, lines)), animate=False)
