"""Quitting: at once when nothing runs, else as the user says."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from s3dash.core.settings import Datastore
from s3dash.errors import S3DashError
from s3dash.tui.screens.leave import LeaveScreen
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

STOP_S = 0.7
TURN_S = 0.02

Detach = Callable[[Datastore, Path], str]
"""Start a process of its own that carries on with a ticket as soon as the cache is free.

Says how to find it. Raises S3DashError when it cannot be started.
"""


async def leave(app: "DashApp") -> None:
    what = busy_with(app)
    if not what:
        app.exit()
        return
    app.operation.leaving = False
    screen = LeaveScreen(what, stays=why_not_detach(app), clock=app.clock)
    answer = await (await ask_user(app, screen))
    if answer == "wait":
        app.tell("quits when this is done")
        app.operation.leaving = True
        if_done(app)
    elif answer == "stop":
        await stop(app)
    elif answer == "detach":
        await detach(app)


def if_done(app: "DashApp") -> None:
    """Quit when the user waits for that, and nothing runs any more."""
    if app.operation.leaving and not busy_with(app):
        app.exit()


async def stop(app: "DashApp", *, message: str | None = None) -> None:
    """Cancel what runs and go; the engine's own `stop` sees to what needs longer."""
    if app.exploring.job is not None:
        app.exploring.job.cancel.cancel()
        await _until_idle(app)
    app.cancel_operation()
    if app.operation.running is not None:
        with suppress(TimeoutError):  # too slow: the engine's own stop waits for the rest
            async with asyncio.timeout(STOP_S):
                await app.operation.idle.wait()
    app.exit(message=Text(message) if message else None)


async def _until_idle(app: "DashApp") -> None:
    """Let the Explorer abort what it had begun, unless that takes too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_S):
            while app.exploring.job is not None:
                await asyncio.sleep(TURN_S)


def why_not_detach(app: "DashApp") -> str:
    """Why what runs cannot go on without the screen; empty when it can."""
    if app.operation.plan is None:
        return "only a push, pull or sync whose plan you saw can go on by itself"
    return "" if app.detach is not None else "this one ends with its screen"


async def detach(app: "DashApp") -> None:
    """Hand the plan that the user confirmed to a process of its own, then stop and go.

    That process waits until this one has let go of the cache.
    """
    operation, start = app.operation, app.detach
    plan, running = operation.plan, operation.running
    if plan is None or running is None or start is None:
        app.tell("that has ended meanwhile")
        return
    engine = app.engine_at([site.name for site in app.look.sites].index(running.site))
    try:
        ticket = await app.ask(lambda: engine.handover.write(plan))
        told = await app.ask(lambda: start(engine.settings, ticket))
    except S3DashError as error:
        app.tell(f"not detached: {error.message}", level="error")
    else:
        await stop(app, message=f"s3dash: the {running.direction} goes on {told}")


def busy_with(app: "DashApp") -> str:
    """What would be interrupted, in any of the datastores; empty when nothing is.

    What another process does by itself, to which we are attached, goes on without us.
    """
    if app.exploring.job is not None:
        return f"The Explorer is {app.exploring.job.what}."
    running = app.look.running
    ours = [site for site in app.look.sites if not site.snapshot.attached]
    if running is not None and (not running.auto or running.site in {s.name for s in ours}):
        return f"{running.name.capitalize()} of {running.site} is running."
    for site in ours:
        if site.snapshot.lock_held_s is not None:
            return f"{site.name} holds the lock: {site.snapshot.state}."
        if site.snapshot.progress.counts.active:
            return f"{site.name} is {site.snapshot.state}."
    return ""
