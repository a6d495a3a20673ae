"""View 6 on the screen, with the keys of its own."""

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from s3dash.core.report import ConflictInfo
from s3dash.core.settings import Take
from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.decisions import Decisions, place_of
from s3dash.tui.flows import conflicts, diff
from s3dash.tui.format import count
from s3dash.tui.look import Look
from s3dash.tui.views.conflicts import Clash, ConflictsView
from s3dash.tui.widgets.list_pane import ListPane


class ConflictsPane(ListPane[Clash]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.CONFLICTS)

    def __init__(self, commands: Commands) -> None:
        self._made = Decisions()
        self._view = ConflictsView(self._made)
        self._asked_for: tuple[ConflictInfo, ...] = ()
        super().__init__(self._view, commands)

    def show(self, look: Look) -> None:
        """Only while it is in view; whoever looks at conflicts wants to know whose they are."""
        super().show(look)
        clashing = look.snapshot.conflicts
        if clashing and clashing is not self._asked_for:
            self._asked_for = clashing
            paths = [conflict.path for conflict in clashing]
            flow = partial(conflicts.find_writers, paths=paths, view=self._view)
            self.commands.begin("view.conflicts", flow, group="writers")

    def action_take(self, take: Take) -> None:
        """For the marked rows, else for the one under the cursor; blocked paths are left out."""
        chosen = self._chosen()
        if chosen:
            flow = partial(conflicts.decide, conflicts=chosen, take=take, made=self._made)
            self.commands.begin(f"conflicts.{take}", flow, group="dialog")
        else:
            self.commands.tell("there is no conflict to decide here")

    def action_undo(self) -> None:
        flow = partial(conflicts.undo, made=self._made)
        self.commands.begin("conflicts.undo", flow, group="dialog")

    def action_skip(self) -> None:
        """Put the marked conflicts off, or the one under the cursor; again: take them up."""
        paths = [row.path for row in self._rows() if row.conflict is not None]
        if not paths:
            self.commands.tell("there is no conflict to put off here")
            return
        look = self.commands.look
        off = self._made.toggle(place_of(look), paths)
        self.model.mark_none()
        self.show(look)
        what = count(len(paths), "conflict")
        told = "put off for this session; s takes it up again" if off else "taken up again"
        self.commands.tell(f"{what} {told}")

    def action_diff(self) -> None:
        row = self.model.current
        if row is None:
            self.commands.tell("there is nothing to compare here")
        else:
            flow = partial(diff.show, path=row.path, pair=("local", "remote"))
            self.commands.begin("conflicts.diff", flow, group="dialog")

    def _rows(self) -> list[Clash]:
        """The marked rows, else the one under the cursor."""
        marks, row = self.model.marks, self.model.current
        if not marks:
            return [row] if row else []
        return [r for r in self.rows if self.view.key(r) in marks]

    def _chosen(self) -> list[ConflictInfo]:
        """Of several marked ones those that were put off are left out."""
        rows = self._rows()
        wanted = [r for r in rows if not r.off or len(rows) == 1]
        return [r.conflict for r in wanted if r.conflict is not None]
