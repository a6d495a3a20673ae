"""What the Explorer shows and tells, as values. Names and keys are foreign text as it came."""

from typing import Literal

import msgspec

from s3dash.objectstore.port import ObjectInfo

Shape = Literal["files", "keys", "blobs"]
"""As what a bucket is looked at."""
SHAPES: tuple[Shape, ...] = ("files", "keys", "blobs")

Outcome = Literal["verified", "damaged", "unproved"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a listing. `key` is relative to the store's prefix, a directory's ends with `/`.

    `size` is bytes, -1 for a directory; `modified` an ISO time of the server's, empty when it was
    not told. `kind` says what the key stands for: `file`, `key`, `block`, `blob`, `marker`.
    """

    key: str
    name: str
    kind: str
    size: int = -1
    etag: str = ""
    modified: str = ""

    @property
    def is_dir(self) -> bool:
        return self.kind == "dir"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of holding an object against its digest.

    `by` names where that comes from; `expected` and `actual` are digests as that place writes
    them, empty where they were not told apart. `reason` says why nothing was proved, or what is
    wrong.
    """

    outcome: Outcome
    by: str = ""
    expected: str = ""
    actual: str = ""
    reason: str = ""


class Doomed(msgspec.Struct, frozen=True, kw_only=True):
    """What a deletion would take: objects with their version, their bytes, and whether there are
    `more` than were listed."""

    objects: tuple[ObjectInfo, ...]
    bytes: int
    more: bool = False


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How a deletion ended; `failed` has a sentence for each object that stayed."""

    done: int
    failed: tuple[str, ...] = ()


def local_name(entry: Entry) -> str:
    """What a thing may be called on this machine, unless the user says otherwise."""
    name = entry.key.removesuffix("/").rpartition("/")[2]
    return name if name.isprintable() and name not in ("", ".", "..") else "download"
