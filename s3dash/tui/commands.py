"""What the screen may ask of the application. Widgets see this, never an engine."""

from collections.abc import Collection, Sequence
from typing import Protocol

from s3dash.core.lock import LockInfo
from s3dash.core.plan import Direction
from s3dash.core.report import ConflictInfo
from s3dash.core.settings import Take
from s3dash.tui.cells import Cell
from s3dash.tui.look import Look


class Commands(Protocol):
    """Nothing here blocks: what takes time goes on in the background and tells when it ends."""

    @property
    def look(self) -> Look:
        """All that is known now."""
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

    def operate(self, direction: Direction, selection: Collection[str] = ()) -> None: ...

    def cancel_operation(self) -> None: ...

    def toggle_auto(self) -> None: ...

    def choose_namespace(self) -> None: ...

    def look_again(self) -> None: ...

    def list_locks(self, *, least_age_s: float = 0.0) -> None:
        """List all locks, unless that was done less than `least_age_s` seconds ago."""
        ...

    def release(self, lock: LockInfo) -> None: ...

    def decide(self, conflicts: Sequence[ConflictInfo], take: Take) -> None:
        """Settle these conflicts, after a question."""
        ...

    def use_site(self, name: str) -> None: ...

    def leave(self) -> None: ...
