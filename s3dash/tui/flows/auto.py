"""Turning automatic syncing on and off, and stopping a sync of its own."""

from typing import TYPE_CHECKING

from s3dash.tui.views.overview import rhythm

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def toggle(app: "DashApp") -> None:
    engine, auto = app.engine, app.look.snapshot.auto
    enabled = not auto.enabled
    await app.ask(lambda: engine.set_auto(enabled))
    app.tell(f"auto-sync on: {rhythm(auto)}; {LIMIT}" if enabled else "auto-sync off")
    app.poll()


LIMIT = "never deletions that no plan showed"


def cancel(app: "DashApp") -> None:
    """Stop the auto-sync that runs, that of the current datastore first."""
    running = app.look.running
    if running is not None and running.auto:
        names = [site.name for site in app.look.sites]
        app.engine_at(names.index(running.site)).auto.cancel()
