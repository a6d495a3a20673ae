"""Rows of what several commands list: changes, conflicts, blocked paths, locks, plans."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from s3dash.cli.output import Cell, Look, Output, Row
from s3dash.core.text import duration, size

if TYPE_CHECKING:
    from s3dash.core.lock import LockInfo
    from s3dash.core.report import Blocked, ConflictInfo, Failed, PathChange, PlanRow, Version

SHOWN = 20
"""Rows of a list inside a longer text; a list of its own is shown whole."""

_CHANGES: dict[str, Look] = {"added": "add", "modified": "change", "deleted": "remove"}
_ACTIONS: dict[str, tuple[str, Look]] = {
    "upload": ("upload", "change"),
    "download": ("download", "change"),
    "delete-remote": ("delete in the bucket", "remove"),
    "delete-local": ("delete here", "remove"),
    "restore-entry": ("put back into the index", "add"),
    "keep-both": ("keep both", "clash"),
    "conflict": ("leave for you", "clash"),
}


def some(out: Output, rows: Sequence[Row], *, more: str) -> None:
    """The first rows, and how many more there are and what shows them."""
    out.table(rows[:SHOWN])
    if len(rows) > SHOWN:
        out.line(Cell(f"  … and {len(rows) - SHOWN:,} more: {more}", "dim"))


def tell_unknown(out: Output, names: Sequence[str]) -> None:
    """What was asked for and names nothing, a line each."""
    for name in names:
        out.line(Cell(f"{name}: there is nothing of that name, here or in the bucket", "warn"))


def change_cell(change: str) -> Cell:
    """The kind of a change, in its colour."""
    return Cell(change, _CHANGES.get(change, "plain"))


def size_cell(count: int) -> Cell:
    return Cell(size(count), "dim", right=True)


def change_rows(changes: "Iterable[PathChange]") -> list[Row]:
    return [[change_cell(c.change), size_cell(c.size), c.path] for c in changes]


def conflict_rows(conflicts: "Iterable[ConflictInfo]") -> list[Row]:
    here, there = Cell("here", "clash"), Cell("bucket", "clash")
    return [[here, *_version(c.local), there, *_version(c.remote), c.path] for c in conflicts]


def _version(version: "Version | None") -> list[Cell]:
    if version is None:
        return [Cell("deleted", right=True), Cell("")]
    return [size_cell(version.size), Cell((version.sha256 or "")[:8], "dim")]


def blocked_rows(blocked: "Iterable[Blocked]") -> list[Row]:
    return [[b.path, Cell(b.reason, "warn")] for b in blocked]


def failed_rows(failed: "Iterable[Failed]") -> list[Row]:
    return [[f.path, Cell(f.error, "bad")] for f in failed]


def plan_rows(plan: "Iterable[PlanRow]") -> list[Row]:
    """What would move; what both sides agree on already is no row."""
    rows: list[Row] = []
    for row in plan:
        if row.action in ("adopt", "forget"):
            continue
        word, look = _ACTIONS.get(row.action, (row.action, "plain"))
        rows.append([Cell(word, look), size_cell(row.size), row.path, Cell(row.reason, "dim")])
    return rows


def lock_rows(locks: "Iterable[LockInfo]") -> list[Row]:
    """State, holder and age; what it protects comes last, because that can be long."""
    return [
        [lock_state(lock), lock_holder(lock), Cell(lock_age(lock), "dim"), lock_place(lock)]
        for lock in locks
    ]


def lock_state(lock: "LockInfo") -> Cell:
    return Cell("STALE", "bad") if lock.stale else Cell("LIVE", "good")


def lock_place(lock: "LockInfo") -> str:
    """What a lock protects, in words."""
    if lock.scope == "global":
        return "the whole datastore"
    if lock.scope == "namespace":
        return f"namespace {lock.namespace}"
    where = f"{lock.namespace}: " if lock.namespace else ""
    return f"model {where}{lock.model}"


def lock_age(lock: "LockInfo") -> str:
    """When it was last heard of, and how long it still holds."""
    left = (
        f"ran out {duration(-lock.expires_in_s)} ago"
        if lock.expires_in_s < 0
        else f"{duration(lock.expires_in_s)} left"
    )
    return f"last beat {duration(lock.age_s)} ago, {left}"


def lock_holder(lock: "LockInfo") -> str:
    host = f" on {lock.hostname}" if lock.hostname not in lock.holder else ""
    return f"{lock.holder}{host}, pid {lock.pid}"
