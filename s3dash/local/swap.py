"""Putting a staged file in the place of one that somebody may be saving at this very moment.

Kept here: I8 to the last microsecond. Both names are exchanged in one step, then what came out is
looked at: only what was expected is given up. Where the kernel cannot exchange, the look comes
before the rename, and a save that falls between the two is replaced.
"""

import os
from collections.abc import Callable
from pathlib import Path

from s3dash.errors import LocalChanged
from s3dash.local import renameat2
from s3dash.local.scan import FileStat

HELD = ".held"
"""Ends the name of a staged file during the exchange. It may be somebody's save by then: after
a crash it is kept, unless it has a second name, in the trash."""

OVERTAKEN = "saved, and saved again during a pull"
CAUGHT = "found after a crash in the middle of a pull"
"""Reasons to be in the trash; nobody has judged these bytes."""

ROUNDS = 8

Exchange = Callable[[Path, Path], bool]
"""As `renameat2.exchange`."""


def replace(
    temp: Path,
    path: Path,
    *,
    expected: FileStat,
    keep: Callable[[Path], object],
    exchange: Exchange = renameat2.exchange,
) -> None:
    """Put `temp` in the place of `path`, whose `expected` file is in the trash already.

    Raises LocalChanged when another file was there: it is there again, the latest save of all.
    `temp` then stays, unless it was saved over; `keep` gets the save that another one overtook.
    """
    if not stat_of(path).same_content(expected):
        raise LocalChanged(f"{path} changed meanwhile")
    mine, held = _inode(temp), temp.with_name(temp.name + HELD)
    temp.rename(held)
    if not _exchanged(held, path, temp, exchange):
        held.replace(path)
    elif FileStat.of(held.lstat()).same_content(expected):
        held.unlink()
    else:
        _give_back(held, path, placed=mine, exchange=exchange)
        if _inode(held) == mine:
            held.rename(temp)
        else:
            keep(held)
        raise LocalChanged(f"{path} was saved meanwhile")


def stat_of(path: Path) -> FileStat:
    """Raises LocalChanged when nothing is there."""
    try:
        return FileStat.of(path.lstat())
    except FileNotFoundError as error:
        raise LocalChanged(f"{path} is gone") from error


def _exchanged(held: Path, path: Path, temp: Path, exchange: Exchange) -> bool:
    """After a failure the staged file has its own name again."""
    try:
        return exchange(held, path)
    except OSError as error:
        held.rename(temp)
        if isinstance(error, FileNotFoundError):
            raise LocalChanged(f"{path} is gone") from error
        raise


def _give_back(held: Path, path: Path, *, placed: int, exchange: Exchange) -> None:
    """Exchange until what comes out is what we put there: then the latest save is in place."""
    for _ in range(ROUNDS):
        latest = _inode(held)
        try:
            exchange(held, path)
        except FileNotFoundError:  # the user removed it: what we hold is kept
            return
        if _inode(held) == placed:
            return
        placed = latest


def _inode(path: Path) -> int:
    return path.lstat().st_ino


def is_unsaved(path: Path) -> bool:
    """True for a file that a crash left in the staging directory and that may be the only one."""
    return path.name.endswith(HELD) and os.lstat(path).st_nlink == 1
