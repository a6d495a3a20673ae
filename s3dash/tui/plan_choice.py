"""A plan with the rows that the user leaves out, and its totals, kept as rows come and go."""

from collections import Counter

from s3dash.core.plan import Action, Item, Plan, check_guard
from s3dash.errors import GuardTripped
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import count, size
from s3dash.tui.glyphs import BLOCKED, Sign, action_sign
from s3dash.tui.views.base import joined

_DELETES = (Action.DELETE_REMOTE, Action.DELETE_LOCAL)


class PlanChoice:
    """Which items of a plan are to run. A conflict cannot be chosen: nothing moves for it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.left_out: set[str] = set()
        self._counts: Counter[Sign] = Counter()
        self._bytes: Counter[Sign] = Counter()
        for item in plan.items:
            self._add(item, 1)

    def _add(self, item: Item, times: int) -> None:
        sign = action_sign(item)
        self._counts[sign] += times
        self._bytes[sign] += times * item.size

    def takes(self, item: Item) -> bool:
        return item.path not in self.left_out

    def toggle(self, item: Item) -> None:
        """Leave an item out, or take it in again."""
        if item.action is Action.CONFLICT:
            return
        self._add(item, -1 if self.takes(item) else 1)
        self.left_out ^= {item.path}

    @property
    def chosen(self) -> Plan:
        return self.plan.without(self.left_out)

    @property
    def runs(self) -> bool:
        """True when there is anything to do, be it only to remember that both sides agree."""
        return any(i.action is not Action.CONFLICT and self.takes(i) for i in self.plan.items)

    @property
    def deletions(self) -> int:
        """Deletions on both sides; with them shown, the delete guard may let them pass."""
        return sum(1 for i in self.plan.items if i.action in _DELETES and self.takes(i))

    @property
    def warning(self) -> str:
        """What the delete guard has to say, or nothing."""
        try:
            check_guard(self.chosen)
        except GuardTripped:
            share = f"{self.deletions:,} of {self.plan.known:,} known files"
            return f"this deletes {share}"
        return ""

    @property
    def needs_yes(self) -> bool:
        """True when enter must not do: it deletes or overwrites in the bucket, or too much."""
        return self.chosen.destructive or bool(self.warning)

    def totals(self) -> Cell:
        """One line: how many of what, with their bytes where bytes move."""
        parts = []
        for sign, number in self._counts.items():
            if number:
                moved = f" {size(self._bytes[sign])}" if sign.glyph in "▲▼⇉" else ""
                parts.append(one(f"{sign.glyph} {number:,} {sign.word}{moved}", sign.look))
        if self.plan.blocked:
            blocked = count(len(self.plan.blocked), "path")
            parts.append(one(f"{BLOCKED.glyph} {blocked} blocked", BLOCKED.look))
        if self.left_out:
            parts.append(one(f"☐ {len(self.left_out):,} left out", "dim"))
        return joined(parts, "   ")
