"""A view on the screen: its summary, the column titles and its list."""

from typing import Any, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical

from s3dash.tui import filters
from s3dash.tui.cells import Cell, one, spread
from s3dash.tui.columns import heading
from s3dash.tui.commands import Commands
from s3dash.tui.format import safe
from s3dash.tui.look import Look
from s3dash.tui.views.base import View
from s3dash.tui.widgets.line import Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel
from s3dash.tui.widgets.mark_list import MarkList

R = TypeVar("R")


class ListPane(Vertical, Generic[R]):
    """Shows a view and filters it. The view decides what; this only passes it on."""

    def __init__(self, view: View[R], commands: Commands, *, following: bool = False) -> None:
        super().__init__(id=view.name)
        self.view = view
        self.commands = commands
        self.filter_text = ""
        self._version: object = None
        kind = MarkList if view.markable else LineList
        model = LineModel(view.key, order=view.order)
        self.list: LineList[R] = kind(
            model, view.columns, id=f"{view.name}-list", following=following
        )
        self._summary = Line(self._paint_summary, id=f"{view.name}-summary")
        self._heading = Line(lambda width: heading(view.columns, width), id=f"{view.name}-heading")
        self._summary.add_class("summary")
        self._heading.add_class("heading")

    def compose(self) -> ComposeResult:
        yield self._summary
        yield self._heading
        yield self.list

    @property
    def model(self) -> LineModel[R]:
        return self.list.model

    def show(self, look: Look) -> None:
        """Take what is known now; only what differs is repainted."""
        version = self.view.version(look)
        self.list.set_empty(self._empty(look))
        if version is not None and version == self._version:
            self.list.tick(look, sparing=True)
        else:
            self.list.show(look, self.view.rows(look), force=version is not None)
        self._version = version
        self._summary.poke()
        self._continue_filter()

    def detail(self, look: Look) -> list[Cell]:
        """The detail of the row under the cursor; empty without one."""
        row = self.model.current
        return [] if row is None else self.view.detail(row, look)

    def reset(self) -> None:
        """Forget what belongs to the datastore that was current."""
        self._version = None
        self.model.mark_none()

    # --- filter -------------------------------------------------------------------------

    def set_filter(self, text: str) -> None:
        """Show only the rows that pass; empty shows all again."""
        given = filters.parse(text, self.view.fields)
        self.filter_text = given.text
        self.model.set_filter(filters.test_of(given, self.view.text, self.view.fields))
        self.list.set_empty(self._empty(self.commands.look))
        self.list.reshape()
        self.list.refresh()
        self._summary.poke()
        self._continue_filter()

    def _continue_filter(self) -> None:
        """Slice by slice, so that keys are served in between."""
        if self.model.filtering:
            self.call_later(self._filter_slice)

    def _filter_slice(self) -> None:
        if self.model.filtering:
            self.model.filter_some()
            self.list.reshape()
            self._summary.poke()
            self._continue_filter()

    def _empty(self, look: Look) -> list[Cell]:
        if not self.filter_text:
            return self.view.empty(look)
        return [
            one(f"Nothing matches «{safe(self.filter_text)}».", "warn"),
            (("esc", "key"), (" shows all again", "dim")),
        ]

    def _paint_summary(self, width: int) -> Cell:
        left: Cell = (("  ", ""), *self.view.summary(self.commands.look))
        right: list[tuple[str, str]] = []
        if self.model.marks:
            right.append((f"◆ {len(self.model.marks):,} marked  ", "key"))
        if self.filter_text:
            found = f"{len(self.model):,} of {self.model.total:,}"
            going = " …" if self.model.filtering else ""
            right.append((f"/{safe(self.filter_text)} ", "accent"))
            right.append((f"{found}{going} ", "dim"))
        return spread(left, tuple(right), width)

    def poke(self) -> None:
        """Marks changed: the summary counts them."""
        self._summary.poke()


AnyPane = ListPane[Any]
