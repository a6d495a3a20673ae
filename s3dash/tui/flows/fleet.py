"""Who else is here: looking, and looking again."""

from functools import partial
from typing import TYPE_CHECKING

from s3dash.engine.api import EngineApi
from s3dash.errors import S3DashError
from s3dash.tui.screens.fleet import FleetScreen
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def show(app: "DashApp") -> None:
    engine, site = app.engine, app.look.site
    screen = FleetScreen(site.name, look=lambda: app.look, again=lambda: _look(app, engine, screen))
    answered = await ask_user(app, screen)
    await _look(app, engine, screen)
    await answered


async def _look(app: "DashApp", engine: EngineApi, screen: FleetScreen) -> None:
    try:
        screen.ready(await app.ask(partial(engine.fleet.look)))
    except S3DashError as error:
        screen.failed(error)
