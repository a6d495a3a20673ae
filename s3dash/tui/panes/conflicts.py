"""View 6 on the screen, with the keys of its own."""

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from s3dash.core.report import ConflictInfo
from s3dash.core.settings import Take
from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.flows import conflicts
from s3dash.tui.views.conflicts import Clash, ConflictsView
from s3dash.tui.widgets.list_pane import ListPane


class ConflictsPane(ListPane[Clash]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.CONFLICTS)

    def __init__(self, commands: Commands) -> None:
        super().__init__(ConflictsView(), commands)

    def action_take(self, take: Take) -> None:
        """For the marked rows, else for the one under the cursor; blocked paths are left out."""
        chosen = self._chosen()
        if chosen:
            flow = partial(conflicts.decide, conflicts=chosen, take=take)
            self.commands.begin(f"conflicts.{take}", flow, group="dialog")
        else:
            self.commands.tell("there is no conflict to decide here")

    def _chosen(self) -> list[ConflictInfo]:
        marks, row = self.model.marks, self.model.current
        rows = self.view.rows(self.commands.look) if marks else [row] if row else []
        wanted = [r for r in rows if not marks or self.view.key(r) in marks]
        return [r.conflict for r in wanted if r.conflict is not None]
