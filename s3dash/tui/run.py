"""The dashboard as a process: from engines to an exit code, with the edges in between."""

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence

from rich.console import ConsoleDimensions

from s3dash.clock import Clock
from s3dash.core.screen import ScreenSettings
from s3dash.engine.api import EngineApi
from s3dash.tui import interpreter, wishes
from s3dash.tui.app import DashApp
from s3dash.tui.configured import Reload
from s3dash.tui.flows.leave import Detach
from s3dash.tui.process import listening, sealed, stop_all
from s3dash.tui.shelves import Shelves
from s3dash.tui.terminal import is_lost


def run_dashboard(
    engines: Sequence[EngineApi],
    *,
    open_namespace: Callable[[str, str | None], EngineApi] | None = None,
    clock: Clock | None = None,
    no_color: bool | None = None,
    wanted: ScreenSettings | None = None,
    reload: Reload | None = None,
    detach: Detach | None = None,
    shelves: Shelves | None = None,
) -> int:
    """Show the engines, the first of them current; the exit code when the user has quit.

    Starts the engines and stops them, those of other namespaces that it opened by
    `open_namespace(datastore, namespace)` too. `no_color` None asks the environment. `wanted` is
    how the user wants the screen, `reload` reads that and the datastores again.
    `detach` starts a process that carries on with a ticket; None: nothing can be detached here.
    `shelves` are the datastores that the Explorer shows.
    """
    if no_color is None:
        no_color = wishes.is_colorless(os.environ)
    app = DashApp(
        engines,
        open_namespace=open_namespace,
        clock=clock,
        no_color=no_color,
        wanted=wanted,
        reload=reload,
        detach=detach,
        plain=wishes.is_plain(os.environ),
        shelves=shelves,
    )
    interpreter.share()
    # Rich takes a terminal that calls itself dumb for 80 by 25, and then the screen would be laid
    # out for that and for its true size in turns, without end.
    app.console.size = ConsoleDimensions(*shutil.get_terminal_size())
    try:
        return asyncio.run(live(app))
    finally:
        stop_all(app.opened)


async def live(app: DashApp) -> int:
    """The exit code of an application, once it has ended in whatever way."""
    loop = asyncio.get_running_loop()

    def fell(error: BaseException) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(app.fell, error)

    with listening(app.interrupted), sealed(fell):
        try:
            await app.run_async(mouse=app.wanted.mouse)
        except OSError:  # the last words found no terminal
            if not is_lost():
                raise
    return app.return_code or 0
