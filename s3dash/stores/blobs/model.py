"""What is told of blobs: those that are there, and what became of those that were put."""

from datetime import datetime
from typing import Literal

import msgspec

Outcome = Literal["created", "there", "refreshed", "healed"]
"""What a put found: nothing; the blob; one that a collection could have taken soon, so that its
time was renewed; other bytes under its name, which were replaced."""

GRACE_S = 24 * 3600.0
"""For so long, in seconds, a blob is kept that no manifest names: it may be about to be named."""


class Blob(msgspec.Struct, frozen=True):
    """A blob as a listing tells it; `size` in bytes, the time is the server's."""

    integrity: str
    key: str
    size: int
    etag: str
    last_modified: datetime | None = None


class Put(msgspec.Struct, frozen=True):
    """A blob that is in the store now; `size` in bytes."""

    integrity: str
    key: str
    size: int
    outcome: Outcome


class Failed(msgspec.Struct, frozen=True):
    """A blob for which something could not be done, and why."""

    integrity: str
    error: str
