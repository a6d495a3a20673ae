"""A view that stands still, and what goes on behind it. No widget."""

from collections.abc import Sequence
from copy import copy
from typing import Generic, TypeVar

from s3dash.tui.cells import Cell
from s3dash.tui.format import count
from s3dash.tui.look import Look
from s3dash.tui.views.base import View

R = TypeVar("R")

FEW, MANY = 500, 20_000
"""Rows up to which what is seen of them is compared, or what they hold; beyond, their number."""


class Frozen(Generic[R]):
    """The rows and the look of one moment. Rows that change in place are copied."""

    def __init__(self, view: View[R], look: Look) -> None:
        self._view = view
        self.look = look
        live, version = view.rows(look), view.version(look)
        self.rows: Sequence[R] = live if version is None else [copy(row) for row in live]
        self._seen: tuple[Sequence[R], object] = (live, version)
        self._waiting = 0

    def badge(self, look: Look) -> Cell:
        """That it stands still, and how many rows came, went or changed since."""
        waiting = self.waiting(look)
        told = f" {count(waiting, 'change')} waiting " if waiting else " nothing new "
        return ((" ‖ FROZEN ", "badge"), (told, "dim"))

    def waiting(self, look: Look) -> int:
        """Counted again only when the live rows are others."""
        live, version = self._view.rows(look), self._view.version(look)
        if live is not self._seen[0] or version != self._seen[1]:
            self._seen = (live, version)
            self._waiting = self._count(live)
        return self._waiting

    def _count(self, live: Sequence[R]) -> int:
        if max(len(live), len(self.rows)) > MANY:
            return max(1, abs(len(live) - len(self.rows)))
        key = self._view.key
        before = {key(row): row for row in self.rows}
        after = {key(row): row for row in live}
        both = before.keys() & after.keys()
        changed = sum(self._differs(before[name], after[name]) for name in both)
        return len(before.keys() ^ after.keys()) + changed

    def _differs(self, one_row: R, other: R) -> bool:
        if one_row is other:
            return False
        if len(self.rows) > FEW:
            return one_row != other
        return self._cells(one_row) != self._cells(other)

    def _cells(self, row: R) -> list[Cell]:
        return [column.cell(row, self.look) for column in self._view.columns]
