"""The one screen with all views: frame, tabs, list, detail, last event, keys."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from s3dash.core.plan import Direction
from s3dash.tui import keys
from s3dash.tui.cells import Cell, crop
from s3dash.tui.commands import Commands
from s3dash.tui.flows import auto, catalogs, fleet, hydrate, namespaces, records, reload, trash
from s3dash.tui.hints import key_hints, live
from s3dash.tui.notices import AFTER_S
from s3dash.tui.panes.all import panes
from s3dash.tui.panes.dirty import DirtyPane
from s3dash.tui.panes.locks import LocksPane
from s3dash.tui.panes.overview import OverviewPane
from s3dash.tui.screens.help import HelpScreen
from s3dash.tui.screens.tools import Tools
from s3dash.tui.widgets import banner, chrome
from s3dash.tui.widgets.filter_input import FilterInput
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_pane import AnyPane, ListPane
from s3dash.tui.widgets.mark_list import MarkList

DETAIL_S = 1.0
LOCKS_LEAST_AGE_S = 20.0
"""Listing every lock walks the whole prefix: not more often than this just by looking."""


class MainScreen(Screen[None]):
    """Passes what is known down to its parts, and what the user wants up to the commands."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.GLOBAL, keys.VIEWS)
    AUTO_FOCUS = "#overview-list"

    def __init__(
        self, commands: Commands, *, notify_after_s: float = AFTER_S, first: str = "overview"
    ) -> None:
        super().__init__(id="main")
        self._tools = Tools(commands, notify_after_s=notify_after_s)
        self._commands = commands
        self._panes = {pane.view.name: pane for pane in panes(commands)}
        self._active = "overview"
        self._first = first
        self._detailed_at = float("-inf")
        self._tabs: list[chrome.Tab] = []
        self._header = Line(lambda width: chrome.header(commands.look, width), id="header")
        self._tab_bar = Line(self._paint_tabs, id="tabs")
        self._banner = Block(self._paint_banner, id="banner")
        self._detail = Block(self._paint_detail, id="detail")
        self._edge = Line(self._paint_edge, id="edge")
        self._event = Line(lambda width: crop(commands.last_event, width), id="event")
        self._filter = FilterInput(id="filter")
        self._key_bar = Line(self._paint_keys, id="keys")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._tab_bar
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield self._banner
                with ContentSwitcher(initial=self._active, id="views"):
                    yield from self._panes.values()
            yield self._detail
        yield self._edge
        yield self._event
        yield self._filter
        yield self._key_bar

    def on_mount(self) -> None:
        self.bindings_updated_signal.subscribe(self, lambda _: self._key_bar.poke())
        self.watch(self.app, "app_focus", lambda _: self._tools.tells_focus(), init=False)
        self.show()
        if self._first != self._active:
            self.call_after_refresh(self.action_view, self._first)

    # --- state down ---------------------------------------------------------------------

    @property
    def pane(self) -> AnyPane:
        return self._panes[self._active]

    def show(self) -> None:
        """What is known has changed, or time went by: repaint what says something else now.

        An operation may end while the screen is being taken down: then there is nothing to do.
        """
        if not self.app.is_running:
            return
        look = self._commands.look
        self._banner.display = bool(banner.banner(look, self._active))
        self.pane.show(look)
        self._tools.call(away=not self.app.app_focus)
        for line in (self._header, self._tab_bar, self._banner, self._event, self._key_bar):
            line.poke()
        if look.mono - self._detailed_at >= DETAIL_S:
            self.show_detail()

    def show_detail(self) -> None:
        """Repaint the detail; by itself that happens once a second, as it is a large area."""
        self._detailed_at = self._commands.look.mono
        self._detail.poke()

    def switch(self) -> None:
        """Another datastore or namespace is the current one: nothing of the last one stays."""
        for pane in self._panes.values():
            pane.reset()
        self.show()
        self.show_detail()

    def show_event(self) -> None:
        if self.app.is_running:
            self._event.poke()

    def _paint_banner(self, width: int) -> list[Cell]:
        return banner.lines(self._commands.look, self._active, width)

    def _paint_tabs(self, width: int) -> Cell:
        look = self._commands.look
        given = [
            chrome.Tab(name, pane.view.number, pane.view.title, pane.view.badge(look))
            for name, pane in self._panes.items()
        ]
        cell, self._tabs = chrome.tabs(given, self._active, width)
        return cell

    def _paint_detail(self, _width: int) -> list[Cell]:
        return self.pane.detail(self._commands.look)

    def _paint_edge(self, width: int) -> Cell:
        shown = self._detail.display and self._detail.size.width
        return chrome.bottom_edge(width, self._detail.region.x if shown else None)

    def _paint_keys(self, width: int) -> Cell:
        return chrome.key_bar(key_hints(self, self._commands.why_not), width)

    def on_resize(self) -> None:
        self.call_after_refresh(self._edge.poke)

    # --- views --------------------------------------------------------------------------

    def action_view(self, name: str) -> None:
        if self._filter.display:
            self._filter.close()
        self._active = name
        self.query_one("#views", ContentSwitcher).current = name
        self.set_class(self.pane.zoomed, "-zoomed")
        self.set_focus(self.pane.list)
        if isinstance(self.pane, LocksPane):
            self._commands.list_locks(least_age_s=LOCKS_LEAST_AGE_S)
        self.show()
        self.show_detail()

    def action_turn(self, step: int) -> None:
        names = list(self._panes)
        self.action_view(names[(names.index(self._active) + step) % len(names)])

    @on(Line.Clicked, "#tabs")
    def _open_clicked(self, event: Line.Clicked) -> None:
        for tab in self._tabs:
            if tab.x <= event.x < tab.x + tab.width:
                self.action_view(tab.name)

    @on(LineList.Moved)
    def _row_changed(self) -> None:
        self.show_detail()

    @on(MarkList.Marked)
    def _marks_changed(self) -> None:
        self.pane.poke()

    @on(LineList.Chosen)
    def _row_opened(self) -> None:
        """A datastore that is not the current one becomes it, a row that leads somewhere is gone
        into; any other shows its detail."""
        look, pane = self._commands.look, self.pane
        if isinstance(pane, OverviewPane):
            site = pane.model.current
            if site is not None and site is not look.site:
                self._commands.use_site(site.name)
                return
        if pane.model.current is not None and not pane.enter():
            self.app.push_screen(pane.opened())

    def notify_after(self, seconds: float) -> None:
        """How long an operation must have taken to be worth a notice; 0 is never."""
        self._tools.notices.after_s = seconds

    # --- view tools ---------------------------------------------------------------------

    @on(ListPane.CopyAsked)
    def action_copy_path(self) -> None:
        self._tools.copy(self.pane, uri=False)

    def action_copy_uri(self) -> None:
        self._tools.copy(self.pane, uri=True)

    def action_export(self) -> None:
        self._tools.export(self.pane)

    def action_freeze(self) -> None:
        self._tools.freeze(self.pane)
        self.show_detail()

    def action_wide(self) -> None:
        self._tools.widen(self.pane)

    def action_zoom(self) -> None:
        self.pane.zoomed = not self.pane.zoomed
        self.set_class(self.pane.zoomed, "-zoomed")
        self.call_after_refresh(self._edge.poke)

    # --- filter and levels --------------------------------------------------------------

    def action_filter(self) -> None:
        self._filter.open(self.pane.filter_text, fields=self.pane.view.fields)
        self._event.display = False

    @on(FilterInput.Typed)
    def _filter_typed(self, event: FilterInput.Typed) -> None:
        self.pane.set_filter(event.text)
        self.show_detail()

    @on(FilterInput.Closed)
    def _filter_closed(self) -> None:
        self._event.display = True
        self.set_focus(self.pane.list)

    def action_back(self) -> None:
        """One level: first the filter, then the marks, the freeze, and last the overview."""
        if self.pane.filter_text:
            self.pane.set_filter("")
        elif self.pane.model.marks:
            self.pane.model.mark_none()
            self.pane.list.refresh()
        elif self.pane.frozen:
            self.pane.freeze()
        else:
            self.action_view("overview")
        self.show()

    # --- commands up --------------------------------------------------------------------

    def action_operate(self, direction: Direction) -> None:
        """A push takes in the marked paths of Dirty when there are any and it is in view."""
        pane = self.pane
        chosen = pane.marked if isinstance(pane, DirtyPane) and direction == "push" else ()
        self._commands.operate(direction, chosen)

    def action_hydrate(self) -> None:
        self._commands.begin("hydrate", hydrate.choose, group="dialog")

    def action_auto(self) -> None:
        self._commands.begin("auto", auto.toggle)

    def action_namespace(self) -> None:
        self._commands.begin("namespace", namespaces.choose, group="dialog")

    def action_look_again(self) -> None:
        self._commands.look_again()
        if isinstance(self.pane, LocksPane):
            self._commands.list_locks()

    def action_reload(self) -> None:
        self._commands.begin("reload", reload.reload, group="reload")

    def action_help(self) -> None:
        view, commands = self.pane.view, live(self, self._commands.why_not)
        self.app.push_screen(HelpScreen(view.title, commands, view.fields))

    def action_trash(self) -> None:
        self._commands.begin("trash", trash.show, group="dialog")

    def action_catalogs(self) -> None:
        self._commands.begin("catalogs", catalogs.show, group="dialog")

    def action_fleet(self) -> None:
        self._commands.begin("fleet", fleet.show, group="dialog")

    def action_records(self) -> None:
        self._commands.begin("records", records.show, group="dialog")

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_suspend_process(self) -> None:
        self.app.action_suspend_process()

    def action_leave(self) -> None:
        self._commands.leave()
