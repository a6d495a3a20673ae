"""View 3 on the screen, with the keys of its own."""

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from s3dash.core.progress import Transfer
from s3dash.tui import keys
from s3dash.tui.commands import Commands
from s3dash.tui.flows import transfers
from s3dash.tui.views.transfers import TransfersView
from s3dash.tui.widgets.list_pane import ListPane


class TransfersPane(ListPane[Transfer]):
    """What is done to a row is done to the marked ones, when there are any."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.TRANSFERS)

    def __init__(self, commands: Commands) -> None:
        super().__init__(TransfersView(), commands)

    def action_pause(self) -> None:
        self.commands.begin("transfers.pause", partial(transfers.pause, choice=self.choice()))

    def action_pause_all(self) -> None:
        self.commands.begin("transfers.pause-all", transfers.pause_all)

    def action_cancel(self) -> None:
        self.commands.begin("transfers.cancel", partial(transfers.cancel, choice=self.choice()))

    def action_cancel_all(self) -> None:
        self.commands.begin("transfers.cancel-all", transfers.cancel_all, group="dialog")

    def action_retry(self) -> None:
        self.commands.begin("transfers.retry", partial(transfers.retry, choice=self.choice()))

    def action_priority(self, step: int) -> None:
        name = "transfers.sooner" if step > 0 else "transfers.later"
        flow = partial(transfers.shift, choice=self.choice(), step=step)
        self.commands.begin(name, flow)

    def action_concurrency(self, step: int) -> None:
        name = "transfers.more" if step > 0 else "transfers.fewer"
        self.commands.begin(name, partial(transfers.allow, step=step))

    def action_bandwidth(self) -> None:
        self.commands.begin("transfers.bandwidth", transfers.bandwidth, group="dialog")
