"""A view on the screen: its summary, the column titles and its list."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from s3dash.tui import filters
from s3dash.tui.cells import Cell, one, spread
from s3dash.tui.columns import heading
from s3dash.tui.commands import Commands
from s3dash.tui.exporting import Table
from s3dash.tui.format import safe
from s3dash.tui.look import Look
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.views.base import View
from s3dash.tui.widgets.freeze import Frozen
from s3dash.tui.widgets.line import Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel
from s3dash.tui.widgets.mark_list import MarkList

R = TypeVar("R")

GAP_S = 0.001
PAINT_EVERY = 16
"""Slices of a filter between two looks at how far it is."""


class ListPane(Vertical, Generic[R]):
    """Shows a view and filters it. The view decides what; this only passes it on.

    `zoomed` and `wide` are kept for each view; a frozen one stays as it is until it is asked to
    go on, or another datastore becomes the current one.
    """

    LIST: ClassVar[type[LineList[Any]] | None] = None
    """A list of another kind than the view asks for."""

    def __init__(self, view: View[R], commands: Commands, *, following: bool = False) -> None:
        super().__init__(id=view.name)
        self.view = view
        self.commands = commands
        self.given = filters.NOTHING
        self._slicing = False
        self._slices = 0
        self.zoomed = False
        self.wide = False
        self._frozen: Frozen[R] | None = None
        self._version: object = None
        kind = self.LIST or (MarkList if view.markable else LineList)
        model = LineModel(view.key, order=view.order)
        self.list: LineList[R] = kind(
            model, view.columns, id=f"{view.name}-list", following=following
        )
        self._summary = Line(self._paint_summary, id=f"{view.name}-summary")
        self._heading = Line(self._paint_heading, id=f"{view.name}-heading")
        self._summary.add_class("summary")
        self._heading.add_class("heading")

    def compose(self) -> ComposeResult:
        yield self._summary
        yield self._heading
        yield self.list

    def on_mount(self) -> None:
        self.watch(self.list, "scroll_x", lambda _: self._heading.poke(), init=False)

    @property
    def model(self) -> LineModel[R]:
        return self.list.model

    @property
    def seen(self) -> Look:
        """What the rows were painted from: what is known now, or was when it was frozen."""
        return self._frozen.look if self._frozen else self.commands.look

    @property
    def rows(self) -> Sequence[R]:
        """All rows of the view, whatever the filter."""
        return self._frozen.rows if self._frozen else self.view.rows(self.commands.look)

    def show(self, look: Look) -> None:
        """Take what is known now; only what differs is repainted."""
        if self._frozen is None:
            self._take(look)
        self._summary.poke()
        self._continue_filter()

    def _take(self, look: Look) -> None:
        version = self.view.version(look)
        self.list.set_empty(self._empty(look))
        if version is not None and version == self._version:
            self.list.tick(look, sparing=True)
        else:
            self.list.show(look, self.view.rows(look), force=version is not None)
        self._version = version

    def detail(self, look: Look) -> list[Cell]:
        """The detail of the row under the cursor; empty without one."""
        row = self.model.current
        return [] if row is None else self.view.detail(row, self.seen if self._frozen else look)

    def opened(self) -> DetailScreen:
        """The row under the cursor, which there is, over the whole screen; as it was, once it is
        gone."""
        model = self.model
        key, shown = model.key(model.cursor), self.detail(self.commands.look)

        def paint() -> list[Cell]:
            nonlocal shown
            now = model.current
            if now is None or self.view.key(now) != key:
                return [one("As it was: the list has moved on.", "warn"), one(""), *shown]
            shown = self.detail(self.commands.look)
            return shown

        return DetailScreen(self.view.title, paint)

    def enter(self) -> bool:
        """Go where the row under the cursor leads; False: it has details, and leads nowhere."""
        return False

    def reset(self) -> None:
        """Forget what belongs to the datastore that was current."""
        self._version = None
        self._thaw()
        self.model.mark_none()

    # --- view tools ---------------------------------------------------------------------

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    def freeze(self) -> bool:
        """Stand still or go on; True when it stands still now."""
        if self._frozen is not None:
            self._thaw()
            self.show(self.commands.look)
            return False
        frozen = self._frozen = Frozen(self.view, self.commands.look)
        self.list.show(frozen.look, frozen.rows)
        self.set_class(True, "-frozen")
        self._summary.poke()
        return True

    def _thaw(self) -> None:
        self._frozen = None
        self._version = None
        self.set_class(False, "-frozen")

    def widen(self) -> bool:
        """Show all columns, or those that fit; True when it is all now."""
        self.wide = not self.wide
        self.list.set_wide(self.wide)
        self._heading.poke()
        self._summary.poke()
        return self.wide

    def choice(self) -> Callable[[], list[R]]:
        """The marked rows in their order, without marks the one under the cursor.

        As a call for any thread: a million marks take a while.
        """
        marks, rows, key = frozenset(self.model.marks), self.rows, self.view.key
        if marks:
            return lambda: [row for row in rows if key(row) in marks]
        current = self.model.current
        return lambda: [] if current is None else [current]

    def table(self) -> Table[R]:
        """What is shown now, for an export."""
        return Table(view=self.view, rows=self.rows, test=self.test(), look=self.seen)

    class CopyAsked(Message):
        """The key that copies was pressed, where the view has a word of its own for it."""

    def action_copy_row(self) -> None:
        self.post_message(self.CopyAsked())

    # --- filter -------------------------------------------------------------------------

    @property
    def filter_text(self) -> str:
        return self.given.text

    def set_filter(self, text: str) -> None:
        """Show only the rows that pass; empty shows all again."""
        before, self.given = self.given, filters.parse(text, self.view.fields)
        self.model.set_filter(self.test(), narrower=filters.narrows(self.given, before))
        self.list.set_empty(self._empty(self.commands.look))
        self.list.reshape()
        self.list.refresh()
        self._summary.poke()
        self._continue_filter()

    def test(self) -> Callable[[R], bool] | None:
        """Whether a row passes the filter; None when all do."""
        return filters.test_of(self.given, self.view.text, self.view.fields)

    def _continue_filter(self) -> None:
        """Slice by slice with gaps between them: on its way a key waits for several of them.

        Not by Textual's timer: one as short as this is dropped when the machine is busy.
        """
        if self.model.filtering and not self._slicing:
            self._slicing = True
            loop = asyncio.get_running_loop()
            loop.call_later(GAP_S, lambda: self.call_next(self._filter_slice))

    def _filter_slice(self) -> None:
        self._slicing = False
        if self.model.filtering:
            self.model.filter_some()
            self._slices += 1
            if self._slices % PAINT_EVERY == 0 or not self.model.filtering:
                self.list.reshape()
                self._summary.poke()
            self._continue_filter()

    def _empty(self, look: Look) -> list[Cell]:
        if not self.filter_text:
            return _no_cache(look) if self._has_no_cache(look) else self.view.empty(look)
        lines = [one(f"Nothing matches «{safe(self.filter_text)}».", "warn")]
        lines += [one(safe(line), "dim") for line in filters.told(self.given, self.view.fields)]
        return [*lines, (("esc", "key"), (" shows all again", "dim"))]

    def _has_no_cache(self, look: Look) -> bool:
        return self.view.cached and look.settings.kind != "cache"

    # --- painting -----------------------------------------------------------------------

    def _paint_heading(self, width: int) -> Cell:
        left = round(self.list.scroll_x)
        return heading(self.view.columns, width, wide=self.wide, left=left)

    def _paint_summary(self, width: int) -> Cell:
        left: Cell = (("  ", ""), *self.view.summary(self.seen))
        right: list[tuple[str, str]] = []
        if self.model.marks:
            right.append((f"◆ {len(self.model.marks):,} marked  ", "key"))
        if self.filter_text:
            found = f"{len(self.model):,} of {self.model.total:,}"
            going = " …" if self.model.filtering else ""
            right.append((f"/{safe(self.filter_text)} ", "accent"))
            right.append((f"{found}{going} ", "dim"))
        if self._frozen is not None:
            right.extend(self._frozen.badge(self.commands.look))
        return spread(left, tuple(right), width)

    def poke(self) -> None:
        """Marks changed: the summary counts them."""
        self._summary.poke()


AnyPane = ListPane[Any]


def _no_cache(look: Look) -> list[Cell]:
    """Why a view is empty where there is no shared cache."""
    given = look.settings
    return [
        one(f"{safe(given.name)} holds {given.kind}: this view is for a shared cache.", "dim"),
        (("8", "key"), (" explores it", "dim")),
    ]
