"""View 9 on the screen, with the keys of its own."""

from typing import ClassVar

from textual.binding import BindingType

from s3dash.core.snapshot import HistoryRow
from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.views.log import LogView
from s3dash.tui.widgets.list_pane import ListPane


class LogPane(ListPane[HistoryRow]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.LOG)

    def __init__(self, commands: Commands) -> None:
        super().__init__(LogView(), commands, following=True)
