"""Turning automatic syncing on and off."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def toggle(app: "DashApp") -> None:
    engine, auto = app.engine, app.look.snapshot.auto
    enabled = not auto.enabled
    await app.ask(lambda: engine.set_auto(enabled))
    interval = auto.interval_s or engine.settings.poll_interval_s
    how = f"on: every {interval:.0f} s, never deletions that no plan showed" if enabled else "off"
    app.tell(f"auto-sync {how}")
    app.poll()
