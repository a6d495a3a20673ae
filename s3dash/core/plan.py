"""The plan: what an operation would do, path by path, before it does anything. Pure."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from operator import attrgetter
from typing import Literal

import msgspec
from msgspec.structs import replace

from s3dash.core.diff import Base, Local, Remote, Verdict
from s3dash.core.hydration import Hydration
from s3dash.core.paths import covers
from s3dash.core.report import ConflictInfo, Version
from s3dash.core.settings import ConflictPolicy, Take

Direction = Literal["push", "pull", "sync"]

WAYS: dict[Take, tuple[Direction, ConflictPolicy]] = {
    "local": ("push", "local"),
    "remote": ("pull", "remote"),
    "both": ("pull", "keep-both"),
}
"""Which operation, with which policy, carries out what a user decides for one conflict."""


class Action(StrEnum):
    """What is done for one path."""

    UPLOAD = "upload"
    DOWNLOAD = "download"
    DELETE_REMOTE = "delete-remote"
    DELETE_LOCAL = "delete-local"
    RESTORE = "restore-entry"
    """The object is there and as we know it: its entry goes back into the index."""
    ADOPT = "adopt"
    """Both sides agree already: only our base moves."""
    FORGET = "forget"
    """Both sides deleted it: only our base moves."""
    KEEP_BOTH = "keep-both"
    """The local version moves aside to a name of its own, the remote one is installed."""
    CONFLICT = "conflict"
    """Left for the user; nothing moves."""


class Change(msgspec.Struct, frozen=True):
    """One path that is not in sync, with the three versions that say so."""

    path: str
    verdict: Verdict
    base: Base | None
    local: Local | None
    remote: Remote | None

    @property
    def size(self) -> int:
        """Bytes of the version that matters: the local one, else the remote, else the base."""
        for side in (self.local, self.remote, self.base):
            if side is not None:
                return side.size
        return 0


def conflict_of(change: Change) -> ConflictInfo:
    """A path that is left alone because both sides have a version of their own, as reported."""
    local, remote, base = change.local, change.remote, change.base
    return ConflictInfo(
        change.path,
        Version(local.size, local.sha256) if local else None,
        Version(remote.size, remote.sha256, None if remote.sha256 else remote.tag)
        if remote
        else None,
        Version(base.size, base.sha256) if base else None,
    )


class Item(msgspec.Struct, frozen=True):
    """One row of a plan. `source` is where an uploaded file was before it was renamed."""

    path: str
    action: Action
    reason: str
    size: int
    change: Change
    source: str | None = None


class Plan(msgspec.Struct, frozen=True):
    """What `direction` would do. `items` are sorted: deletions first, then by path.

    `blocked` are paths that can exist on one side only, with a reason each. `models` are the
    names of the models that it keeps to: whoever writes holds their locks meanwhile. `hydration`
    is what it does about the content that a lazy cache leaves out. `unknown` is what was asked for
    and names nothing, here or in the bucket.
    """

    direction: Direction
    items: tuple[Item, ...]
    blocked: dict[str, str] = msgspec.field(default_factory=dict)
    unchanged: int = 0
    known: int = 0
    models: tuple[str, ...] = ()
    hydration: Hydration | None = None
    unknown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The operation as users call it."""
        return "hydrate" if self.hydration == "only" else self.direction

    def by(self, *actions: Action) -> list[Item]:
        return [item for item in self.items if item.action in actions]

    @property
    def conflicts(self) -> list[Item]:
        return self.by(Action.CONFLICT)

    @property
    def bytes_up(self) -> int:
        return sum(item.size for item in self.by(Action.UPLOAD) if item.source is None)

    @property
    def bytes_down(self) -> int:
        down = self.by(Action.DOWNLOAD, Action.KEEP_BOTH)
        return sum(i.change.remote.size for i in down if i.change.remote)

    @property
    def moves(self) -> bool:
        """True when running the plan would change a file or an object."""
        return any(
            i.action not in (Action.CONFLICT, Action.ADOPT, Action.FORGET) for i in self.items
        )

    @property
    def destructive(self) -> bool:
        """True when it deletes or overwrites something in the bucket."""
        return any(
            i.action is Action.DELETE_REMOTE
            or (i.action is Action.UPLOAD and i.change.remote is not None)
            for i in self.items
        )

    def only(self, path: str) -> "Plan":
        """The plan for one path; all others stay as they are."""
        kept = tuple(item for item in self.items if item.path == path)
        blocked = {rel: why for rel, why in self.blocked.items() if rel == path}
        return replace(self, items=kept, blocked=blocked)

    def without(self, left_out: Collection[str]) -> "Plan":
        """The plan less the paths that the user left out; those stay as they are."""
        kept = tuple(item for item in self.items if item.path not in left_out)
        return replace(self, items=kept)


