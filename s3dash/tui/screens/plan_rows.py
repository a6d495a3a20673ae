"""The rows of a plan: a list that can be filtered, and whose rows can be left out."""

from collections.abc import Callable
from typing import ClassVar

from s3dash.core.plan import Action, Item
from s3dash.tui import filters
from s3dash.tui.cells import EMPTY, Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import safe, size
from s3dash.tui.glyphs import action_sign
from s3dash.tui.look import Look
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel

Taken = Callable[[Item], bool]


class PlanList(LineList[Item]):
    """Shows which rows are taken; `taken` says so. The rows stand as in the plan."""

    fields: ClassVar[dict[str, Callable[[Item], str]]] = {
        "action": lambda item: action_sign(item).word,
        "why": lambda item: item.reason,
    }

    def __init__(self, taken: Taken, *, id: str) -> None:
        self.columns = columns(taken)
        self.filter = filters.NOTHING
        super().__init__(LineModel(_path), self.columns, id=id)

    def set_filter(self, text: str) -> None:
        """Show only the rows that pass; empty shows all again. Long plans go slice by slice."""
        self.filter = filters.parse(text, self.fields)
        self.model.set_filter(filters.test_of(self.filter, _path, self.fields))
        self._filtered()

    def _filtered(self) -> None:
        self.reshape()
        self.refresh()
        self.post_message(self.Moved(self))
        if self.model.filtering:
            self.call_later(self._next_slice)

    def _next_slice(self) -> None:
        self.model.filter_some()
        self._filtered()

    @property
    def shown(self) -> list[Item]:
        """All rows that the filter lets pass, also those that it has not seen yet."""
        while self.model.filtering:
            self.model.filter_some()
        return [self.model.row(line) for line in range(len(self.model))]

    def between(self, first: int, last: int) -> list[Item]:
        """The rows of these lines, both included, in either order."""
        low, high = sorted((first, last))
        return [self.model.row(line) for line in range(low, min(high + 1, len(self.model)))]


def _path(item: Item) -> str:
    return item.path


def columns(taken: Taken) -> tuple[Column[Item], ...]:
    """A box, what is done, to what, how large, and why."""

    def look_of(item: Item, look: str) -> str:
        return look if taken(item) else "struck"

    def box(item: Item, _: Look) -> Cell:
        if item.action is Action.CONFLICT:
            return one("–", "faint")
        return one("☑", "good") if taken(item) else one("☐", "dim")

    def action(item: Item, _: Look) -> Cell:
        sign = action_sign(item)
        return one(f"{sign.glyph} {sign.word}", look_of(item, sign.look))

    return (
        Column(title="", width=1, cell=box),
        Column(title="ACTION", width=18, cell=action),
        Column(
            title="PATH", middle=True, cell=lambda item, _: one(safe(item.path), look_of(item, ""))
        ),
        Column(
            title="SIZE",
            width=9,
            right=True,
            least=60,
            cell=lambda item, _: one(size(item.size), look_of(item, "dim")),
        ),
        Column(
            title="REASON",
            width=28,
            least=92,
            cell=lambda item, _: one(safe(item.reason), look_of(item, "dim")),
        ),
    )


def why(item: Item | None) -> Cell:
    """The row under the cursor in one line: the reason, and what each side has."""
    if item is None:
        return EMPTY
    change = item.change
    sides = [
        f"{name} {size(side.size)}"
        for name, side in (("here", change.local), ("bucket", change.remote))
        if side is not None
    ]
    tail = f"  ({', '.join(sides)})" if sides else ""
    return ((safe(item.reason), ""), (tail, "dim"))
