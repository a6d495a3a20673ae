"""The namespace picker."""

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from s3dash.clock import Clock
from s3dash.errors import S3DashError
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import safe
from s3dash.tui.look import Look
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel


class NamespaceScreen(Modal[str]):
    """Answers with the namespace to work in."""

    AUTO_FOCUS = "#namespaces"

    def __init__(self, datastore: str, *, look: Callable[[], Look], clock: Clock) -> None:
        super().__init__()
        self._datastore = datastore
        self._look = look
        self._guard = KeyGuard(clock)
        columns: tuple[Column[str], ...] = (
            Column(title="", width=1, cell=self._here),
            Column(title="NAMESPACE", cell=lambda name, _: one(safe(name), "strong")),
        )
        self._list: LineList[str] = LineList(LineModel(str), columns, id="namespaces")

    def _here(self, name: str, look: Look) -> Cell:
        return one("●", "good") if name == look.snapshot.namespace else one(" ")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = Content(f"namespaces of {safe(self._datastore)}")
            yield self._list
            yield Line(self._paint_hint, id="hint")

    def _paint_hint(self, _width: int) -> Cell:
        return (("enter", "key"), (" works in it   ", "dim"), ("esc", "key"), (" stays", "dim"))

    def on_mount(self) -> None:
        self._list.set_empty([one("Asking the bucket …", "dim")])
        self._list.show(self._look(), ())

    def ready(self, names: Sequence[str]) -> None:
        if not self.is_open:
            return
        self._guard.restart()
        self._list.set_empty([one("This datastore has no namespaces.", "dim")])
        self._list.show(self._look(), tuple(names))
        here = self._look().snapshot.namespace
        if here in names:
            self._list.move_to(names.index(here))
        self._list.refresh()

    def failed(self, error: S3DashError) -> None:
        if self.is_open:
            self._list.set_empty(
                [one(f"✖ {safe(error.message)}", "bad"), one(safe(error.hint), "dim")]
            )

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        if self._guard.passes() and self._list.model.current is not None:
            self.dismiss(self._list.model.current)
