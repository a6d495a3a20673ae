"""View 2 on the screen, with the keys of its own."""

from s3dash.core.snapshot import DirtyRow
from s3dash.tui.commands import Commands
from s3dash.tui.views.dirty import DirtyView
from s3dash.tui.widgets.list_pane import ListPane


class DirtyPane(ListPane[DirtyRow]):
    def __init__(self, commands: Commands) -> None:
        super().__init__(DirtyView(), commands)

    @property
    def marked(self) -> tuple[str, ...]:
        """The marked paths; empty means that nothing was chosen."""
        return tuple(sorted(self.model.marks))
