"""The three versions of a path as bytes, and who wrote them: what a diff is made of. Pure."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Side = Literal["base", "local", "remote"]
"""What both sides last had, what this host has, what the bucket has."""

MAX_BYTES = 4 << 20
"""Larger versions are not read to be looked at."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a path. `size` is bytes, `time` the ISO time when its file was written.

    `body` None: there are no bytes to show, and `why` says why; with `absent` because the side
    has no such file. `sha256` is then what it is known to be, or empty.
    """

    side: Side
    body: bytes | None = None
    size: int = 0
    sha256: str = ""
    time: str = ""
    why: str = ""
    absent: bool = False


class Writer(msgspec.Struct, frozen=True):
    """Who committed a version, and when (ISO), by the record of that commit."""

    name: str
    at: str


class Writers(msgspec.Struct, frozen=True, kw_only=True):
    """`here` is this host as others see it; `remote` maps paths to writers, as far as known."""

    here: str = ""
    remote: Mapping[str, Writer] = msgspec.field(default_factory=dict)
