"""Showing what differs between two versions of a path. Writes nothing, waits for nothing."""

from typing import TYPE_CHECKING

from s3dash.tui.screens.diff import DiffScreen, Pair
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def show(app: "DashApp", path: str, pair: Pair) -> None:
    contents = app.engine.contents
    screen = DiffScreen(
        path,
        pair,
        look=lambda: app.look,
        ask=app.ask,
        read=lambda side, token: contents.read(path, side, cancel=token),
    )
    await (await ask_user(app, screen))
