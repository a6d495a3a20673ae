"""What the first run asks, answered as a test sets it; and a way to play the first run."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from s3dash.config.draft import Draft
from s3dash.config.write import Change, add_datastore
from s3dash.engine.first_look import Finding, Found
from s3dash.tui.cells import plain
from s3dash.tui.setup.app import FirstRun
from s3dash.tui.setup.known import Answer
from s3dash.tui.setup.screen import StepScreen
from s3dash.tui.widgets.line import Block
from tests.tui.driver import CHARACTERS, ROUNDS, TURNS
from tests.tui.fake_engine import FakeClock

EMPTY = Found(0, 0, (), (), False)
SOLO = Found(2, 320, ("data",), (), True)
SHARED = Found(0, 0, ("infra", "web"), ("infra", "web"), True)


class FakeScout:
    """`error` maps the name of a call to what it raises; `asked` are all calls and their drafts."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.asked: list[tuple[str, Draft]] = []
        self.error: dict[str, Exception] = {}
        self.names: tuple[str, ...] = ("ann", "work")
        self.buckets: tuple[str, ...] | None = ("other-data", "team-data")
        self.found: dict[str, Found] = {}
        self.prefixes: tuple[str, ...] = ()
        self.safe = True

    def _call(self, name: str, draft: Draft) -> None:
        self.asked.append((name, draft))
        if name in self.error:
            raise self.error[name]

    @property
    def calls(self) -> list[str]:
        return [name for name, _ in self.asked]

    def profiles(self) -> tuple[str, ...]:
        self._call("profiles", Draft())
        return self.names

    def knock(self, draft: Draft) -> Finding:
        self._call("knock", draft)
        return Finding("endpoint", True, f"{draft.endpoint or 'aws'} answers in 12 ms")

    def who(self, draft: Draft) -> tuple[Finding, tuple[str, ...] | None]:
        self._call("who", draft)
        return Finding("credentials", True, "AKIA…WXYZ from env"), self.buckets

    def place(self, draft: Draft) -> Found:
        self._call("place", draft)
        return self.found.get(draft.prefix, EMPTY)

    def places(self, draft: Draft) -> tuple[str, ...]:
        self._call("places", draft)
        return self.prefixes

    def locks(self, draft: Draft) -> Finding:
        self._call("locks", draft)
        return Finding("locks", self.safe, "locks can be trusted" if self.safe else "UNSAFE")

    def cache(self, draft: Draft) -> Finding:
        self._call("cache", draft)
        return Finding("directory", True, f"{draft.cache} will be made")

    def changes(self, draft: Draft) -> tuple[Change, ...]:
        self._call("changes", draft)
        files = (self.home / "config.toml", self.home / "s3dash.toml")
        return tuple(add_datastore(f, draft.given_name, draft.fields()) for f in files)


class Guide:
    """The first run as it is on the screen, and hands to work it."""

    def __init__(self, app: FirstRun, pilot: Pilot[None], clock: FakeClock) -> None:
        self.app = app
        self.pilot = pilot
        self.clock = clock

    @property
    def screen(self) -> StepScreen:
        assert isinstance(self.app.screen, StepScreen)
        return self.app.screen

    @property
    def title(self) -> str:
        return self.screen.step.title

    async def rest(self) -> None:
        for _ in range(ROUNDS):
            await self.pilot.pause(0)

    async def press(self, *keys: str) -> None:
        """Each a second after the one before, so that the key guard lets it pass."""
        for key in keys:
            self.clock.advance(1.0)
            character = CHARACTERS.get(key, key if len(key) == 1 else None)
            self.app.post_message(events.Key(key, character))
            await self.rest()

    async def type(self, text: str) -> None:
        """Into the field that has the focus, in the place of what it holds."""
        focused = self.app.focused
        assert isinstance(focused, Input), focused
        focused.value = ""
        for letter in text:
            self.app.post_message(events.Key(letter, letter))
        await self.rest()

    async def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.screen.query_one(f"#field-{name}", Input).focus()
            await self.rest()
            await self.type(text)

    async def choose(self, label: str) -> None:
        """Move to the choice that begins so, and enter it."""
        found = self.screen.query_one(OptionList)
        labels = [str(found.get_option_at_index(n).prompt) for n in range(found.option_count)]
        wanted = next(n for n, text in enumerate(labels) if text.startswith(label))
        found.focus()
        await self.rest()
        await self.press("home", *["down"] * wanted, "enter")

    async def on(self, title: str) -> None:
        """Wait until this step is on the screen."""
        await self.until(lambda: self.title == title)
        await self.rest()

    async def until(self, holds: Callable[[], object]) -> None:
        for _ in range(TURNS):
            if holds():
                return
            await self.pilot.pause(0.002)
        raise AssertionError(f"what was waited for never came:\n{self.text()}")

    @property
    def note(self) -> str:
        return "\n".join(plain(cell) for cell in self.screen.query_one("#step-note", Block).shown)

    @property
    def about(self) -> str:
        return "\n".join(plain(cell) for cell in self.screen.query_one("#step-about", Block).shown)

    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return "\n".join(strip.text for strip in strips)


def guide(
    script: Callable[[Guide], Awaitable[None]],
    scout: Any,
    *,
    size: tuple[int, int] = (80, 24),
    **options: Any,
) -> Answer | None:
    """Play a script; what the first run ended with. Its errors are the test's."""

    async def run() -> Answer | None:
        clock = FakeClock()
        app = FirstRun(scout, clock=clock, **options)
        async with app.run_test(size=size) as pilot:
            hands = Guide(app, pilot, clock)
            await hands.rest()
            await script(hands)
            await hands.rest()
        return app.answer

    return asyncio.run(run())
