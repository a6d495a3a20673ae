"""View 4 on the screen, with the keys of its own."""

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from s3dash.core.lock import LockInfo
from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.flows import locks
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.views.locks import LocksView
from s3dash.tui.widgets.list_pane import ListPane


class LockDetail(DetailScreen):
    """A lock in full; the keys of the view work in it, too."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.LOCKS)

    def __init__(self, pane: "LocksPane") -> None:
        super().__init__("Lock", lambda: pane.detail(pane.commands.look))
        self._pane = pane

    def action_release(self) -> None:
        self.dismiss(None)
        self._pane.action_release()

    def action_copy_row(self) -> None:
        self.dismiss(None)
        self._pane.action_copy_row()


class LocksPane(ListPane[LockInfo]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.LOCKS)

    def __init__(self, commands: Commands) -> None:
        super().__init__(LocksView(), commands)

    def opened(self) -> DetailScreen:
        return LockDetail(self)

    def action_release(self) -> None:
        lock = self.model.current
        if lock is None:
            self.commands.tell("there is no lock to release")
        else:
            self.commands.begin("locks.release", partial(locks.release, asked=lock), group="dialog")
