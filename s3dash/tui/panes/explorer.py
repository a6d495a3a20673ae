"""View 8 on the screen, with the keys of its own."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.timer import Timer

from s3dash.stores.explore.entry import Entry
from s3dash.tui import keys
from s3dash.tui.commands import Commands, Flow
from s3dash.tui.exploring import ORDERS
from s3dash.tui.flows import explore, explore_changes, explore_work
from s3dash.tui.look import Look
from s3dash.tui.views.explorer import ExplorerView
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_pane import ListPane
from s3dash.tui.widgets.mark_list import PickList

REST_S = 0.15
"""How long the cursor rests on a row before that is looked into."""


class ExplorerPane(ListPane[Entry]):
    """Lists one level of one bucket; its rows come page by page while it is looked at."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.EXPLORER)
    LIST = PickList

    def __init__(self, commands: Commands) -> None:
        self._place = commands.exploring
        self._rest: Timer | None = None
        super().__init__(ExplorerView(self._place), commands)

    def show(self, look: Look) -> None:
        super().show(look)
        self._find_goal()

    def on_show(self) -> None:
        name = self._place.shelves.first
        if name and self._place.at is None and not self._place.begun:
            self._go("view.explorer", partial(explore.enter, name=name))

    def _find_goal(self) -> None:
        """Put the cursor where we came from, as soon as that is listed."""
        place = self._place
        if not place.goal:
            return
        line = next((n for n in range(len(self.model)) if self.model.key(n) == place.goal), None)
        if line is not None:
            self.list.move_to(line)
        if line is not None or place.state != "listing":
            place.goal = ""

    def _go(self, name: str, flow: Flow) -> None:
        self.commands.begin(name, flow, group="explorer")

    # --- moving about -------------------------------------------------------------------

    def enter(self) -> bool:
        """Into a datastore or a directory."""
        row = self.model.current
        if row is None or not (row.is_dir or row.kind == "datastore"):
            return False
        self._leave()
        if row.kind == "datastore":
            self._go("list.open", partial(explore.enter, name=row.key))
        else:
            self._go("list.open", partial(explore.descend, prefix=row.key))
        return True

    def action_up(self) -> None:
        if self._place.at is not None:
            self._leave()
            self._go("explorer.up", explore.ascend)

    def action_again(self) -> None:
        self._go("explorer.again", explore.again)

    def action_shape(self) -> None:
        self._leave()
        self._go("explorer.shape", explore.reshape)

    def _leave(self) -> None:
        """Marks and filter belong to the level that they were made on."""
        self.model.mark_none()
        if self.filter_text:
            self.set_filter("")
        if self.frozen:
            self.freeze()

    def action_order(self) -> None:
        place = self._place
        place.order = ORDERS[(ORDERS.index(place.order) + 1) % len(ORDERS)]
        self._go("explorer.order", explore.reorder)

    # --- looking closer -----------------------------------------------------------------

    @on(LineList.Moved)
    def _moved(self) -> None:
        """A row is looked into when the cursor rests on it, not while it runs by."""
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_S, self._look_closer)

    def _look_closer(self) -> None:
        row = self.model.current
        if row is not None and row.size > 0:
            flow = partial(explore.look_into, entry=row)
            self.commands.begin("list.open", flow, group="explorer-look")

    # --- work ---------------------------------------------------------------------------

    def action_verify(self) -> None:
        flow = partial(explore_work.verify, rows=self.choice())
        self.commands.begin("explorer.verify", flow, group="explorer-work")

    def action_download(self) -> None:
        flow = partial(explore_work.download, rows=self.choice())
        self.commands.begin("explorer.download", flow, group="explorer-work")

    def action_upload(self) -> None:
        self.commands.begin("explorer.upload", explore_changes.upload, group="explorer-work")

    def action_mkdir(self) -> None:
        self.commands.begin("explorer.mkdir", explore_changes.mkdir, group="explorer-work")

    def action_delete(self) -> None:
        flow = partial(explore_changes.delete, rows=self.choice())
        self.commands.begin("explorer.delete", flow, group="explorer-work")

    def action_copy(self) -> None:
        self._rename("explorer.copy", keep=True)

    def action_rename(self) -> None:
        self._rename("explorer.move", keep=False)

    def _rename(self, name: str, *, keep: bool) -> None:
        row = self.model.current
        if row is not None:
            flow = partial(explore_changes.rename, entry=row, keep=keep)
            self.commands.begin(name, flow, group="explorer-work")

    def action_stop(self) -> None:
        self.commands.begin("explorer.stop", explore_work.stop, group="explorer-stop")
