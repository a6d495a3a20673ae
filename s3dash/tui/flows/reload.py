"""Reading the configuration again while the screen runs.

An invalid file changes nothing. Keys, colours and the rest of the screen are taken up at once;
datastores come and go, and one with other settings is opened anew, when it is idle.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from s3dash.core.settings import Datastore
from s3dash.engine.api import EngineApi
from s3dash.errors import S3DashError
from s3dash.tui import wishes
from s3dash.tui.bridge import POLL_S
from s3dash.tui.cells import Cell, one
from s3dash.tui.configured import Configured
from s3dash.tui.flows.ending import end
from s3dash.tui.format import count, safe
from s3dash.tui.screens.busy import BusyScreen
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


class Changes(NamedTuple):
    """What is another one in the file than on the screen, by name."""

    new: list[str]
    gone: list[str]
    other: list[str]

    @property
    def text(self) -> str:
        parts = (("new", self.new), ("gone", self.gone), ("changed", self.other))
        return ", ".join(f"{what}: {', '.join(map(safe, names))}" for what, names in parts if names)


def compare(before: dict[str, Datastore], now: Sequence[Datastore]) -> Changes:
    names = {settings.name for settings in now}
    return Changes(
        new=[s.name for s in now if s.name not in before],
        gone=[name for name in before if name not in names],
        other=[s.name for s in now if s.name in before and s != before[s.name]],
    )


async def reload(app: "DashApp") -> None:
    """The whole of it; a second call while one waits for something says so."""
    if app.reloading:
        app.tell(f"still reading the configuration: {app.reloading}")
        return
    app.reloading = "looking at the file"
    try:
        await _reload(app)
    finally:
        app.reloading = ""


async def _reload(app: "DashApp") -> None:
    read = app.reload
    if read is None:
        return
    try:
        found = await app.ask(read)
    except S3DashError as error:
        refuse(app, error.message.splitlines())
        return
    before, app.wanted = app.wanted, found.screen
    wishes.put_in_force(app, found.screen, before=before)
    app.exploring.take_up(found.shelves)
    told = await _datastores(app, found)
    wrong = wishes.problems(found.screen)
    if wrong:
        refuse(app, [f"{found.source}: {line}" for line in wrong])
    elif told is not None:
        line = f"{found.source} read again: {told or 'the datastores are the same'}"
        app.tell(line)
        app.note(line)  # a new datastore that is offline soon says so on the line of the last event


def refuse(app: "DashApp", lines: Sequence[str]) -> None:
    """All that is wrong, to be read at leisure; the last good state stays."""
    app.tell(f"not taken, the last good one stays: {lines[0]}", level="error")
    for line in lines:
        app.note(line, level="error")
    paint: list[Cell] = [
        one("What was good before stays in force.", "dim"),
        one(""),
        *(one(safe(line), "bad" if number else "") for number, line in enumerate(lines, 1)),
    ]
    app.push_screen(
        DetailScreen(f"{count(len(lines), 'line')} of the configuration", lambda: paint)
    )


# --- datastores -----------------------------------------------------------------------------


async def _datastores(app: "DashApp", found: Configured) -> str | None:
    """Take up other datastores; what was done, or None when the user (or sense) was against it."""
    changes = compare(app.configured, found.datastores)
    if not found.datastores:
        app.tell("no shared cache would be left: the datastores stay as they were", level="error")
        return None
    if not await _may_go(app, [*changes.gone, *changes.other]):
        app.tell("the datastores stay as they were")
        return None
    before = {site.name: app.engine_at(n) for n, site in enumerate(app.look.sites)}
    failed: list[str] = []
    engines, configured = await _taken_up(app, found, changes, before, failed)
    if engines:
        await app.arrange(engines)
        for name in changes.gone:
            if before[name] in app.opened:  # not ended yet for its heir
                await end(app, before[name])
        app.configured = configured
    for line in failed:
        app.note(line, level="error")
        app.tell(line, level="error")
    return None if failed else changes.text


async def _taken_up(
    app: "DashApp",
    found: Configured,
    changes: Changes,
    before: dict[str, EngineApi],
    failed: list[str],
) -> tuple[list[EngineApi], dict[str, Datastore]]:
    """The engines to show, and the settings that they have taken up: others are tried again."""
    engines: list[EngineApi] = []
    configured: dict[str, Datastore] = {}
    for settings in found.datastores:
        engine, taken, tries = before.get(settings.name), settings, len(failed)
        if settings.name in (*changes.new, *changes.other):
            old = engine or _renamed(app, changes, before, settings)
            engine = await _opened(app, found, settings, old, failed)
            if engine is not None and len(failed) > tries:
                taken = app.configured[engine.settings.name]
        if engine is not None:
            engines.append(engine)
            configured[taken.name] = taken
    return engines, configured


def _renamed(
    app: "DashApp", changes: Changes, before: dict[str, EngineApi], settings: Datastore
) -> EngineApi | None:
    """The engine that owns the cache of a new datastore, and whose own is gone from the file."""
    for name in changes.gone:
        if name in before and app.configured[name].state_dir == settings.state_dir:
            return before[name]
    return None


async def _may_go(app: "DashApp", names: Sequence[str]) -> bool:
    """Ask when one of them is at work: wait for its end, stop it, or leave everything as it is."""
    busy = [name for name in names if is_busy(app, name)]
    if not busy:
        return True
    screen = BusyScreen(", ".join(map(safe, busy)), clock=app.clock)
    answer = await (await ask_user(app, screen))
    if answer is None:
        return False
    if answer == "stop":
        _stop(app, busy)
    app.reloading = f"waiting for {', '.join(busy)}"
    app.tell(f"{app.reloading} …")
    while any(is_busy(app, name) for name in busy):
        await asyncio.sleep(POLL_S)
    return True


def _stop(app: "DashApp", busy: Sequence[str]) -> None:
    """What runs in these datastores; what runs in another one goes on."""
    running = app.look.running
    if running is not None and running.site in busy and not running.auto:
        app.operation.token.cancel()
    for number, site in enumerate(app.look.sites):
        if site.name in busy:
            app.engine_at(number).auto.cancel()


def is_busy(app: "DashApp", name: str) -> bool:
    look = app.look
    if look.running is not None and look.running.site == name:
        return True
    for site in look.sites:
        if site.name == name:
            held = site.snapshot.lock_held_s is not None
            return held or bool(site.snapshot.progress.counts.active)
    return False


async def _opened(
    app: "DashApp",
    found: Configured,
    settings: Datastore,
    old: EngineApi | None,
    failed: list[str],
) -> EngineApi | None:
    """An engine with these settings. One engine owns a cache, so the old one ends first.

    When it cannot be opened the old one comes back; None when there was none.
    """
    if old is None:
        return await _open(app, found, settings, failed)
    before = app.configured[old.settings.name]
    if settings.namespace == before.namespace:  # the user may have gone over to another one
        settings = settings.within(old.settings.namespace)
    await end(app, old)
    for wanted in (settings, old.settings):
        opened = await _open(app, found, wanted, failed)
        if opened is not None:
            return opened
    return old


async def _open(
    app: "DashApp", found: Configured, settings: Datastore, failed: list[str]
) -> EngineApi | None:
    def opened() -> EngineApi:
        engine = found.open_engine(settings)
        app.opened.append(engine)
        engine.start()
        return engine

    try:
        return await app.ask(opened)
    except S3DashError as error:
        failed.append(f"{settings.name} cannot be opened: {error.message}")
        return None
