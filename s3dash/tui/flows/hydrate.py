"""Hydrate: choose a path, see the plan, let it run."""

from typing import TYPE_CHECKING

from s3dash.core.hydration import Below
from s3dash.errors import S3DashError
from s3dash.tui.flows import operate
from s3dash.tui.screens.hydrate import SHOWN, HydrateScreen
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def choose(app: "DashApp") -> None:
    """Ask for a path below which content was left out, then plan and run just that."""
    engine, site = app.engine, app.look.site

    async def look_up(typed: str) -> Below:
        try:
            return await app.ask(lambda: engine.hydration.below(typed, most=SHOWN))
        except S3DashError as error:
            app.tell(f"hydrate: {error.message}", level="error")
            return Below()

    path = await (await ask_user(app, HydrateScreen(site.name, look_up)))
    if path is None:
        return
    if app.engine is not engine:
        app.tell(f"{site.name} was opened anew meanwhile; nothing was done", level="warning")
        return
    await operate.planned(app, "pull", (path,) if path else (), hydration="only")
