"""View 5 on the screen, with the keys of its own."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from s3dash.core.tenants import Tenant
from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.flows import namespaces
from s3dash.tui.look import Look
from s3dash.tui.panes.asking import STALE_S, Asking
from s3dash.tui.views.namespaces import NamespacesView
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_pane import ListPane


class NamespacesPane(ListPane[Tenant]):
    """Asks the bucket when it is opened and what is known is old."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.NAMESPACES)

    def __init__(self, commands: Commands) -> None:
        super().__init__(NamespacesView(), commands)
        self._asking = Asking()

    def show(self, look: Look) -> None:
        super().show(look)
        if look.snapshot.tenants.state == "unasked" and self._asking.due(look.mono):
            self._ask()

    def on_show(self) -> None:
        if self._asking.due(self.commands.look.mono, least_s=STALE_S):
            self._ask()

    def reset(self) -> None:
        super().reset()
        self._asking.forget()

    def _ask(self) -> None:
        self.commands.begin("namespaces.again", namespaces.look, group="namespaces")

    def action_again(self) -> None:
        self.commands.look_again()
        self._ask()

    def action_pull(self) -> None:
        names = [row.slug for row in self.choice()() if row.in_bucket]
        if not names:
            self.commands.tell("there is no namespace of the bucket to pull here")
            return
        flow = partial(namespaces.pull, names=names)
        self.commands.begin("namespaces.pull", flow, group="dialog")

    def action_count(self) -> None:
        names = [row.slug for row in self.choice()() if row.in_bucket]
        if not names:
            self.commands.tell("there is no namespace of the bucket to count here")
            return
        flow = partial(namespaces.count, names=names)
        self.commands.begin("namespaces.count", flow, group="namespaces")

    @on(LineList.Chosen)
    def _opened(self, event: LineList.Chosen) -> None:
        """Enter works in the namespace."""
        event.stop()
        row = self.model.current
        if row is None:
            return
        if row.mine:
            self.commands.tell(f"you work in namespace {row.slug} already")
        elif not row.in_bucket:
            self.commands.tell(f"{row.slug} is not in the bucket: only this cache has it")
        else:
            flow = partial(namespaces.go_over, name=row.slug)
            self.commands.begin("namespace", flow, group="dialog")
