"""The application: engines on one side, the screen on the other, and the commands between."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.markup import escape
from textual.screen import Screen

from s3dash.clock import Clock, SystemClock, iso
from s3dash.core.events import Level
from s3dash.core.plan import Direction
from s3dash.core.screen import ScreenSettings
from s3dash.core.snapshot import HistoryRow
from s3dash.engine.api import EngineApi
from s3dash.errors import S3DashError
from s3dash.tui import accessible, hints, interpreter, keys, permits, wishes
from s3dash.tui.bridge import POLL_S, Bridge
from s3dash.tui.cells import Cell
from s3dash.tui.commands import Flow, Work
from s3dash.tui.configured import Reload
from s3dash.tui.exploring import Exploring
from s3dash.tui.flows import auto, leave, locks, operate
from s3dash.tui.flows.leave import Detach
from s3dash.tui.last_event import LastEvent
from s3dash.tui.look import Look, auto_running
from s3dash.tui.messages import Happened, SnapshotChanged
from s3dash.tui.operation import Operation
from s3dash.tui.outside import Outside
from s3dash.tui.redact import Fell, report, told
from s3dash.tui.screens.main import MainScreen
from s3dash.tui.screens.modal import Modal
from s3dash.tui.shelves import Shelves
from s3dash.tui.surface import Surface
from s3dash.tui.terminal import is_lost

T = TypeVar("T")

TICKS_A_SECOND = round(1 / POLL_S)
WIDTHS = [(0, "-tiny"), (50, "-narrow"), (100, "-normal"), (160, "-wide")]
HEIGHTS = [(0, "-flat"), (16, "-short"), (30, "-tall")]
"""Classes of the screen by its columns and rows; the style sheet says what each leaves out."""


class DashApp(Surface, inherit_bindings=False):
    """Implements `commands.Commands` for the widgets; see there what each command is."""

    TITLE = "s3dash"
    CSS_PATH = "s3dash.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.APP)
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(
        self,
        engines: Sequence[EngineApi],
        *,
        open_namespace: Callable[[str, str | None], EngineApi] | None = None,
        clock: Clock | None = None,
        no_color: bool = False,
        detach: Detach | None = None,
        outside: Outside | None = None,
        wanted: ScreenSettings | None = None,
        reload: Reload | None = None,
        plain: bool = False,
        shelves: Shelves | None = None,
    ) -> None:
        super().__init__(wanted=wanted, colorless=no_color, plain=plain)
        self.detach = detach
        self.outside = outside or Outside()
        self.clock = clock or SystemClock()
        self.opened = list(engines)
        self.current = 0
        self.reload, self.reloading = reload, ""
        self.configured = {engine.settings.name: engine.settings for engine in engines}
        self._announcer = accessible.Announcer()
        self.open_namespace = open_namespace
        self.exploring = Exploring(shelves or Shelves())
        self._bridge = Bridge(engines, clock=self.clock, post=self.post_message)
        self.operation = Operation(self.clock)
        self._event = LastEvent(self.clock)
        self._report = ""
        self._ticks = 0
        self._listed: tuple[EngineApi | None, float] = (None, 0.0)
        self.main = MainScreen(
            self, notify_after_s=self.wanted.notify_after_s, first=_first_view(self.exploring)
        )

    # --- life ---------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        return self.main

    def on_mount(self) -> None:
        wishes.put_in_force(self, self.wanted, before=None)
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.set_interval(POLL_S, self._tick)
        self.call_after_refresh(self._begin_all)

    def _begin_all(self) -> None:
        """Once the screen is there: engines that have to be opened keep the processor busy."""
        interpreter.settle()
        for index in range(len(self._bridge.engines)):
            self._go(self._begin(index))

    async def _begin(self, index: int) -> None:
        """The log first, so that nothing is missed; then the engine looks for itself."""
        engine = self._bridge.engine(index)
        try:
            self._bridge.take_history(index, await self.ask(engine.history))
            await self.ask(engine.start)
        except S3DashError as error:
            self.tell(f"{engine.settings.name}: {error.message}", level="error")

    def on_unmount(self) -> None:
        self.exploring.close()
        self._bridge.close()

    def interrupted(self, what: str) -> None:
        """A signal asks us to end: the terminal is restored, locks are released."""
        self.operation.token.cancel()
        self.exit(return_code=130, message=f"s3dash: stopped by {what}")

    def _tick(self) -> None:
        self._bridge.poll()
        self._ticks += 1
        leave.if_done(self)
        if self._ticks % TICKS_A_SECOND == 0:
            self._show()
            if not self.is_headless and is_lost():
                self.interrupted("the loss of its terminal")

    def poll(self) -> None:
        """Look at the engines now, not at the next tick."""
        self._bridge.poll()

    def on_snapshot_changed(self, _: SnapshotChanged) -> None:
        self._show()

    def on_happened(self, message: Happened) -> None:
        here = message.site == self.look.site.name
        self._event.noted(message.row, site="" if here else message.site)
        self.main.show_event()

    def _show(self) -> None:
        """Hand down what is known; time goes by even when nothing changes.

        While the app goes down there is no screen any more, and messages still come.
        """
        self.main.show()
        self.announce()
        self.show_dialog()

    def show_dialog(self) -> None:
        """Let the dialog that is open, if any, repaint what it shows."""
        for screen in self.screen_stack[-1:]:
            if isinstance(screen, Modal) and screen.is_mounted and screen.is_open:
                screen.show()

    def _go(self, work: Coroutine[Any, Any, None], *, group: str = "flow") -> None:
        self.run_worker(self._told(work), group=group, exit_on_error=True)

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        """An engine that cannot do what a flow asks of it is no reason to end the screen."""
        try:
            await work
        except S3DashError as error:
            self.tell(f"{error.message}  {error.hint}".rstrip(), level="error")

    async def ask(self, call: Callable[[], T]) -> T:
        """An engine's answer. Whatever goes wrong comes as an S3DashError, without any value."""
        try:
            return await self._bridge.ask(call)
        except S3DashError:
            raise
        except Exception as error:
            raise S3DashError(told(error)) from error

    # --- what widgets read --------------------------------------------------------------

    @property
    def engine(self) -> EngineApi:
        return self._bridge.engine(self.current)

    def engine_at(self, index: int) -> EngineApi:
        """The engine of a site, by its place in `look.sites`."""
        return self._bridge.engine(index)

    @property
    def look(self) -> Look:
        sites, mono = self._bridge.sites, self.clock.monotonic()
        return Look(
            sites=sites,
            current=self.current,
            now=self.clock.now(),
            mono=mono,
            running=self.operation.running or auto_running(sites, self.current, mono),
            plain=self.worded,
        )

    @property
    def last_event(self) -> Cell:
        return self._event.cell

    def tell(self, text: str, *, level: str = "info") -> None:
        self._event.tell(text, level)
        self.main.show_event()

    def tell_cell(self, cell: Cell, *, level: str = "info") -> None:
        """Like `tell`, for a line with looks of its own."""
        self._event.tell_cell(cell, level)
        self.main.show_event()

    def note(self, text: str, *, level: Level = "info") -> None:
        """A line of the screen's own for the log of the current datastore."""
        self._bridge.note(self.current, HistoryRow(iso(self.clock.now()), "screen", level, text))

    def announce(self) -> None:
        """For who listens: what changed and stands nowhere near the cursor."""
        pane = self.main.pane
        news = self._announcer.news(self.look, pane.view.title, len(pane.model))
        if news and self.accessible:
            self.tell(news)

    def on_descendant_focus(self) -> None:
        self.announce()

    def why_not(self, name: str) -> str:
        if name == "reload" and self.reload is None:
            return "there is no configuration file to read"
        if name.startswith("explorer."):
            return self.exploring.why_not(name)
        return permits.why_not(name, self.look, namespaces=self.open_namespace is not None)

    def _refuses(self, name: str) -> bool:
        """True when the command cannot be given; the reason is told."""
        reason = self.why_not(name)
        if reason:
            self.tell(f"{keys.BY_NAME[name].text}: {reason}", level="warning")
        return bool(reason)

    # --- commands -----------------------------------------------------------------------

    def begin(self, name: str, flow: Flow, *, group: str = "flow") -> None:
        if not self._refuses(name):
            self._go(flow(self), group=group)

    def operate(self, direction: Direction, selection: Collection[str] = ()) -> None:
        flow = partial(operate.choose, direction=direction, selection=selection)
        self.begin(direction, flow, group="dialog")

    def carry_out(self, name: str, direction: Direction, work: Work) -> None:
        """Run what the user decided; one operation at a time, stopped by its token."""
        if not self._refuses(name):
            cancel = self.operation.begin(direction, self.look.site.name)
            self._go(work(self, cancel), group="operation")

    def operation_ended(self, direction: Direction) -> None:
        self._event.ended(direction)
        self._bridge.poll()
        self.operation.end()
        self.main.show()
        leave.if_done(self)

    def cancel_operation(self) -> None:
        """Stop what runs: what was started here, else the auto-sync that is in sight."""
        if not self._refuses("transfers.cancel-all"):
            if self.operation.running is None:
                auto.cancel(self)
            else:
                self.operation.token.cancel()
            self.tell("stopping …")

    async def replace_engine(self, index: int, engine: EngineApi) -> None:
        """Another engine in the place of one that has ended."""
        self._bridge.replace(index, engine)
        self.main.switch()
        self._bridge.take_history(index, await self.ask(engine.history))

    async def arrange(self, engines: Sequence[EngineApi]) -> None:
        """Other engines on the screen; the current one stays that when it is still there."""
        before, name = self._bridge.engines, self.look.site.name
        names = [engine.settings.name for engine in engines]
        self.current = 0
        self._bridge.arrange(engines)
        self.current = names.index(name) if name in names else 0
        self.main.switch()
        for index, engine in enumerate(engines):
            if engine not in before:
                self._bridge.take_history(index, await self.ask(engine.history))

    def look_again(self) -> None:
        self.tell("looking again …")
        self._go(self._refresh())

    async def _refresh(self) -> None:
        try:
            await self.ask(self.engine.refresh)
        except S3DashError as error:
            self.tell(error.message, level="error")

    def list_locks(self, *, least_age_s: float = 0.0) -> None:
        now, (engine, before) = self.clock.monotonic(), self._listed
        if engine is not self.engine or now - before >= least_age_s:
            self._listed = (self.engine, now)
            self._go(locks.look(self), group="locks")

    def use_site(self, name: str) -> None:
        names = [site.name for site in self.look.sites]
        self.current = names.index(name)
        self.tell(f"working with {name}")
        self.main.switch()

    def leave(self) -> None:
        self._go(leave.leave(self), group="leave")

    async def action_quit(self) -> None:
        self.leave()

    # --- what Textual asks --------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No palette over a dialog."""
        if action == "command_palette":
            return self.screen is self.main
        return super().check_action(action, parameters)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: every live command with its key, and why one cannot be given now."""
        for command in hints.live(screen, self.why_not):
            about = keys.BY_NAME[command.name].about
            if not about:
                continue
            text = escape(f"not now: {command.why_not}" if command.why_not else about)
            call = partial(self.run_action, command.action, command.node)
            yield SystemCommand(f"{command.text}  ({command.keys})", text, call)
        yield SystemCommand("theme", "choose the colours", self.search_themes)

    def fell(self, error: BaseException) -> None:
        """A thread ended with a bug. What it did is no longer done, so the screen ends too."""
        self._handle_exception(error)

    def _handle_exception(self, error: BaseException) -> None:
        """Never by the error's own way to show itself: that may hold anything."""
        cause = getattr(error, "error", None)
        self._report = report(cause if isinstance(cause, BaseException) else error)
        plain = isinstance(error, Exception) and not hasattr(error, "__rich__")
        super()._handle_exception(error if plain and isinstance(error, Exception) else Fell())

    def _fatal_error(self) -> None:
        """Textual's own would print local variables, and with them secrets."""
        self.bell()
        self.panic(Text(self._report))


def _first_view(place: Exploring) -> str:
    """The Explorer where the user named a datastore that only it can show."""
    return "explorer" if place.shelves.first else "overview"
