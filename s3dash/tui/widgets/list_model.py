"""The rows of a list: filter, order, cursor and marks. A plain class; no widget in it.

Loading a million rows costs nothing but a reference: without a filter or an order no row is
looked at. A filter works in slices, so that the screen stays quick meanwhile.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

R = TypeVar("R")

NEARBY = 64
"""How far from its old place a row is looked for before all rows are searched."""
SLICE = 4_000
"""Rows that a filter looks at in one go: a few milliseconds."""


class LineModel(Generic[R]):
    """`key` names a row for good: the cursor and the marks follow it when rows change.

    `order`, when given, sorts the shown rows.
    """

    def __init__(self, key: Callable[[R], str], *, order: Callable[[R], Any] | None = None) -> None:
        self._key = key
        self._order = order
        self._rows: Sequence[R] = ()
        self._shown: list[int] | None = None
        self._test: Callable[[R], bool] | None = None
        self._todo: list[Sequence[int]] = []
        self._next = 0
        self._anchor: str | None = None
        self.cursor = 0
        self.marks: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows) if self._shown is None else len(self._shown)

    @property
    def total(self) -> int:
        """All rows, whatever the filter."""
        return len(self._rows)

    @property
    def filtering(self) -> bool:
        """True while rows remain that the filter has not seen."""
        return bool(self._todo)

    def _index(self, line: int) -> int:
        return line if self._shown is None else self._shown[line]

    def _line(self, index: int) -> int:
        """Where the row with this index is shown, or the next one that is."""
        if self._shown is None:
            return index
        if self._order is None:
            return bisect_left(self._shown, index)
        return self._shown.index(index) if index in self._shown else 0

    def row(self, line: int) -> R:
        return self._rows[self._index(line)]

    def key(self, line: int) -> str:
        return self._key(self.row(line))

    @property
    def current(self) -> R | None:
        return self.row(self.cursor) if 0 <= self.cursor < len(self) else None

    # --- rows ---------------------------------------------------------------------------

    def set_rows(self, rows: Sequence[R], *, force: bool = False) -> bool:
        """Take other rows; False when they are the same object and nothing was done.

        `force` looks again at rows that changed in place.
        """
        if rows is self._rows and not force:
            return False
        held = self.key(self.cursor) if self.cursor < len(self) else None
        self._rows = rows
        if self.marks:
            self.marks &= {self._key(row) for row in rows}
        self._project()
        self._follow(held)
        return True

    def set_filter(self, test: Callable[[R], bool] | None, *, narrower: bool = False) -> None:
        """Show only rows that pass; call `filter_some` until nothing is left to look at.

        `narrower`: whatever passes has passed the filter before too, so the rows that this one
        has refused are not looked at again.
        """
        at = self._index(self.cursor) if self.cursor < len(self) else 0
        passed, left = self._shown, self._left()
        known = narrower and test is not None and self._test is not None and passed is not None
        self._test = test
        self._project([passed, *left] if known and passed is not None else None)
        self.move(self._line(at))

    def filter_some(self, budget: int = SLICE) -> bool:
        """Look at up to `budget` more rows; True while more remain."""
        if self._test is None or self._shown is None:
            return False
        test, rows = self._test, self._rows
        while self._todo and budget > 0:
            some = self._todo[0][self._next : self._next + budget]
            self._shown.extend([i for i in some if test(rows[i])])
            self._next += len(some)
            budget -= len(some)
            if self._next >= len(self._todo[0]):
                self._next = 0
                del self._todo[0]
        if self._todo:
            return True
        self._sort()
        return False

    def _left(self) -> list[Sequence[int]]:
        """The indices of the rows that the filter has not seen."""
        if not self._todo:
            return []
        return [self._todo[0][self._next :], *self._todo[1:]]

    def _project(self, candidates: list[Sequence[int]] | None = None) -> None:
        """Look at the rows anew, or only at these."""
        self._next = 0
        self._todo = []
        if self._test is None:
            self._shown = None
            self._sort()
        else:
            whole: list[Sequence[int]] = [range(len(self._rows))]
            self._todo = [part for part in candidates or whole if len(part)]
            self._shown = []
            self.filter_some()

    def _sort(self) -> None:
        order, rows = self._order, self._rows
        if order is None:
            return
        shown = range(len(rows)) if self._shown is None else self._shown
        self._shown = sorted(shown, key=lambda i: order(rows[i]))

    # --- cursor -------------------------------------------------------------------------

    def move(self, line: int) -> int:
        """Put the cursor on a line, or the nearest there is; the line it is on now."""
        self.cursor = max(0, min(line, len(self) - 1))
        return self.cursor

    def _follow(self, key: str | None) -> None:
        """Keep the cursor on its row; when that is gone, on its line."""
        line = self.cursor
        if key is not None:
            found = self._find(key, line)
            line = line if found is None else found
        self.move(line)

    def _find(self, key: str, near: int) -> int | None:
        count = len(self)
        low, high = min(count, max(0, near - NEARBY)), min(count, near + NEARBY + 1)
        for line in sorted(range(low, high), key=lambda n: abs(n - near)):
            if self.key(line) == key:
                return line
        for span in (range(high, count), range(low)):
            for line in span:
                if self.key(line) == key:
                    return line
        return None

    # --- marks --------------------------------------------------------------------------

    def is_marked(self, line: int) -> bool:
        return bool(self.marks) and self.key(line) in self.marks

    def toggle(self, line: int) -> bool:
        """Mark or unmark a row; True when it is marked now. The next range starts here."""
        key = self.key(line)
        self._anchor = key
        self.marks ^= {key}
        return key in self.marks

    def mark_range(self, line: int) -> None:
        """Mark all rows from the last toggled one to this one."""
        start = None if self._anchor is None else self._find(self._anchor, line)
        first, last = sorted((line if start is None else start, line))
        self.marks |= {self.key(n) for n in range(first, last + 1)}

    def mark_all(self) -> None:
        """Mark what the filter shows."""
        self.marks |= {self.key(line) for line in range(len(self))}

    def mark_none(self) -> None:
        self.marks.clear()
        self._anchor = None
