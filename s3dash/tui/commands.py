"""What the screen may ask of the application. Widgets see this, never an engine."""

from collections.abc import Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from s3dash.core.cancel import CancelToken
from s3dash.core.plan import Direction
from s3dash.tui.cells import Cell
from s3dash.tui.exploring import Exploring
from s3dash.tui.look import Look

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

Flow = Callable[["DashApp"], Coroutine[Any, Any, None]]
"""What a command does: asks the user, asks engines, tells how it ended. See `flows/`."""
Work = Callable[["DashApp", CancelToken], Coroutine[Any, Any, None]]
"""The running part of a push, pull, sync or decision; stopped by its token."""


class Commands(Protocol):
    """Nothing here blocks: what takes time goes on in the background and tells when it ends."""

    @property
    def look(self) -> Look:
        """All that is known now."""
        ...

    @property
    def exploring(self) -> Exploring:
        """Where the Explorer stands; its view reads it, its flows change it."""
        ...

    @property
    def last_event(self) -> Cell:
        """The last thing that happened, as one line."""
        ...

    def tell(self, text: str, *, level: str = "info") -> None:
        """Show a line as the last event. The text may be foreign."""
        ...

    def why_not(self, name: str) -> str:
        """Why the command of this name cannot be given now; empty when it can."""
        ...

    def begin(self, name: str, flow: Flow, *, group: str = "flow") -> None:
        """Start a flow, unless the command of this name cannot be given: then tell the reason."""
        ...

    def operate(self, direction: Direction, selection: Collection[str] = ()) -> None: ...

    def cancel_operation(self) -> None: ...

    def look_again(self) -> None: ...

    def list_locks(self, *, least_age_s: float = 0.0) -> None:
        """List all locks, unless that was done less than `least_age_s` seconds ago."""
        ...

    def use_site(self, name: str) -> None: ...

    def leave(self) -> None: ...
