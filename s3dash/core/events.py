"""Discrete facts that the engine announces. Byte progress is never one: see `progress`."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened. `at` is an ISO time, UTC; `datastore` its configured name."""

    at: str
    datastore: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DirtyChanged(Event):
    """The set of dirty paths is not what it was."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteChanged(Event):
    """The index in the bucket moved."""

    commit_seq: int | None
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocksChanged(Event):
    """A lock appeared, went, or changed hands."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(Event):
    """What the engine is doing: idle, scanning, pulling, pushing, waiting for the lock, …"""

    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferChanged(Event):
    """A transfer was queued, started, finished, failed or was cancelled."""

    transfer_id: int
    path: str
    state: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Event):
    """A line of the log: an operation's end, a warning, a failure, with its reason."""

    level: Level
    operation: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Event):
    """A push, pull or sync came to an end. `counts` are those of its result that are not 0, by
    their names there; `error` is the class of what it failed with, empty when it went through."""

    operation: str
    seconds: float
    requests: int
    counts: dict[str, int]
    commit_seq: int | None = None
    error: str = ""
    text: str = ""
