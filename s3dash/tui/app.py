"""The application: engines on one side, the screen on the other, and the commands between."""

import asyncio
import os
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.markup import escape
from textual.screen import Screen

from s3dash.clock import Clock, SystemClock
from s3dash.core.plan import Direction
from s3dash.engine.api import EngineApi
from s3dash.errors import S3DashError
from s3dash.tui import hints, keys, permits
from s3dash.tui.bridge import POLL_S, Bridge
from s3dash.tui.cells import Cell
from s3dash.tui.commands import Flow, Work
from s3dash.tui.flows import leave, locks, operate
from s3dash.tui.last_event import LastEvent
from s3dash.tui.look import Look
from s3dash.tui.messages import Happened, SnapshotChanged
from s3dash.tui.nocolor import PureAttributes
from s3dash.tui.operation import Operation
from s3dash.tui.process import listening, stop_all
from s3dash.tui.redact import report, told
from s3dash.tui.screens.main import MainScreen
from s3dash.tui.screens.modal import Modal
from s3dash.tui.terminal import SturdyDriver, is_lost
from s3dash.tui.theme import NIGHT

T = TypeVar("T")

TICKS_A_SECOND = round(1 / POLL_S)
WIDTHS = [(0, "-tiny"), (50, "-narrow"), (100, "-normal"), (160, "-wide")]
HEIGHTS = [(0, "-flat"), (16, "-short"), (30, "-tall")]
"""Classes of the screen by its columns and rows; the style sheet says what each leaves out."""


class DashApp(App[None], inherit_bindings=False):
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
    ) -> None:
        super().__init__()
        self.clock = clock or SystemClock()
        self.opened = list(engines)
        self.current = 0
        self.no_color = no_color
        self.open_namespace = open_namespace
        self._bridge = Bridge(engines, clock=self.clock, post=self.post_message)
        self.operation = Operation(self.clock, on_left=self.exit)
        self._event = LastEvent(self.clock)
        self._report = ""
        self._ticks = 0
        self._listed: tuple[EngineApi | None, float] = (None, 0.0)
        self.main = MainScreen(self)

    # --- life ---------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        return self.main

    def on_mount(self) -> None:
        self.register_theme(NIGHT)
        self.theme = NIGHT.name
        self.set_class(self.no_color, "-no-color")
        for index in range(len(self._bridge.engines)):
            self._go(self._begin(index))
        self.set_interval(POLL_S, self._tick)

    async def _begin(self, index: int) -> None:
        """The log first, so that nothing is missed; then the engine looks for itself."""
        engine = self._bridge.engine(index)
        try:
            self._bridge.take_history(index, await self.ask(engine.history))
            await self.ask(engine.start)
        except S3DashError as error:
            self.tell(f"{engine.settings.name}: {error.message}", level="error")

    def on_unmount(self) -> None:
        self._bridge.close()

    def interrupted(self, what: str) -> None:
        """A signal asks us to end: the terminal is restored, locks are released."""
        self.operation.token.cancel()
        self.exit(return_code=130, message=f"s3dash: stopped by {what}")

    def _tick(self) -> None:
        self._bridge.poll()
        self._ticks += 1
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
        for screen in self.screen_stack[-1:]:
            if isinstance(screen, Modal):
                screen.show()

    def _go(self, work: Coroutine[Any, Any, None], *, group: str = "flow") -> None:
        self.run_worker(work, group=group, exit_on_error=True)

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

    @property
    def look(self) -> Look:
        return Look(
            sites=self._bridge.sites,
            current=self.current,
            now=self.clock.now(),
            mono=self.clock.monotonic(),
            running=self.operation.running,
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

    def why_not(self, name: str) -> str:
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

    def cancel_operation(self) -> None:
        if not self._refuses("transfers.cancel"):
            self.operation.token.cancel()
            self.tell("stopping …")

    def leave_when_done(self) -> None:
        """Quit as soon as the running operation has ended."""
        self.tell("quits when this is done")
        self.operation.leave_at_end()

    async def replace_engine(self, index: int, engine: EngineApi) -> None:
        """Another engine in the place of one that has ended."""
        self._bridge.replace(index, engine)
        self.main.switch()
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

    def get_driver_class(self) -> type[Driver]:
        given = super().get_driver_class()
        return SturdyDriver if given is LinuxDriver else given

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [PureAttributes()] if self.no_color else super().get_line_filters()

    def _handle_exception(self, error: Exception) -> None:
        cause = getattr(error, "error", None)
        self._report = report(cause if isinstance(cause, BaseException) else error)
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Textual's own would print local variables, and with them secrets."""
        self.bell()
        self.panic(Text(self._report))


def run_dashboard(
    engines: Sequence[EngineApi],
    *,
    open_namespace: Callable[[str, str | None], EngineApi] | None = None,
    clock: Clock | None = None,
    no_color: bool | None = None,
) -> int:
    """Show the engines, the first of them current; the exit code when the user has quit.

    Starts the engines and stops them, those of other namespaces that it opened by
    `open_namespace(datastore, namespace)` too. `no_color` None asks the environment.
    """
    if no_color is None:
        no_color = bool(os.environ.get("NO_COLOR"))
    app = DashApp(engines, open_namespace=open_namespace, clock=clock, no_color=no_color)
    try:
        return asyncio.run(_run(app))
    finally:
        stop_all(app.opened)


async def _run(app: DashApp) -> int:
    with listening(app.interrupted):
        try:
            await app.run_async()
        except OSError:  # the last words found no terminal
            if not is_lost():
                raise
    return app.return_code or 0
