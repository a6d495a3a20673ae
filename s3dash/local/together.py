"""Many small writes at the same time, made durable with one wait for the disk."""

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class _Ticket(msgspec.Struct, Generic[T]):
    rows: list[T]
    done: bool = False
    error: BaseException | None = None


class Together(Generic[T]):
    """Whoever comes while a write is under way waits, and the first of them writes for all.

    `write` gets rows in the order in which they came; what it raises, each of them raises.
    """

    def __init__(self, write: Callable[[list[T]], None]) -> None:
        self._write = write
        self._turn = threading.Lock()
        self._queue = threading.Lock()
        self._waiting: list[_Ticket[T]] = []

    @property
    def waiting(self) -> int:
        """How many are in the queue; who is writing is not."""
        return len(self._waiting)

    def add(self, rows: Iterable[T]) -> None:
        """Returns when the rows are written."""
        ticket = _Ticket(list(rows))
        with self._queue:
            self._waiting.append(ticket)
        with self._turn:
            if not ticket.done:
                self._write_waiting()
        if ticket.error is not None:
            raise ticket.error

    def _write_waiting(self) -> None:
        with self._queue:
            batch, self._waiting = self._waiting, []
        error: BaseException | None = None
        try:
            self._write([row for ticket in batch for row in ticket.rows])
        except BaseException as problem:  # noqa: BLE001 - told to every one of them
            error = problem
        for ticket in batch:
            ticket.error, ticket.done = error, True
