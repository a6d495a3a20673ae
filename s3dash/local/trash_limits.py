"""What may leave the trash unasked, and when.

The limits are an age and a size; the oldest goes first, until neither is exceeded. A file goes
only when its bytes are still those that its record tells (a program may have written on through
an open handle), and one of these holds:

- Its reason is one of `trash.SETTLED`: it was the version that both sides had, and somebody
  went on from it, by an edit or a deletion in the bucket.
  (A plain client may have replaced it without having seen it. The age is the time to notice.)
- The file that stands in its place now has the same bytes, which was read to be sure. An index
  entry is no such proof: a plain client can replace the object behind it.

All else stays, whatever the limits say: either side of a conflict that lost, a version that no
index named, a file whose record was lost. Only the user drops those, by `s3dash trash drop`.

Age is told by this machine's clock, like all times of the trash.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from s3dash.local.scan import hash_file
from s3dash.local.trash import STAMP, Trash, Trashed


class Limits(msgspec.Struct, frozen=True):
    """0 is no limit."""

    age_days: float
    size: int


class Enforced(msgspec.Struct):
    """What went, and what did not although it is too old or too much (files, bytes)."""

    dropped: int = 0
    freed: int = 0
    kept: int = 0
    kept_bytes: int = 0


def enforce(
    trash: Trash, limits: Limits, *, now: datetime, is_in_place: Callable[[Trashed], bool]
) -> Enforced:
    """Bring the trash within its limits as far as that destroys nothing.

    `is_in_place` tells whether the bytes are also those of the file at their old path.
    Raises LocalError when the disk refuses.
    """
    trash.sweep()
    sizes, done = trash.sizes(), Enforced()
    left, before = sum(sizes.values()), _limit_id(limits, now)
    for id, size in sizes.items():
        if not (id < before or 0 < limits.size < left):
            break
        if may_go(trash, trash.record(id), is_in_place):
            trash.drop(id)
            done.dropped, done.freed = done.dropped + 1, done.freed + size
            left -= size
        else:
            done.kept, done.kept_bytes = done.kept + 1, done.kept_bytes + size
    return done


def may_go(trash: Trash, item: Trashed | None, is_in_place: Callable[[Trashed], bool]) -> bool:
    """The rule for one file; see above."""
    if item is None or not (item.settled or is_in_place(item)):
        return False
    return hash_file(trash.path(item.id))[0] == item.sha256


def _limit_id(limits: Limits, now: datetime) -> str:
    """Ids below are too old."""
    if not limits.age_days:
        return ""
    return f"{now - timedelta(days=limits.age_days):{STAMP}}"
