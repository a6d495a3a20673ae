"""Calling the user back from somewhere else."""

from typing import TYPE_CHECKING

from s3dash.tui.sequences import notice

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def send(app: "DashApp", text: str) -> None:
    """A notice of the desktop where the terminal can show one, and a bell."""
    app.outside.emit(app, notice("s3dash", text, app.outside.environ))
