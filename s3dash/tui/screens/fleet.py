"""Who else is here: the writers of a datastore, their locks, and what they committed last."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from s3dash.core.fleet import FleetView, Writer
from s3dash.errors import S3DashError
from s3dash.tui import filters, keys
from s3dash.tui.cells import Cell, crop, one, spread
from s3dash.tui.columns import heading
from s3dash.tui.format import count, moment, safe
from s3dash.tui.look import Look
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.screens.modal import Modal
from s3dash.tui.views import fleet
from s3dash.tui.widgets.filter_input import FilterInput
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel

NOTED = 5
"""Commits of the writer under the cursor that the note tells."""
ROOMY = 30
"""Rows of a terminal below which the note tells one."""


class FleetScreen(Modal[None]):
    """Who holds a lock first. `again` looks anew, and tells by `ready` and `failed`."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.FLEET, keys.MOVE)
    AUTO_FOCUS = "#fleet-list"

    def __init__(
        self,
        where: str,
        *,
        look: Callable[[], Look],
        again: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        super().__init__()
        self._where = where
        self._look = look
        self._again = again
        self._seen = FleetView()
        self._message: Cell = ()
        self._given = filters.parse("", fleet.FIELDS)
        model: LineModel[Writer] = LineModel(lambda writer: writer.holder)
        self._list: LineList[Writer] = LineList(model, fleet.COLUMNS, id="fleet-list")
        self._totals = Line(lambda width: self._paint_totals(width), id="fleet-totals")
        self._note = Block(lambda width: self._paint_note(width), id="fleet-note")
        self._filter = FilterInput(id="fleet-filter")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog full") as box:
            box.border_title = Content(f"who writes to {safe(self._where)}")
            yield self._totals
            yield Line(lambda width: heading(fleet.COLUMNS, width), id="fleet-heading")
            yield self._list
            yield self._note
            yield self._filter
            yield Line(lambda width: crop(_HINT, width), id="hint")

    def on_mount(self) -> None:
        self._list.set_empty([one("Asking the bucket …", "dim")])
        self._list.show(self._look(), ())

    # --- what comes in ------------------------------------------------------------------

    def ready(self, seen: FleetView) -> None:
        if self.is_open:
            self._seen, self._message = seen, ()
            self._list.set_empty([one("Nobody has written here yet.", "good")])
            self._list.show(self._look(), seen.writers)
            self._list.refresh()
            self._changed()

    def failed(self, error: S3DashError) -> None:
        """What was seen before stays."""
        if self.is_open:
            self._message = ((f"✖ {safe(error.message)}", "bad"), (f"  {safe(error.hint)}", "dim"))
            self._list.set_empty([one("It could not be read.", "bad")])
            self._list.refresh()
            self._changed()

    def _changed(self) -> None:
        self._totals.poke()
        self._note.refresh(layout=True)

    @on(LineList.Moved)
    def _moved(self) -> None:
        self._changed()

    # --- painting -----------------------------------------------------------------------

    def _paint_totals(self, width: int) -> Cell:
        if self._message:
            return crop(self._message, width)
        if not self._seen.at:
            return crop(one("records of commits, locks, and who registered what", "dim"), width)
        at = one(f"looked at {moment(self._seen.at, self._look().now)}", "dim")
        return spread(fleet.summary(self._seen), at, width)

    def _paint_note(self, width: int) -> list[Cell]:
        model, writer = self._list.model, self._list.model.current
        lines: list[Cell] = []
        if self._given.text:
            shown = f"{count(len(model), 'writer')} of {model.total:,}"
            lines.append(((f"/{safe(self._given.text)}  ", "accent"), (shown, "dim")))
        if writer is not None:
            most = NOTED if self.app.size.height >= ROOMY else 1
            lines += fleet.note(writer, self._look(), commits=most)
        return [crop(cell, width) for cell in lines]

    # --- keys ---------------------------------------------------------------------------

    def action_again(self) -> None:
        self._message = one("looking again …", "dim")
        self._totals.poke()
        self.run_worker(self._again(), group="fleet", exclusive=True)

    @on(LineList.Chosen)
    def _opened(self, event: LineList.Chosen) -> None:
        """The writer in full, as it was seen."""
        event.stop()
        writer, places = self._list.model.current, self._seen.places
        if writer is not None:
            paint = partial(fleet.detail, writer, places)
            self.app.push_screen(DetailScreen("writer", lambda: paint(self._look())))

    def action_dismiss_modal(self) -> None:
        """One level: first the filter, then the dialog."""
        if self._given.text:
            self._set_filter("")
        else:
            self.dismiss(None)

    def action_filter(self) -> None:
        self._filter.open(self._given.text, fields=fleet.FIELDS)

    def _set_filter(self, text: str) -> None:
        self._given = filters.parse(text, fleet.FIELDS)
        model = self._list.model
        model.set_filter(filters.test_of(self._given, fleet.text, fleet.FIELDS))
        while model.filter_some():
            pass  # writers are few
        self._list.reshape()
        self._list.refresh()
        self._changed()

    @on(FilterInput.Typed)
    def _filter_typed(self, event: FilterInput.Typed) -> None:
        self._set_filter(event.text)

    @on(FilterInput.Closed)
    def _filter_closed(self) -> None:
        self._list.focus()


_HINT: Cell = (
    ("enter", "key"), (" all of the writer  ", "dim"), ("r", "key"), (" looks again  ", "dim"),
    ("/", "key"), (" filter  ", "dim"), ("esc", "key"), (" closes", "dim"),
)  # fmt: skip
