"""All views as panes, in the order of their numbers."""

from s3dash.tui.commands import Commands
from s3dash.tui.panes.conflicts import ConflictsPane
from s3dash.tui.panes.dirty import DirtyPane
from s3dash.tui.panes.endpoints import EndpointsPane
from s3dash.tui.panes.explorer import ExplorerPane
from s3dash.tui.panes.locks import LocksPane
from s3dash.tui.panes.log import LogPane
from s3dash.tui.panes.namespaces import NamespacesPane
from s3dash.tui.panes.overview import OverviewPane
from s3dash.tui.panes.transfers import TransfersPane
from s3dash.tui.widgets.list_pane import AnyPane


def panes(commands: Commands) -> list[AnyPane]:
    """All views in the order of their numbers."""
    return [
        OverviewPane(commands),
        DirtyPane(commands),
        TransfersPane(commands),
        LocksPane(commands),
        NamespacesPane(commands),
        ConflictsPane(commands),
        EndpointsPane(commands),
        ExplorerPane(commands),
        LogPane(commands),
    ]
