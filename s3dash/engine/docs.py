"""The documents of an index: their versions at hand, their bytes in memory or where they are kept.

The bytes of a large index are some hundred megabytes that are looked at once. So they go to the
shelf, and what needs one again takes it from there.
"""

from collections.abc import Callable
from typing import Protocol


class Shelf(Protocol):
    """Where documents are kept from one process to the next: the state file."""

    def doc_etags(self) -> dict[str, str]:
        """key → ETag of what is kept."""
        ...

    def doc(self, key: str, etag: str) -> bytes | None:
        """The bytes of this version; None when they are not kept, or not as they were."""
        ...

    def save_docs(self, docs: dict[str, tuple[str, bytes]]) -> bool:
        """Keep documents: key → (ETag, bytes). False when nothing can be kept here."""
        ...


class Doc:
    """An index object as it was read: its version and its bytes.

    `body` is the bytes, or what gets them again; that may raise what the store and the state raise.
    """

    __slots__ = ("_body", "etag")

    def __init__(self, etag: str, body: bytes | Callable[[], bytes]) -> None:
        self.etag = etag
        self._body = body

    @property
    def at_hand(self) -> bool:
        """Whether the bytes are in memory."""
        return isinstance(self._body, bytes)

    @property
    def body(self) -> bytes:
        return self._body if isinstance(self._body, bytes) else self._body()

    def put_away(self, again: Callable[[], bytes]) -> None:
        """Let go of the bytes; `again` gets them."""
        self._body = again
