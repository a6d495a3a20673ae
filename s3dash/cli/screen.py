"""From engines to the screen: the one place where the command line meets Textual."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s3dash.core.settings import Datastore
    from s3dash.engine.api import EngineApi

OpenEngine = Callable[["Datastore"], "EngineApi"]


def show(
    engines: "Sequence[EngineApi]",
    *,
    open_engine: OpenEngine,
    no_color: bool,
    run_dashboard: Callable[..., int] | None = None,
) -> int:
    """Run the dashboard on these engines, the first one current; it starts and stops them.

    `open_engine` makes another engine when the user goes over to another namespace.
    """
    run = run_dashboard or _screen()
    known = {engine.settings.name: engine.settings for engine in engines}

    def open_namespace(datastore: str, namespace: str | None) -> "EngineApi":
        return open_engine(replace(known[datastore], namespace=namespace))

    return run(engines, open_namespace=open_namespace, no_color=no_color or None)


def _screen() -> Callable[..., int]:
    from s3dash.tui.app import run_dashboard

    return run_dashboard
