"""View 8 on the screen."""

from s3dash.tui.commands import Commands
from s3dash.tui.views.explorer import ExplorerView
from s3dash.tui.widgets.list_pane import ListPane


class ExplorerPane(ListPane[str]):
    def __init__(self, commands: Commands) -> None:
        super().__init__(ExplorerView(), commands)
