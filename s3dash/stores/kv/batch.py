"""Many changes that are sent together: nothing is before `commit`."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from s3dash.stores.kv.keys import Key

Changes = Mapping[Key, bytes | None]
"""The last word on each key: its new value, or None for a deletion."""


def whole(value: bytes | bytearray | memoryview) -> bytes:
    """The bytes of what holds bytes. Raises TypeError for a text or a number."""
    return value if type(value) is bytes else bytes(memoryview(value))


class Batch:
    """Values and deletions that wait for `commit`; of two for one key the later one counts.

    As a context manager it commits at the end, and forgets everything after an exception. It is
    no transaction: others see the changes come one by one. A commit that failed may be repeated.
    """

    def __init__(
        self, apply: Callable[[Changes], None], check: Callable[[Key, bytes | None], None]
    ) -> None:
        self._apply = apply
        self._check = check
        self._changes: dict[Key, bytes | None] = {}
        self._committed = False

    def put(self, key: str | Key, value: bytes) -> None:
        """Raises ValueError for a key that can have no value, and after a commit."""
        self._add(Key.of(key), whole(value))

    def delete(self, key: str | Key) -> None:
        self._add(Key.of(key), None)

    def commit(self) -> None:
        """Send everything. Raises what the datastore raises: then some of it may be there."""
        self._check_open()
        self._apply(self._changes)
        self._committed = True
        self._changes = {}

    def __len__(self) -> int:
        return len(self._changes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is None and not self._committed:
            self.commit()

    def _add(self, key: Key, value: bytes | None) -> None:
        self._check_open()
        self._check(key, value)
        self._changes[key] = value

    def _check_open(self) -> None:
        if self._committed:
            raise ValueError("this batch was committed")