_UP = {
    Verdict.LOCAL_ADDED: Action.UPLOAD,
    Verdict.LOCAL_MODIFIED: Action.UPLOAD,
    Verdict.LOCAL_REVIVED: Action.UPLOAD,
    Verdict.LOCAL_DELETED: Action.DELETE_REMOTE,
    Verdict.CLOBBERED: Action.RESTORE,
}
_DOWN = {
    Verdict.REMOTE_ADDED: Action.DOWNLOAD,
    Verdict.REMOTE_MODIFIED: Action.DOWNLOAD,
    Verdict.REMOTE_REVIVED: Action.DOWNLOAD,
    Verdict.REMOTE_DELETED: Action.DELETE_LOCAL,
}
_BOTH = {Verdict.CONVERGED: Action.ADOPT, Verdict.BOTH_DELETED: Action.FORGET}
_CLASH = frozenset({Verdict.BOTH_MODIFIED, Verdict.BOTH_ADDED})
_DELETES = (Action.DELETE_REMOTE, Action.DELETE_LOCAL)


def make_plan(
    changes: Iterable[Change],
    *,
    direction: Direction,
    policy: ConflictPolicy = "ask",
    selection: Collection[str] = (),
    blocked: dict[str, str] | None = None,
    unchanged: int = 0,
    known: int = 0,
    models: Collection[str] = (),
    hydration: Hydration | None = None,
) -> Plan:
    """Choose an action for every change that `direction` and `selection` take in."""
    items = []
    for change in changes:
        if not covers(selection, change.path):
            continue
        action = _action(change.verdict, direction, policy)
        if action is not None:
            items.append(Item(change.path, action, change.verdict.value, change.size, change))
    items.sort(key=attrgetter("path"))  # by one text each: of a million items that is half the time
    items.sort(key=lambda item: item.action not in _DELETES)
    rows = tuple(_with_sources(items))
    return Plan(direction, rows, blocked or {}, unchanged, known, tuple(models), hydration)


def _with_sources(items: list[Item]) -> list[Item]:
    """Uploads that are renames: the same content is deleted elsewhere by the same plan."""
    sources = _by_content(i for i in items if i.action is Action.DELETE_REMOTE)
    if not sources:
        return items
    return [_from_source(i, sources) if _is_new(i, Action.UPLOAD) else i for i in items]


def _from_source(item: Item, sources: dict[str, list[str]]) -> Item:
    local = item.change.local
    places = sources.get(local.sha256 or "") if local is not None else None
    if not places:
        return item
    source = places.pop()
    return replace(item, source=source, reason=f"renamed from {source}")


def _is_new(item: Item, action: Action) -> bool:
    added = (Verdict.LOCAL_ADDED, Verdict.REMOTE_ADDED)
    return item.action is action and item.change.verdict in added


def _by_content(items: Iterable[Item]) -> dict[str, list[str]]:
    """SHA-256 of the base to paths."""
    found: dict[str, list[str]] = {}
    for item in items:
        if item.change.base is not None and item.change.base.size > 0:
            found.setdefault(item.change.base.sha256, []).append(item.path)
    return found


def _action(verdict: Verdict, direction: Direction, policy: ConflictPolicy) -> Action | None:
    if verdict in _CLASH:
        return _clash(direction, policy)
    if verdict in _BOTH:
        return _BOTH[verdict]
    if verdict in _UP:
        return _UP[verdict] if direction != "pull" else None
    if verdict in _DOWN:
        return _DOWN[verdict] if direction != "push" else None
    return None


def _clash(direction: Direction, policy: ConflictPolicy) -> Action:
    """A policy that needs the other direction leaves the conflict standing."""
    if policy == "local" and direction != "pull":
        return Action.UPLOAD
    if policy == "remote" and direction != "push":
        return Action.DOWNLOAD
    if policy == "keep-both" and direction != "push":
        return Action.KEEP_BOTH
    return Action.CONFLICT
