"""Objects of one namespace below another: what they are, and what may be done about them. Pure.

A plain client whose cache root is wrong pushes `infra/web/data/…` instead of `web/data/…`. Source:
issue 5, item 1. Whatever is dropped lies elsewhere too; what nobody can decide is kept and told.
"""

from collections.abc import Collection
from typing import Any, Literal

import msgspec

from s3dash.core import paths
from s3dash.core.partitions import PEER_TOPS

ForeignAction = Literal["drop", "move", "set-aside", "keep"]
"""It is at its home as well; it is nowhere else; it is a lock that ran out; a user decides."""


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """An object below a namespace that belongs elsewhere. Both keys are relative to the prefix.

    `home` is empty where it has none. `size` None: only an index entry, without an object.
    """

    path: str
    home: str
    action: ForeignAction
    reason: str
    size: int | None = None


class ForeignReport(msgspec.Struct, frozen=True, kw_only=True):
    """`applied` False: this is what would be done. `foreign` is sorted by path."""

    namespace: str
    applied: bool
    foreign: tuple[Foreign, ...] = ()

    def by(self, *actions: ForeignAction) -> list[Foreign]:
        return [row for row in self.foreign if row.action in actions]

    @property
    def exit_code(self) -> int:
        """0 fine, 3 when something was kept that a user has to look at."""
        return 3 if self.applied and self.by("keep") else 0

    def document(self) -> dict[str, Any]:
        out: dict[str, Any] = msgspec.to_builtins(self)
        return out


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a foreign path.

    `there`: whether an object is at its home, `same` with its bytes. `entry_there`: whether the
    home's index names it; `indexed`: whether there is such an index. `withdrawn`: it was deleted
    there on purpose. `alive`: it is a lock, and somebody may hold it.
    """

    is_object: bool = True
    there: bool = False
    same: bool = False
    entry_there: bool = False
    indexed: bool = False
    withdrawn: bool = False
    alive: bool = False


def segments(namespace: str, names: Collection[str], registered: Collection[str]) -> list[str]:
    """Which directories of a namespace are not its own, sorted."""
    strange = {*registered, namespace, paths.LOCKS_DIR}
    return sorted(name for name in names if name in strange)


def is_lock(rel: str) -> bool:
    """Whether this path below a namespace is where no client looks for a lock."""
    return rel == paths.GLOBAL_LOCK or rel.startswith(f"{paths.LOCKS_DIR}/")


def decide(rel: str, facts: Facts) -> tuple[ForeignAction, str]:
    """What is to be done with `<namespace>/<rel>`, and why. `rel` begins with the other's name."""
    _, _, rest = rel.partition("/")
    if is_lock(rel):
        if facts.alive:
            return "keep", "a lock that may be alive: its holder has a wrong cache root"
        return "set-aside", "a lock that ran out, where no client looks for one"
    if not facts.is_object:
        return "drop", "the index names it, and there is no object"
    if facts.there and not facts.same:
        return "keep", "differs from its home"
    if facts.there and (facts.entry_there or not facts.indexed or not paths.is_data(rest)):
        return "drop", "identical at its home"
    return _unnamed(rest, facts)


def _unnamed(rest: str, facts: Facts) -> tuple[ForeignAction, str]:
    """Its home lacks it, or has it where no index names it."""
    if not paths.is_data(rest):
        return "keep", "no data: it belongs to an index or to a client"
    if facts.entry_there:
        return "keep", "its home names it, and lacks the object"
    if facts.withdrawn:
        return "keep", "it was deleted at its home on purpose"
    if rest.partition("/")[0] not in PEER_TOPS:
        return "keep", "it may be a directory that only has the name of a namespace"
    if not facts.indexed:
        return "keep", "its home has no index that could take it"
    return "move", "its home has it, but not in its index" if facts.there else "not at its home"
