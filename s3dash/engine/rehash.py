"""Reading files again whose stat says that they did not change (scenario 22).

Size, mtime, ctime and inode tell of every edit on a good file system. On others an edit can leave
no trace; so each file is read anew now and then, a few at every look.
"""

from collections.abc import Mapping
from heapq import nsmallest

from s3dash.local.scan import FileStat
from s3dash.local.state import BaseRow

FILES = 1000
BYTES = 64 << 20
_DAY_NS = 86_400_000_000_000


def due(
    rows: Mapping[str, BaseRow], files: Mapping[str, FileStat], *, now_ns: int, days: float
) -> list[str]:
    """The paths to read again at this look: those that were read longest ago.

    Only what was read more than `days` ago (0: everything), or in the future of a clock that was
    set back. At most FILES and BYTES of them, but always one: a large file has its turn too.
    """
    if days == 0:
        return [rel for rel in rows if rel in files]
    oldest_ns = now_ns - int(days * _DAY_NS)
    late = (
        (row.verified_ns, rel)
        for rel, row in rows.items()
        if rel in files and not oldest_ns < row.verified_ns <= now_ns + _DAY_NS
    )
    chosen: list[str] = []
    left = BYTES
    for _, rel in nsmallest(FILES, late):
        left -= files[rel].size
        if chosen and left < 0:
            break
        chosen.append(rel)
    return chosen
