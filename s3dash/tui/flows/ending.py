"""Ending an engine while the screen goes on without it."""

from typing import TYPE_CHECKING

from s3dash.engine.api import EngineApi

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def end(app: "DashApp", engine: EngineApi) -> None:
    """Stop it, and let go of it: what it knows of a large cache takes much room."""
    await app.ask(engine.stop)
    if engine in app.opened:
        app.opened.remove(engine)
