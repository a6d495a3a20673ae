"""View 7 on the screen, with the keys of its own."""

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.flows import endpoints
from s3dash.tui.look import Look
from s3dash.tui.panes.asking import STALE_S, Asking
from s3dash.tui.views.endpoints import EndpointsView
from s3dash.tui.views.places import Place
from s3dash.tui.widgets.list_pane import ListPane


class EndpointsPane(ListPane[Place]):
    """Asks about open uploads and identity when it is opened and what is known is old."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.ENDPOINTS)

    def __init__(self, commands: Commands) -> None:
        super().__init__(EndpointsView(), commands)
        self._asking = Asking()

    def show(self, look: Look) -> None:
        super().show(look)
        unasked = any(place.uploads is None for place in self.view.rows(look))
        if unasked and self._asking.due(look.mono):
            self._ask()

    def on_show(self) -> None:
        if self._asking.due(self.commands.look.mono, least_s=STALE_S):
            self._ask()

    def reset(self) -> None:
        super().reset()
        self._asking.forget()

    def _ask(self) -> None:
        places = self.view.rows(self.commands.look)
        flow = partial(endpoints.look, sites=[place.sites[0].name for place in places])
        self.commands.begin("endpoints.again", flow, group="endpoints")

    def action_again(self) -> None:
        self.commands.look_again()
        self._ask()

    def action_check(self) -> None:
        place = self.model.current
        if place is not None and place.checking is not None:
            self.commands.tell("a check of it is under way; x stops it")
        elif place is not None:
            flow = partial(endpoints.check, site=place.main.name)
            self.commands.begin("endpoints.check", flow, group="endpoints")

    def action_stop(self) -> None:
        place = self.model.current
        if place is not None:
            flow = partial(endpoints.stop, site=place.checked.name)
            self.commands.begin("endpoints.stop", flow, group="endpoints")

    def action_uploads(self) -> None:
        place = self.model.current
        if place is not None:
            flow = partial(endpoints.uploads, site=place.sites[0].name)
            self.commands.begin("endpoints.uploads", flow, group="dialog")
