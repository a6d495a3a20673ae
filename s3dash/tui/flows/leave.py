"""Quitting: at once when nothing runs, else as the user says."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from s3dash.tui.screens.leave import LeaveScreen
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

STOP_S = 0.7


async def leave(app: "DashApp") -> None:
    what = busy_with(app)
    if not what:
        app.exit()
        return
    screen = LeaveScreen(what, clock=app.clock)
    answer = await (await ask_user(app, screen))
    if answer == "wait":
        app.leave_when_done()
    elif answer == "stop":
        await stop(app)


async def stop(app: "DashApp") -> None:
    """Cancel what runs and go; the engine's own `stop` sees to what needs longer."""
    app.cancel_operation()
    if app.look.running is not None:
        with suppress(TimeoutError):  # too slow: the engine's own stop waits for the rest
            async with asyncio.timeout(STOP_S):
                await app.operation.idle.wait()
    app.exit()


def busy_with(app: "DashApp") -> str:
    """What would be interrupted, in any of the datastores; empty when nothing is."""
    running = app.look.running
    if running is not None:
        return f"A {running.direction} of {running.site} is running."
    for site in app.look.sites:
        if site.snapshot.lock_held_s is not None:
            return f"{site.name} holds the lock: {site.snapshot.state}."
        if site.snapshot.progress.counts.active:
            return f"{site.name} is {site.snapshot.state}."
    return ""
