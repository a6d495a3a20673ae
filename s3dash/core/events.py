"""Discrete facts that the engine announces. Byte progress is never one: see `progress`."""

from typing import Literal

import msgspec

Level = Literal["info", "warning", "error"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened. `at` is an ISO time, UTC; `datastore` its configured name."""

    at: str
    datastore: str


class DirtyChanged(Event, frozen=True, kw_only=True):
    """The set of dirty paths is not what it was."""

    count: int


class RemoteChanged(Event, frozen=True, kw_only=True):
    """The index in the bucket moved."""

    commit_seq: int | None
    behind: int


class LocksChanged(Event, frozen=True, kw_only=True):
    """A lock appeared, went, or changed hands."""

    count: int


class StateChanged(Event, frozen=True, kw_only=True):
    """What the engine is doing: idle, scanning, pulling, pushing, waiting for the lock, …"""

    state: str
    detail: str = ""


class TransferChanged(Event, frozen=True, kw_only=True):
    """A transfer was queued, started, finished, failed or was cancelled."""

    transfer_id: int
    path: str
    state: str
    error: str = ""


class Noted(Event, frozen=True, kw_only=True):
    """A line of the log: an operation's end, a warning, a failure, with its reason."""

    level: Level
    operation: str
    text: str


class Ended(Event, frozen=True, kw_only=True):
    """A push, pull or sync came to an end. `counts` are those of its result that are not 0, by
    their names there; `error` is the class of what it failed with, empty when it went through."""

    operation: str
    seconds: float
    requests: int
    counts: dict[str, int]
    commit_seq: int | None = None
    error: str = ""
    text: str = ""
