"""Stopping an operation from another thread."""

import threading

from s3dash.errors import Cancelled


class CancelToken:
    """Set once, seen by everybody who works for the operation.

    `event` is what an interruptible wait waits for.
    """

    def __init__(self) -> None:
        self.event = threading.Event()

    def cancel(self) -> None:
        self.event.set()

    @property
    def cancelled(self) -> bool:
        return self.event.is_set()

    def check(self) -> None:
        """Raises Cancelled once `cancel` was called."""
        if self.event.is_set():
            raise Cancelled("cancelled")
