"""From engines to the screen: the one place where the command line meets Textual."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from s3dash.cli.options import Options
from s3dash.tui.first_frame import painted

if TYPE_CHECKING:
    from pathlib import Path

    from s3dash.core.screen import ScreenSettings
    from s3dash.core.settings import Datastore
    from s3dash.engine.api import EngineApi
    from s3dash.tui.configured import Configured, Reload
    from s3dash.tui.shelves import Shelves

Detach = Callable[["Datastore", "Path"], str]
OpenEngine = Callable[["Datastore"], "EngineApi"]


def show(
    engines: "Sequence[EngineApi]",
    *,
    open_engine: OpenEngine,
    no_color: bool,
    wanted: "ScreenSettings | None" = None,
    reload: "Reload | None" = None,
    detach: "Detach | None" = None,
    shelves: "Shelves | None" = None,
    run_dashboard: Callable[..., int] | None = None,
) -> int:
    """Run the dashboard on these engines, the first one current; it starts and stops them.

    `open_engine` makes another engine when the user goes over to another namespace, `detach`
    starts a process that carries on with a ticket when the user quits. `wanted` is how the user
    wants the screen; `reload` reads that, and the datastores, again. `shelves` are the datastores
    that can be explored.
    """
    first = engines[0].settings
    with painted(first.name, first.namespace):
        run = run_dashboard or _screen()
    known = {engine.settings.name: engine.settings for engine in engines}

    opening = open_engine

    def open_namespace(datastore: str, namespace: str | None) -> "EngineApi":
        return opening(known[datastore].within(namespace))

    def again(read: "Reload") -> "Configured":
        nonlocal opening
        found = read()
        known.update((settings.name, settings) for settings in found.datastores)
        opening = found.open_engine
        return found

    return run(
        engines,
        open_namespace=open_namespace,
        no_color=no_color or None,
        wanted=wanted,
        reload=None if reload is None else partial(again, reload),
        detach=detach,
        shelves=shelves,
    )


def wished(screen: "ScreenSettings", options: Options) -> "ScreenSettings":
    """What the file wishes, and over it what the command line does."""
    return replace(
        screen,
        accessible=screen.accessible or options.accessible,
        mouse=screen.mouse and not options.no_mouse,
        no_color=screen.no_color or options.no_color,
    )


def _screen() -> Callable[..., int]:
    from s3dash.tui.run import run_dashboard

    return run_dashboard
