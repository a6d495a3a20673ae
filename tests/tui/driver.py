"""Plays a script of keys against the application, with fake engines and a clock that stands."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.pilot import Pilot

from s3dash.tui.app import DashApp
from s3dash.tui.cells import plain
from s3dash.tui.screens.main import MainScreen
from s3dash.tui.widgets.line import Block
from s3dash.tui.widgets.line_list import LineList
from tests.tui.fake_engine import FakeClock, FakeEngine

WIDE, NARROW, TINY = (120, 40), (80, 24), (40, 10)
CHARACTERS = {
    "slash": "/",
    "colon": ":",
    "exclamation_mark": "!",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "question_mark": "?",
    "backslash": "\\",
    "minus": "-",
    "space": " ",
    "enter": "\r",
    "tab": "\t",
}
ROUNDS = 4
"""A key goes from the application to a widget, from there up as a message, and down again."""
TURNS = 2000
"""How often the loop may turn before a condition counts as never met."""


class Stage:
    """The running application and what a test wants to know of it."""

    def __init__(self, app: DashApp, pilot: Pilot[None], clock: FakeClock) -> None:
        self.app = app
        self.pilot = pilot
        self.clock = clock

    async def press(self, *keys: str) -> None:
        """Press keys by Textual's names, each worked off before the next."""
        for key in keys:
            character = CHARACTERS.get(key, key if len(key) == 1 else None)
            self.app.post_message(events.Key(key, character))
            await self.rest()

    async def settle(self) -> None:
        """Let the screen take up what the engines say now."""
        self.app.poll()
        await self.rest()

    async def rest(self) -> None:
        """Let all messages be handled, and those that they lead to."""
        for _ in range(ROUNDS):
            await self.pilot.pause(0)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for something that background threads bring about."""
        for _ in range(TURNS):
            if holds():
                return
            await self.pilot.pause(0.002)
        raise AssertionError("what was waited for never came")

    @property
    def is_still(self) -> bool:
        """False while a key still leads somewhere: to another view, or to a level of a bucket."""
        place = self.app.exploring
        waits = place.job is not None or (place.state == "listing" and not place.rows)
        return not waits and (not self.at_home or self.app.focused is self.main.pane.list)

    async def opened(self, screen: type) -> Any:
        """Wait for a dialog, and let its key guard run out."""
        await self.until(lambda: isinstance(self.app.screen, screen))
        await self.rest()
        self.clock.advance(1.0)
        return self.app.screen

    @property
    def main(self) -> MainScreen:
        return self.app.main

    @property
    def at_home(self) -> bool:
        """True when no dialog is open."""
        return self.app.screen is self.main

    def line(self, selector: str) -> str:
        """The text of a line or block, wherever it is on the current screen."""
        block = self.app.screen.query_one(selector, Block)
        return "\n".join(plain(cell) for cell in block.shown)

    @property
    def event(self) -> str:
        return plain(self.app.last_event)

    def rows(self, selector: str | None = None) -> list[str]:
        """The lines of a list as they are painted; that of the current view when none is named."""
        found = self.main.pane.list
        if selector is not None:
            found = self.app.screen.query_one(selector, LineList)
        lines = min(found.size.height, max(1, len(found.model)))
        return [found.render_line(y).text.rstrip() for y in range(lines)]

    def text(self) -> str:
        """The whole terminal, line by line."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return "\n".join(strip.text for strip in strips)


Script = Callable[[Stage], Awaitable[None]]


def play(
    script: Script, *engines: FakeEngine, size: tuple[int, int] = WIDE, **options: Any
) -> DashApp:
    """Run a script to its end; the application as it was left. Its errors are the test's."""

    async def run() -> DashApp:
        clock = FakeClock()
        app = DashApp(engines or (FakeEngine(),), clock=clock, **options)
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot, clock)
            await stage.until(lambda: all(e.asked("start") for e in engines))
            await stage.settle()
            await script(stage)
        return app

    return asyncio.run(run())
