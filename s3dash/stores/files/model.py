"""What a file system in a bucket tells."""

from datetime import datetime
from typing import Literal

import msgspec

from s3dash.objectstore.port import ObjectInfo

FileKind = Literal["file", "directory"]


class FileInfo(msgspec.Struct, frozen=True):
    """A file or a directory, as `info`, `ls` and `tree` tell it.

    `path` begins at the root of the store, without slashes at its ends. `size` is bytes, 0 of a
    directory; `mtime` the server's clock in whole seconds, None of a directory, as `etag` is empty.
    """

    path: str
    kind: FileKind
    size: int = 0
    mtime: datetime | None = None
    etag: str = ""

    @property
    def is_dir(self) -> bool:
        return self.kind == "directory"

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @classmethod
    def of(cls, found: ObjectInfo) -> "FileInfo":
        moment = found.last_modified
        mtime = moment.replace(microsecond=0) if moment is not None else None
        return cls(found.key, "file", found.size, mtime, found.etag)


class Caps(msgspec.Struct, frozen=True):
    """What an endpoint does by itself, without a whole copy being made and sent.

    `random_read`: any range of a file; `random_write`, `append`, `truncate`: a part of a file is
    changed in place; `atomic_rename`: nobody sees half of a rename; `directories`: empty ones can
    be; `mtime`: files tell when they were written; `case_sensitive`: `A` and `a` are two names.
    """

    random_read: bool = True
    random_write: bool = False
    append: bool = False
    truncate: bool = False
    atomic_rename: bool = False
    directories: bool = True
    mtime: bool = True
    case_sensitive: bool = True


class Tried(msgspec.Struct, frozen=True):
    """One flag of `Caps` as it was tried: whether the endpoint does it, and what was seen."""

    name: str
    native: bool
    seen: str


class Move(msgspec.Struct, frozen=True):
    """A directory's rename that is under way: from `source` to `target`, below the store's root.

    `place` says which endpoint, bucket and prefix that is.
    """

    id: str
    place: str
    source: str
    target: str


class Moved(msgspec.Struct, frozen=True):
    """A finished rename: how many objects went, and the bytes of them."""

    files: int
    size: int
