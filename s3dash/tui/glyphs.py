"""States as glyph and word, never one without the other, and the look of both."""

from typing import NamedTuple

from s3dash.core.lock import LockInfo
from s3dash.core.plan import Action, Item
from s3dash.core.progress import TransferState
from s3dash.core.report import ChangeKind
from s3dash.core.snapshot import Snapshot, State
from s3dash.core.trouble import TroubleKind
from s3dash.tui.cells import Cell


class Sign(NamedTuple):
    glyph: str
    word: str
    look: str

    @property
    def cell(self) -> Cell:
        return ((f"{self.glyph} {self.word}", self.look),)


CHANGES: dict[ChangeKind, Sign] = {
    "added": Sign("✚", "added", "add"),
    "modified": Sign("±", "modified", "mod"),
    "deleted": Sign("✖", "deleted", "del"),
}

STATES: dict[State, Sign] = {
    "starting": Sign("◌", "starting", "dim"),
    "idle": Sign("●", "idle", "good"),
    "scanning": Sign("◔", "scanning", "accent"),
    "comparing": Sign("◑", "comparing", "accent"),
    "waiting for lock": Sign("◷", "waiting for lock", "warn"),
    "pulling": Sign("▼", "pulling", "down"),
    "pushing": Sign("▲", "pushing", "up"),
    "committing": Sign("◆", "committing", "up"),
    "backing off": Sign("◷", "backing off", "warn"),
    "offline": Sign("○", "offline", "bad"),
    "failed": Sign("✖", "failed", "bad"),
    "stopped": Sign("■", "stopped", "dim"),
    "no cache": Sign("○", "no cache", "dim"),
}

TRANSFERS: dict[TransferState, Sign] = {
    "active": Sign("▶", "active", "accent"),
    "queued": Sign("·", "queued", "dim"),
    "paused": Sign("‖", "paused", "warn"),
    "failed": Sign("✖", "failed", "bad"),
    "done": Sign("✔", "done", "good"),
    "cancelled": Sign("○", "cancelled", "dim"),
}

LEVELS = {
    "info": Sign("·", "info", "dim"),
    "warning": Sign("⚠", "warning", "warn"),
    "error": Sign("✖", "error", "bad"),
}

ONLINE = Sign("●", "online", "good")
OFFLINE = Sign("○", "offline", "bad")
TROUBLES: dict[TroubleKind, Sign] = {
    "offline": OFFLINE,
    "denied": Sign("⊘", "no permission", "bad"),
    "expired": Sign("⊘", "credentials expired", "bad"),
    "missing": Sign("✖", "no bucket", "bad"),
    "failing": Sign("✖", "failing", "bad"),
}
LIVE = Sign("●", "LIVE", "good")
STALE = Sign("◌", "STALE", "bad")
CONFLICT = Sign("⚠", "conflict", "clash")
BLOCKED = Sign("⊘", "blocked", "warn")

_ACTIONS = {
    Action.UPLOAD: Sign("▲", "upload", "up"),
    Action.DOWNLOAD: Sign("▼", "download", "down"),
    Action.DELETE_REMOTE: Sign("✖", "delete in bucket", "del"),
    Action.DELETE_LOCAL: Sign("✖", "delete here", "del"),
    Action.RESTORE: Sign("↻", "put back", "up"),
    Action.ADOPT: Sign("=", "already same", "dim"),
    Action.FORGET: Sign("=", "gone on both", "dim"),
    Action.KEEP_BOTH: Sign("⇉", "keep both", "down"),
    Action.CONFLICT: CONFLICT,
}
OVERWRITE = Sign("▲", "overwrite", "mod")


def action_sign(item: Item) -> Sign:
    """An upload that replaces something in the bucket is told apart from a new one."""
    if item.action is Action.UPLOAD and item.change.remote is not None:
        return OVERWRITE
    return _ACTIONS[item.action]


def health_sign(snapshot: Snapshot) -> Sign:
    """Whether the endpoint answers; before its first answer nothing is claimed."""
    if snapshot.state == "no cache":
        return STATES["no cache"]
    if not snapshot.healthy:
        return TROUBLES[snapshot.trouble.kind] if snapshot.trouble else OFFLINE
    return ONLINE if snapshot.checked_at else STATES["starting"]


def state_sign(snapshot: Snapshot) -> Sign:
    """What the engine is doing; an endpoint that is away outweighs being idle."""
    if snapshot.state in ("idle", "offline") and not snapshot.healthy:
        return health_sign(snapshot)
    return STATES[snapshot.state]


def lock_sign(lock: LockInfo, *, left_s: float) -> Sign:
    """`left_s` is what is left of the TTL now, which may have run out since the look."""
    return STALE if lock.stale or left_s <= 0 else LIVE
