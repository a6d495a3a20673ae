"""Comparing two texts line by line. Pure, stoppable, and bounded in what it takes.

Lines that stand once on each side tell most of it (patience diff); what lies between them goes to
difflib while that is cheap. What is not is told as replaced as a whole, and that it was.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

import msgspec

SNIFFED = 8192
BUDGET = 3_000_000
"""Pairs of lines that difflib may look at in all, in the worst case a second's work."""
CONTEXT = 3

Kind = Literal["same", "changed", "removed", "added", "fold"]


class Row(NamedTuple):
    """A line of a diff: what stands left and what right, by number from 0, -1: nothing.

    A «removed» or «added» one may name a line of the other side, which it took the place of. A
    «fold» stands for `hidden` equal lines, from `left` and `right` on.
    """

    kind: Kind
    left: int
    right: int
    hidden: int = 0


class Block(NamedTuple):
    """Lines `left` to `left_end` became `right` to `right_end`; ends are exclusive."""

    left: int
    left_end: int
    right: int
    right_end: int


class LineDiff(msgspec.Struct, frozen=True):
    """The blocks that differ, in order. `bounded`: some are coarser than they could be."""

    blocks: tuple[Block, ...]
    bounded: bool = False


def as_text(body: bytes) -> str | None:
    """The text, or None for what is none: not UTF-8, or with a NUL at its beginning."""
    if b"\0" in body[:SNIFFED]:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def split(text: str) -> list[str]:
    """The lines with their ends. Only a line feed ends one: all else is content."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def compare(
    left: Sequence[str], right: Sequence[str], *, check: Callable[[], None], budget: int = BUDGET
) -> LineDiff:
    """Compare two lists of lines; `check` is called now and then and may raise to stop it."""
    return _Comparison(left, right, check, budget).run()


class _Comparison:
    """Stretches that may differ are taken from a stack, cut at anchors, and given to difflib."""

    def __init__(
        self, left: Sequence[str], right: Sequence[str], check: Callable[[], None], budget: int
    ) -> None:
        self._left = left
        self._right = right
        self._check = check
        self._budget = budget
        self._bounded = False
        self._found: list[Block] = []

    def run(self) -> LineDiff:
        stack = [Block(0, len(self._left), 0, len(self._right))]
        while stack:
            self._check()
            block = self._trimmed(stack.pop())
            if block.left == block.left_end and block.right == block.right_end:
                continue
            if block.left == block.left_end or block.right == block.right_end:
                self._found.append(block)
            else:
                parts = self._cut(block)
                stack.extend(reversed(parts)) if parts else self._small(block)
        return LineDiff(tuple(_joined(self._found)), self._bounded)

    def _trimmed(self, b: Block) -> Block:
        """Without the equal lines at both ends."""
        left, left_end, right, right_end = b
        while left < left_end and right < right_end and self._left[left] == self._right[right]:
            left, right = left + 1, right + 1
        while (
            left < left_end
            and right < right_end
            and self._left[left_end - 1] == self._right[right_end - 1]
        ):
            left_end, right_end = left_end - 1, right_end - 1
        return Block(left, left_end, right, right_end)

    def _cut(self, b: Block) -> list[Block]:
        """The stretches between lines that stand once on each side, in the same order."""
        anchors = _rising(self._once(b))
        if not anchors:
            return []
        parts, left, right = [], b.left, b.right
        for at, there in anchors:
            parts.append(Block(left, at, right, there))
            left, right = at + 1, there + 1
        return [*parts, Block(left, b.left_end, right, b.right_end)]

    def _once(self, b: Block) -> list[tuple[int, int]]:
        lefts, rights = self._left[b.left : b.left_end], self._right[b.right : b.right_end]
        here, there = Counter(lefts), Counter(rights)
        place = {line: b.right + n for n, line in enumerate(rights) if there[line] == 1}
        return [
            (b.left + n, place[line])
            for n, line in enumerate(lefts)
            if line in place and here[line] == 1
        ]

    def _small(self, b: Block) -> None:
        """Without anchors: difflib, while there is budget for the worst case."""
        cost = (b.left_end - b.left) * (b.right_end - b.right)
        if cost > self._budget:
            self._bounded = True
            self._found.append(b)
            return
        self._budget -= cost
        matcher = SequenceMatcher(
            None,
            self._left[b.left : b.left_end],
            self._right[b.right : b.right_end],
            autojunk=False,
        )
        for tag, i, j, k, m in matcher.get_opcodes():
            if tag != "equal":
                self._found.append(Block(b.left + i, b.left + j, b.right + k, b.right + m))


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that rise on both sides; they come sorted by the first."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for n, (_, there) in enumerate(pairs):
        at = bisect_left(tails, there)
        before.append(last[at - 1] if at else -1)
        tails[at : at + 1] = [there]
        last[at : at + 1] = [n]
    chosen, n = [], last[-1] if last else -1
    while n >= 0:
        chosen.append(pairs[n])
        n = before[n]
    return chosen[::-1]


def _joined(blocks: Sequence[Block]) -> Iterator[Block]:
    """Blocks that touch on both sides are one."""
    held: Block | None = None
    for block in blocks:
        if held is not None and (block.left, block.right) == (held.left_end, held.right_end):
            held = Block(held.left, block.left_end, held.right, block.right_end)
            continue
        if held is not None:
            yield held
        held = block
    if held is not None:
        yield held


# --- as rows ----------------------------------------------------------------------------


def beside(diff: LineDiff, total: int, *, context: int | None = CONTEXT) -> list[Row]:
    """Side by side: a changed line is one row. `total` is the number of lines left.

    `context` is how many equal lines stand around a change; None: all of them.
    """
    rows: list[Row] = []
    for block, gap in _with_gaps(diff, total):
        rows += _equal(*gap, context=context, first=gap[0] == 0, last=block is None)
        if block is None:
            break
        lefts, rights = block.left_end - block.left, block.right_end - block.right
        rows += [Row("changed", block.left + n, block.right + n) for n in range(min(lefts, rights))]
        rows += [Row("removed", n, -1) for n in range(block.left + rights, block.left_end)]
        rows += [Row("added", -1, n) for n in range(block.right + lefts, block.right_end)]
    return rows


def unified(diff: LineDiff, total: int, *, context: int | None = CONTEXT) -> list[Row]:
    """One below the other: what was removed, then what was added in its place."""
    rows: list[Row] = []
    for block, gap in _with_gaps(diff, total):
        rows += _equal(*gap, context=context, first=gap[0] == 0, last=block is None)
        if block is None:
            break
        lefts, rights = block.left_end - block.left, block.right_end - block.right
        rows += [
            Row("removed", block.left + n, block.right + n if n < rights else -1)
            for n in range(lefts)
        ]
        rows += [
            Row("added", block.left + n if n < lefts else -1, block.right + n)
            for n in range(rights)
        ]
    return rows


def _with_gaps(diff: LineDiff, total: int) -> Iterator[tuple[Block | None, tuple[int, int, int]]]:
    """Each block with the equal lines before it (left, right, count); at the end those after."""
    left = right = 0
    for block in diff.blocks:
        yield block, (left, right, block.left - left)
        left, right = block.left_end, block.right_end
    yield None, (left, right, total - left)


def _equal(
    left: int, right: int, count: int, *, context: int | None, first: bool, last: bool
) -> Iterator[Row]:
    """Equal lines, folded but for those beside a change."""
    head = 0 if first else context
    tail = 0 if last else context
    if head is None or tail is None or context is None or count <= head + tail + 1:
        head, tail = count, 0
    yield from (Row("same", left + n, right + n) for n in range(head))
    if count > head + tail:
        yield Row("fold", left + head, right + head, count - head - tail)
    yield from (Row("same", left + n, right + n) for n in range(count - tail, count))
