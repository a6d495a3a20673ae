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
        self._log = LogView()
        super().__init__(self._log, commands, following=True)

    def reset(self) -> None:
        super().reset()
        self._log.frozen = None

    def action_freeze(self) -> None:
        look = self.commands.look
        frozen = self._log.freeze(look)
        self.show(look)
        self.commands.tell("the log stands still; f lets it go on" if frozen else "the log goes on")
