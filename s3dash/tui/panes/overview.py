"""View 1 on the screen."""

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from s3dash.core.snapshot import HistoryRow
from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.commands import Commands
from s3dash.tui.flows import index_care
from s3dash.tui.look import Look, Site
from s3dash.tui.screens.index_care import Job
from s3dash.tui.views.log import LogView
from s3dash.tui.views.overview import OverviewView
from s3dash.tui.widgets.graph import throughput
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel
from s3dash.tui.widgets.list_pane import ListPane


class OverviewPane(ListPane[Site]):
    """The datastores, how fast things move, and what happened last."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.OVERVIEW)

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

    def action_index(self, first: Job) -> None:
        """Of the datastore that is worked with, whatever row the cursor is on."""
        name = first.removeprefix("plan-")
        flow = partial(index_care.show, first=first)
        self.commands.begin(f"index.{name}", flow, group="dialog")
