"""What stands in an engine's place where a datastore holds no shared cache: nothing to sync."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

from s3dash.core.settings import Datastore
from s3dash.errors import UsageError

if TYPE_CHECKING:  # the screen's first line comes before these are loaded
    from s3dash.core.events import Event
    from s3dash.core.snapshot import HistoryRow, Snapshot
    from s3dash.engine.api import EngineApi, Subscription


def uncached(settings: Datastore) -> "EngineApi":
    """An engine for a datastore of files, keys or blobs: it starts, stops and says what it is.

    Whatever else it is asked raises UsageError.
    """
    return cast("EngineApi", _Uncached(settings))  # the rest of the facade is `__getattr__`


class _Uncached:
    def __init__(self, settings: Datastore) -> None:
        self.settings = settings

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Refusal(self.settings)

    def start(self) -> None:
        """There is nothing to look at."""

    refresh = stop = start

    def history(self) -> "Sequence[HistoryRow]":
        return ()

    def snapshot(self) -> "Snapshot":
        from s3dash.core.snapshot import Snapshot

        given = self.settings
        return Snapshot(
            datastore=given.name,
            namespace=None,
            state="no cache",
            detail=f"holds {given.kind}",
        )

    def subscribe(self, **_: int) -> "Subscription":
        return _Silence()


class _Refusal:
    """A function, or a part with functions, that a datastore without a cache has not."""

    def __init__(self, settings: Datastore) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> "_Refusal":
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> NoReturn:
        given = self._settings
        raise UsageError(
            f"{given.name} holds {given.kind}, and this is for a shared cache",
            hint="view 8, the Explorer, shows it",
        )


class _Silence:
    """A subscription to what never happens."""

    dropped = 0

    def drain(self) -> "list[Event]":
        return []

    def wait(self, _: float) -> bool:
        return False

    def close(self) -> None:
        """Nothing is held."""
