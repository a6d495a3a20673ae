"""From engines to the screen and back: the one place where the command line meets Textual."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from s3dash.clock import SystemClock

if TYPE_CHECKING:
    from s3dash.core.settings import Datastore
    from s3dash.engine.api import EngineApi

OpenEngine = Callable[["Datastore"], "EngineApi"]


def show(engines: "Sequence[EngineApi]", *, open_engine: OpenEngine, no_color: bool) -> int:
    """Run the dashboard on these engines, the first one current; all are stopped at the end.

    `open_engine` makes another engine when the user switches the namespace.
    """
    from s3dash.tui.app import run_dashboard

    opened = list(engines)
    known = {engine.settings.name: engine.settings for engine in engines}

    def open_namespace(datastore: str, namespace: str | None) -> "EngineApi":
        engine = open_engine(replace(known[datastore], namespace=namespace))
        opened.append(engine)
        return engine

    try:
        return run_dashboard(
            engines, open_namespace=open_namespace, clock=SystemClock(), no_color=no_color
        )
    finally:
        for engine in opened:
            engine.stop()
