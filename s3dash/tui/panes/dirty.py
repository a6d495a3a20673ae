"""View 2 on the screen, with the keys of its own."""

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from s3dash.core.models import models_of
from s3dash.core.snapshot import DirtyRow
from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.flows import diff, ignore, operate
from s3dash.tui.views.dirty import DirtyView
from s3dash.tui.widgets.list_pane import ListPane


class DirtyPane(ListPane[DirtyRow]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.DIRTY, keys.DIRTY_DIFF)

    def __init__(self, commands: Commands) -> None:
        super().__init__(DirtyView(), commands)

    @property
    def marked(self) -> tuple[str, ...]:
        """The marked paths; empty means that nothing was chosen."""
        return tuple(sorted(self.model.marks))

    def action_diff(self) -> None:
        row = self.model.current
        if row is None:
            self.commands.tell("there is nothing to compare here")
        else:
            flow = partial(diff.show, path=row.path, pair=("base", "local"))
            self.commands.begin("dirty.diff", flow, group="dialog")

    def action_push_model(self) -> None:
        """The models of the marked paths, else that of the one under the cursor."""
        row = self.model.current
        paths = self.marked or ((row.path,) if row is not None else ())
        models = tuple(model.name for model in models_of(paths))
        if not models:
            self.commands.tell("no model: only data, outputs and definitions-evaluated have some")
        else:
            flow = partial(operate.choose, direction="push", selection=(), models=models)
            self.commands.begin("dirty.push-model", flow, group="dialog")

    def action_ignore(self) -> None:
        """The marked paths, else the one under the cursor."""
        row = self.model.current
        paths = self.marked or ((row.path,) if row is not None else ())
        if not paths:
            self.commands.tell("there is nothing to ignore here")
        else:
            flow = partial(ignore.ignore, paths=paths)
            self.commands.begin("dirty.ignore", flow, group="dialog")
