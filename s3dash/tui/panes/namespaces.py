"""View 5 on the screen, with the keys of its own."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from s3dash.core.plan import Direction
from s3dash.core.tenants import Tenant
from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.flows import catalogs, moving, namespaces
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

    def action_move(self, direction: Direction) -> None:
        names = [row.slug for row in self.choice()() if row.in_bucket]
        if not names:
            self.commands.tell(f"there is no namespace of the bucket to {direction} here")
            return
        flow = partial(namespaces.move, direction=direction, names=names)
        self.commands.begin(f"namespaces.{direction}", flow, group="dialog")

    def action_stand(self) -> None:
        self.commands.begin("namespaces.stand", namespaces.stand, group="namespaces")

    def action_register(self) -> None:
        rows = [self.model.current, *self.commands.look.snapshot.tenants.rows]
        bare = (r for r in rows if r is not None and r.in_bucket and r.read and not r.registered)
        named = next((r.slug for r in bare if r.mine or r is rows[0]), "")
        flow = partial(namespaces.register, name=named)
        self.commands.begin("namespaces.register", flow, group="dialog")

    def action_count(self) -> None:
        names = [row.slug for row in self.choice()() if row.in_bucket]
        if not names:
            self.commands.tell("there is no namespace of the bucket to count here")
            return
        flow = partial(namespaces.count, names=names)
        self.commands.begin("namespaces.count", flow, group="namespaces")

    def action_search(self) -> None:
        self.commands.begin("namespaces.search", catalogs.show, group="dialog")

    def action_export_catalog(self) -> None:
        self.commands.begin("namespaces.export", catalogs.export, group="namespaces")

    def action_migrate(self) -> None:
        row = self.model.current
        name = row.slug if row is not None and row.in_bucket else ""
        flow = partial(moving.migrate, name=name)
        self.commands.begin("namespaces.migrate", flow, group="dialog")

    def action_to_solo(self) -> None:
        flow = partial(moving.to_solo, name=self.commands.look.settings.namespace or "")
        self.commands.begin("namespaces.to-solo", flow, group="dialog")

    def action_repair(self) -> None:
        row = self.model.current
        if row is None or not row.in_bucket or not row.slug:
            self.commands.tell("there is no namespace of the bucket to look through here")
            return
        flow = partial(moving.repair, name=row.slug)
        self.commands.begin("namespaces.repair", flow, group="dialog")

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
            name = row.slug or "the layout without namespaces"
            self.commands.tell(f"{name} is not in the bucket: only this cache has it")
        else:
            flow = partial(namespaces.go_over, name=row.slug)
            self.commands.begin("namespace", flow, group="dialog")
