"""View 3 on the screen, with the keys of its own."""

from typing import ClassVar

from textual.binding import BindingType

from s3dash.core.progress import Transfer
from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.views.transfers import TransfersView
from s3dash.tui.widgets.list_pane import ListPane


class TransfersPane(ListPane[Transfer]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.TRANSFERS)

    def __init__(self, commands: Commands) -> None:
        super().__init__(TransfersView(), commands)

    def action_cancel(self) -> None:
        self.commands.cancel_operation()
