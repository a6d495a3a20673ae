"""What a configuration says, as far as a running screen can take it up."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from s3dash.core.screen import ScreenSettings
from s3dash.core.settings import Datastore
from s3dash.engine.api import EngineApi
from s3dash.tui.shelves import Shelves


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the file. `datastores` are those whose engines the screen shows, in its order,
    `shelves` those that its Explorer does.

    `source` is the file as messages name it, `path` where it is when it is one of ours, which we
    may write; `open_engine` makes an engine that is not started,
    with the credentials of this look.
    """

    source: str
    datastores: Sequence[Datastore]
    open_engine: Callable[[Datastore], EngineApi]
    screen: ScreenSettings = msgspec.field(default_factory=ScreenSettings)
    path: Path | None = None
    shelves: Shelves = Shelves()


Reload = Callable[[], Configured]
"""Read the file again. Raises ConfigError with everything that is wrong, and ConfigError alone."""
