"""What a service counts over its life. Written by its threads, read by whoever asks."""

import threading
from collections import Counter

from s3dash.core.events import Ended

EXPECTED = frozenset({"Cancelled", "LockHeld"})
"""An end of this kind is no error: somebody stopped it, or somebody else is at work."""


class Tally:
    """Each method gives or takes a whole picture at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._syncs: Counter[tuple[str, ...]] = Counter()
        self._files: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._hooks: Counter[tuple[str, ...]] = Counter()

    def ended(self, event: Ended) -> None:
        with self._lock:
            self._syncs[event.operation, outcome(event)] += 1
            self._files.update(event.counts)
            if event.error and event.error not in EXPECTED:
                self._errors[event.error] += 1

    def failed(self, kind: str) -> None:
        """Something failed outside an operation: a look at the bucket."""
        with self._lock:
            self._errors[kind] += 1

    def hooked(self, occasion: str, result: str) -> None:
        with self._lock:
            self._hooks[occasion, result] += 1

    @property
    def syncs(self) -> dict[tuple[str, ...], int]:
        """By operation and outcome."""
        with self._lock:
            return dict(self._syncs)

    @property
    def files(self) -> dict[str, int]:
        """By what was done with them: `pushed`, `deleted_remote`, `failed` and so on."""
        with self._lock:
            return dict(self._files)

    @property
    def errors(self) -> dict[str, int]:
        """By class."""
        with self._lock:
            return dict(self._errors)

    @property
    def hooks(self) -> dict[tuple[str, ...], int]:
        """By occasion and result: `ok`, `failed`, `timeout`, `dropped`."""
        with self._lock:
            return dict(self._hooks)


def outcome(event: Ended) -> str:
    """`ok`, `partly`, `waiting` (for a lock), `cancelled` or `failed`."""
    if event.error in EXPECTED:
        return "waiting" if event.error == "LockHeld" else "cancelled"
    if event.error:
        return "failed"
    return "partly" if event.counts.get("failed") else "ok"
