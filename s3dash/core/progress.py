"""Values of a running transfer and the snapshot that readers poll."""

from dataclasses import dataclass, field
from typing import Literal

TransferState = Literal["queued", "active", "paused", "failed", "done", "cancelled"]
TransferDirection = Literal["up", "down"]


@dataclass(slots=True)
class Transfer:
    """One file on its way. Written by one worker thread, read by anybody.

    `started` and `ended` are monotonic seconds, 0.0 when not yet. `done` are bytes.
    """

    id: int
    direction: TransferDirection
    path: str
    size: int
    done: int = 0
    state: TransferState = "queued"
    attempt: int = 1
    started: float = 0.0
    ended: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """Bytes per second, averaged over the last seconds."""

    up: float = 0.0
    down: float = 0.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Transfers by state, and their bytes."""

    queued: int = 0
    active: int = 0
    failed: int = 0
    done: int = 0
    cancelled: int = 0
    bytes_total: int = 0
    bytes_done: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """What moves right now. `transfers` is a copy of the list; its rows stay live."""

    transfers: list[Transfer] = field(default_factory=list)
    counts: Counts = Counts()
    rate: Rate = Rate()
    bytes_up: int = 0
    bytes_down: int = 0
    requests: int = 0
