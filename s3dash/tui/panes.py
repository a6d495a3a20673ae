"""The views as panes, with the keys of their own."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from s3dash.core.lock import LockInfo
from s3dash.core.progress import Transfer
from s3dash.core.report import ConflictInfo
from s3dash.core.settings import Take
from s3dash.core.snapshot import DirtyRow, HistoryRow
from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.commands import Commands
from s3dash.tui.look import Look, Site
from s3dash.tui.views.conflicts import Clash, ConflictsView
from s3dash.tui.views.dirty import DirtyView
from s3dash.tui.views.locks import LocksView
from s3dash.tui.views.log import LogView
from s3dash.tui.views.overview import OverviewView
from s3dash.tui.views.transfers import TransfersView
from s3dash.tui.widgets.graph import throughput
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel
from s3dash.tui.widgets.list_pane import AnyPane, ListPane


class OverviewPane(ListPane[Site]):
    """The datastores, how fast things move, and what happened last."""

    def __init__(self, commands: Commands) -> None:
        super().__init__(OverviewView(), commands)
        self._graph = Block(self._paint_graph, id="throughput")
        log = LogView()
        recent: LineModel[HistoryRow] = LineModel(log.key)
        self._recent: LineList[HistoryRow] = LineList(
            recent, log.columns, id="recent", still=True, following=True
        )

    def compose(self) -> ComposeResult:
        yield from super().compose()
        with Vertical(id="pulse"):
            yield Line(lambda _: one("  THROUGHPUT", "dim"))
            yield self._graph
            yield Line(lambda _: one("  LATEST", "dim"))
            yield self._recent

    def _paint_graph(self, width: int) -> list[Cell]:
        lines = throughput(self.commands.look, width - 4, self._graph.size.height)
        return [(("  ", ""), *line) for line in lines]

    def show(self, look: Look) -> None:
        super().show(look)
        self.list.styles.height = min(12, max(2, len(look.sites) + 1))
        self._graph.poke()
        self._recent.set_empty([one("Nothing happened yet.", "dim")])
        self._recent.show(look, look.site.log)


class DirtyPane(ListPane[DirtyRow]):
    def __init__(self, commands: Commands) -> None:
        super().__init__(DirtyView(), commands)

    @property
    def marked(self) -> tuple[str, ...]:
        """The marked paths; empty means that nothing was chosen."""
        return tuple(sorted(self.model.marks))


class TransfersPane(ListPane[Transfer]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.TRANSFERS)

    def __init__(self, commands: Commands) -> None:
        super().__init__(TransfersView(), commands)

    def action_cancel(self) -> None:
        self.commands.cancel_operation()


class LocksPane(ListPane[LockInfo]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.LOCKS)

    def __init__(self, commands: Commands) -> None:
        super().__init__(LocksView(), commands)

    def action_release(self) -> None:
        lock = self.model.current
        if lock is None:
            self.commands.tell("there is no lock to release")
        else:
            self.commands.release(lock)


class ConflictsPane(ListPane[Clash]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.CONFLICTS)

    def __init__(self, commands: Commands) -> None:
        super().__init__(ConflictsView(), commands)

    def action_take(self, take: Take) -> None:
        """For the marked rows, else for the one under the cursor; blocked paths are left out."""
        chosen = self._chosen()
        if chosen:
            self.commands.decide(chosen, take)
        else:
            self.commands.tell("there is no conflict to decide here")

    def _chosen(self) -> list[ConflictInfo]:
        marks, row = self.model.marks, self.model.current
        rows = self.view.rows(self.commands.look) if marks else [row] if row else []
        wanted = [r for r in rows if not marks or self.view.key(r) in marks]
        return [r.conflict for r in wanted if r.conflict is not None]


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


def panes(commands: Commands) -> list[AnyPane]:
    """All views in the order of their numbers."""
    return [
        OverviewPane(commands),
        DirtyPane(commands),
        TransfersPane(commands),
        LocksPane(commands),
        ConflictsPane(commands),
        LogPane(commands),
    ]
