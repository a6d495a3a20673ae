"""What can be done with the rows of any view: copied, written to a file, seen at leisure."""

from functools import partial

from s3dash.tui.commands import Commands
from s3dash.tui.copying import Copied, together
from s3dash.tui.flows import notify
from s3dash.tui.flows.copy import Copying
from s3dash.tui.flows.export import Exporting
from s3dash.tui.notices import Notices
from s3dash.tui.widgets.list_pane import AnyPane


class Tools:
    """The view tools of a screen. They work on the pane that is in view."""

    def __init__(self, commands: Commands, *, notify_after_s: float) -> None:
        self._commands = commands
        self._copying = Copying()
        self._exporting = Exporting()
        self.notices = Notices(after_s=notify_after_s)
        self._sure = False

    def copy(self, pane: AnyPane, *, uri: bool) -> None:
        """The marked rows, else the one under the cursor; the texts are made in a thread."""
        view, look = pane.view, pane.seen
        what = "URI" if uri else view.copies
        say = view.uri if uri else view.path
        rows = pane.choice()

        def make() -> Copied:
            return together([say(row, look) for row in rows()])

        name = "copy.uri" if uri else "copy.path"
        self._commands.begin(name, partial(self._copying.send, make=make, what=what))

    def export(self, pane: AnyPane) -> None:
        """Ask for format and file, then write; while that goes on the key stops it."""
        if not self._exporting.stop():
            self._commands.begin("export", partial(self._exporting.run, table=pane.table()))

    def freeze(self, pane: AnyPane) -> None:
        still = "stands still; f lets it go on" if pane.freeze() else "goes on"
        self._commands.tell(f"{pane.view.title} {still}")

    def widen(self, pane: AnyPane) -> None:
        told = "all columns, left and right move over them" if pane.widen() else "what fits"
        self._commands.tell(f"{pane.view.title} shows {told}; w changes it")

    def tells_focus(self) -> None:
        """The terminal told that it got or lost the focus: not every one does."""
        self._sure = True

    def call(self, *, away: bool) -> None:
        """Call the user back when there is a reason to."""
        text = self.notices.due(self._commands.look, away=away, sure=self._sure)
        if text:
            self._commands.begin("notify", partial(notify.send, text=text))
