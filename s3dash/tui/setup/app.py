"""The first run: a guide from nothing to a configuration, before there is a dashboard."""

import asyncio
import os
import shutil
from collections.abc import Callable
from typing import ClassVar

from rich.console import ConsoleDimensions
from rich.text import Text
from textual.binding import BindingType

from s3dash.clock import Clock, SystemClock
from s3dash.config.draft import Draft
from s3dash.errors import S3DashError
from s3dash.tui import keys, wishes
from s3dash.tui.pool import Pool
from s3dash.tui.process import listening, sealed
from s3dash.tui.redact import Fell, report, told
from s3dash.tui.setup.known import Answer, Known, Scout
from s3dash.tui.setup.screen import StepScreen
from s3dash.tui.setup.step import Step
from s3dash.tui.setup.steps import begin
from s3dash.tui.surface import Surface
from s3dash.tui.terminal import is_lost

LOST_S = 1.0
WIDTHS = [(0, "-narrow"), (100, "-normal")]
HEIGHTS = [(0, "-flat"), (16, "-tall")]


class FirstRun(Surface, inherit_bindings=False):
    """A stack of steps; each is a screen, so that going back finds them as they were left.

    `answer` is how it ended, None while nothing was decided: then nothing was written either.
    """

    TITLE = "s3dash"
    CSS_PATH = "setup.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.SETUP_APP)
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(
        self,
        scout: Scout,
        *,
        draft: Draft | None = None,
        clock: Clock | None = None,
        no_color: bool = False,
        plain: bool = False,
    ) -> None:
        super().__init__(colorless=no_color, plain=plain)
        self.answer: Answer | None = None
        self._scout = scout
        self._clock = clock or SystemClock()
        self._pool = Pool(2)
        self._report = ""
        self._first = begin(draft or Draft())

    def on_mount(self) -> None:
        self.resurface()
        self.set_interval(LOST_S, self._watch)
        self._open(*self._first)

    def on_unmount(self) -> None:
        self._pool.close()

    def _watch(self) -> None:
        if not self.is_headless and is_lost():
            self.interrupted("the loss of its terminal")

    def interrupted(self, what: str) -> None:
        self.exit(return_code=130, message=f"s3dash: stopped by {what}; nothing was written")

    def _open(self, step: Step, known: Known) -> None:
        self.push_screen(
            StepScreen(
                step,
                known,
                number=len(self.screen_stack),
                scout=self._scout,
                ask=self._ask,
                done=self._go_on,
                clock=self._clock,
            )
        )

    def _go_on(self, following: "Step | Answer | None", known: Known) -> None:
        if isinstance(following, Step):
            self._open(following, known)
        else:
            self.answer = following
            self.exit()

    def action_back_a_step(self) -> None:
        """From the first step there is nowhere to go but out."""
        if len(self.screen_stack) > 2:
            self.pop_screen()
        else:
            self.exit()

    async def _ask(self, call: Callable[[], Known]) -> Known:
        """In a thread; whatever goes wrong comes as an S3DashError, without any value."""
        try:
            return await self._pool.ask(call)
        except S3DashError:
            raise
        except Exception as error:
            raise S3DashError(told(error)) from error

    # --- the edges, as those of the dashboard -------------------------------------------

    def fell(self, error: BaseException) -> None:
        """A thread ended in a way that nobody foresaw."""
        self._handle_exception(error)

    def _handle_exception(self, error: BaseException) -> None:
        """Never by the error's own way to show itself: that may hold what was typed."""
        cause = getattr(error, "error", None)
        self._report = report(cause if isinstance(cause, BaseException) else error)
        super()._handle_exception(error if isinstance(error, Exception) else Fell())

    def _fatal_error(self) -> None:
        """Textual's own would print local variables."""
        self.bell()
        self.panic(Text(self._report))


def run_first_run(scout: Scout, *, no_color: bool = False) -> tuple[Answer | None, int]:
    """Guide the user; what to open next (None: nothing, and nothing was written), and a code."""
    colorless = no_color or bool(os.environ.get("NO_COLOR"))
    app = FirstRun(scout, no_color=colorless, plain=wishes.is_plain(os.environ))
    app.console.size = ConsoleDimensions(*shutil.get_terminal_size())  # see run_dashboard
    asyncio.run(_run(app))
    return app.answer, app.return_code or 0


async def _run(app: FirstRun) -> None:
    loop = asyncio.get_running_loop()

    def fell(error: BaseException) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(app.fell, error)

    with listening(app.interrupted), sealed(fell):
        try:
            await app.run_async()
        except OSError:  # the last words found no terminal
            if not is_lost():
                raise
