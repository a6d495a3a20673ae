"""A plan with the rows that the user leaves out, and its totals, kept as rows come and go.

Every question is answered in no time, however long the plan: nothing is counted anew.
"""

from collections import Counter
from collections.abc import Iterable

from s3dash.core.guard import Deletions
from s3dash.core.plan import Action, Item, Plan
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import count, size
from s3dash.tui.glyphs import BLOCKED, Sign, action_sign
from s3dash.tui.views.base import joined

_DELETES = (Action.DELETE_REMOTE, Action.DELETE_LOCAL)
_UP, _DOWN = (Action.UPLOAD,), (Action.DOWNLOAD, Action.KEEP_BOTH)


class PlanChoice:
    """Which items of a plan are to run. A conflict cannot be chosen: nothing moves for it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.left_out: set[str] = set()
        self._counts: Counter[Sign] = Counter()
        self._deletions = Deletions()
        self._bytes_up = 0
        self._bytes_down = 0
        self._runs = 0
        self._destroys = 0
        for item in plan.items:
            self._add(item, 1)
        self._signs = sorted(self._counts, key=_rank)

    def _add(self, item: Item, times: int) -> None:
        self._counts[action_sign(item)] += times
        if item.action is Action.CONFLICT:
            return
        self._runs += times
        (self._deletions.add if times > 0 else self._deletions.remove)(item)
        replaces = item.action is Action.UPLOAD and item.change.remote is not None
        self._destroys += times * (replaces or item.action is Action.DELETE_REMOTE)
        if item.action in _UP and item.source is None:
            self._bytes_up += times * item.size
        elif item.action in _DOWN and item.change.remote is not None:
            self._bytes_down += times * item.change.remote.size

    def takes(self, item: Item) -> bool:
        return item.path not in self.left_out

    def toggle(self, item: Item) -> None:
        """Leave an item out, or take it in again."""
        if item.action is Action.CONFLICT:
            return
        self._add(item, -1 if self.takes(item) else 1)
        self.left_out ^= {item.path}

    def leave_out(self, items: Iterable[Item]) -> int:
        """Leave these out; how many of them were in."""
        return self._set(items, taken=True)

    def take_in(self, items: Iterable[Item]) -> int:
        """Take these in again; how many of them were out."""
        return self._set(items, taken=False)

    def _set(self, items: Iterable[Item], *, taken: bool) -> int:
        changing = [
            item
            for item in items
            if self.takes(item) is taken and item.action is not Action.CONFLICT
        ]
        for item in changing:
            self.toggle(item)
        return len(changing)

    @property
    def chosen(self) -> Plan:
        """The plan that runs. Takes a look at every item."""
        return self.plan.without(self.left_out)

    @property
    def runs(self) -> bool:
        """True when there is anything to do, be it only to remember that both sides agree."""
        return self._runs > 0

    @property
    def deletions(self) -> int:
        """Deletions on both sides; with them shown, the delete guard may let them pass."""
        return self._deletions.count

    @property
    def warning(self) -> str:
        """What the delete guard has to say, or nothing."""
        if not self._deletions.trips(known=self.plan.known):
            return ""
        return f"this deletes {self.deletions:,} of {self.plan.known:,} known files"

    @property
    def needs_yes(self) -> bool:
        """True when enter must not do: it deletes or overwrites in the bucket, or too much."""
        return self._destroys > 0 or bool(self.warning)

    def totals(self) -> Cell:
        """How many of what, deletions first, and how many bytes go which way."""
        parts = [
            one(f"{sign.glyph} {self._counts[sign]:,} {sign.word}", sign.look)
            for sign in self._signs
            if self._counts[sign]
        ]
        if self.plan.blocked:
            blocked = count(len(self.plan.blocked), "path")
            parts.append(one(f"{BLOCKED.glyph} {blocked} blocked", BLOCKED.look))
        if self._bytes_up:
            parts.append(one(f"↑ {size(self._bytes_up)}", "up"))
        if self._bytes_down:
            parts.append(one(f"↓ {size(self._bytes_down)}", "down"))
        if self.left_out:
            parts.append(one(f"☐ {len(self.left_out):,} left out", "dim"))
        return joined(parts, "   ")


def _rank(sign: Sign) -> tuple[bool, bool]:
    """What destroys stands first."""
    return sign.look != "del", sign.word != "overwrite"
