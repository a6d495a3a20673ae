"""Values of a running transfer and the snapshot that readers poll."""

from typing import Literal

import msgspec

TransferState = Literal["queued", "active", "paused", "failed", "done", "cancelled"]
TransferDirection = Literal["up", "down"]
Wish = Literal["", "pause", "cancel"]


class Transfer(msgspec.Struct):
    """One file on its way. Written by one worker thread, read by anybody.

    `started`, `ended` and `retry_at` are monotonic seconds, 0.0 when not yet or not at all: until
    `retry_at` it waits, as `waits_for` says («503 SlowDown ×3»). `done` are bytes, `rate` bytes
    per second over the last seconds. `part_size` is 0 for what goes in one request. `wish` is
    what the user asked of it while it ran, and has not come about yet. Among those that wait a
    higher `priority` goes first.
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
    priority: int = 0
    wish: Wish = ""
    rate: float = 0.0
    part_size: int = 0
    retry_at: float = 0.0
    waits_for: str = ""

    @property
    def parts(self) -> int:
        """How many parts it goes in; 0: in one request."""
        return -(-self.size // self.part_size) if self.part_size else 0

    @property
    def part(self) -> int:
        """The part that is being sent, from 1."""
        return min(self.parts, self.done // self.part_size + 1) if self.part_size else 0


class Rate(msgspec.Struct, frozen=True):
    """Bytes per second, averaged over the last seconds."""

    up: float = 0.0
    down: float = 0.0


class Counts(msgspec.Struct, frozen=True):
    """Transfers by state, and their bytes; what is paused is not queued."""

    queued: int = 0
    active: int = 0
    paused: int = 0
    failed: int = 0
    done: int = 0
    cancelled: int = 0
    bytes_total: int = 0
    bytes_done: int = 0

    @property
    def unfinished(self) -> int:
        return self.queued + self.active + self.paused


class Limits(msgspec.Struct, frozen=True):
    """How many transfers run side by side in each direction, and bytes per second over all of
    them together, 0 for no limit. `changes` counts what was changed by hand, here or in rows."""

    up: int = 0
    down: int = 0
    bandwidth: int = 0
    changes: int = 0


UNLIMITED = Limits()


class Progress(msgspec.Struct, frozen=True):
    """What moves right now. `transfers` is a copy of the list; its rows stay live."""

    transfers: list[Transfer] = msgspec.field(default_factory=list)
    counts: Counts = Counts()
    rate: Rate = Rate()
    bytes_up: int = 0
    bytes_down: int = 0
    requests: int = 0
    limits: Limits = UNLIMITED
