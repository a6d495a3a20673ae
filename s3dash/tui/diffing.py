"""What a diff says: two versions compared, and its lines as cells. Pure; stoppable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from s3dash.core.content import Content
from s3dash.core.lines import Block, LineDiff, Row, as_text, compare, split
from s3dash.tui.cells import Cell
from s3dash.tui.format import count, safe, size
from s3dash.tui.sides import WORDS

TAB = "    "
ENDS = {"\n": "␊", "\r\n": "␍␊", "": "∅ no line end"}
STEP = 4096
LOOKS = {"removed": ("del", "del-mark"), "added": ("add", "add-mark")}


class Counts(NamedTuple):
    """Lines; `spaces` and `ends` are those of `changed` that differ in nothing else."""

    removed: int = 0
    added: int = 0
    changed: int = 0
    spaces: int = 0
    ends: int = 0


NO_LINES = Counts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions compared. `lines` None: not both are text, and `offset` is the first byte that
    differs, None where the bytes are the same.
    """

    left: Content
    right: Content
    offset: int | None = None
    lines: LineDiff | None = None
    counts: Counts = NO_LINES
    lefts: Sequence[str] = field(default=(), repr=False)
    rights: Sequence[str] = field(default=(), repr=False)


def compared(left: Content, right: Content, *, check: Callable[[], None]) -> Comparison:
    """Compare what there is; an absent side is compared as if it were empty."""
    mine, yours = left.body or b"", right.body or b""
    offset = first_difference(mine, yours)
    texts = as_text(mine), as_text(yours)
    if texts[0] is None or texts[1] is None:
        return Comparison(left=left, right=right, offset=offset)
    lefts, rights = split(texts[0]), split(texts[1])
    lines = compare(lefts, rights, check=check)
    counts = _counted(lefts, rights, lines.blocks, check)
    return Comparison(
        left=left,
        right=right,
        offset=offset,
        lines=lines,
        counts=counts,
        lefts=lefts,
        rights=rights,
    )


def _counted(
    lefts: Sequence[str], rights: Sequence[str], blocks: Sequence[Block], check: Callable[[], None]
) -> Counts:
    removed = added = changed = spaces = ends = 0
    for b in blocks:
        check()
        mine, yours = b.left_end - b.left, b.right_end - b.right
        pairs = min(mine, yours)
        changed, removed, added = changed + pairs, removed + mine - pairs, added + yours - pairs
        for n in range(pairs):
            how = nature(lefts[b.left + n], rights[b.right + n])
            spaces += how == "spaces"
            ends += how == "ends"
    return Counts(removed, added, changed, spaces, ends)


def nature(left: str, right: str) -> str:
    """What two lines that are not equal differ in: `ends`, `spaces`, or `text`."""
    mine, yours = _body(left), _body(right)
    if mine == yours:
        return "ends"
    return "spaces" if "".join(mine.split()) == "".join(yours.split()) else "text"


def first_difference(left: bytes, right: bytes) -> int | None:
    """The offset of the first byte that differs; None: both are the same."""
    if left == right:
        return None
    for start in range(0, max(len(left), len(right)), STEP):
        mine, yours = left[start : start + STEP], right[start : start + STEP]
        if mine != yours:
            return start + common_prefix(mine, yours)
    raise AssertionError("unreachable: they are not equal")


def common_prefix(left: Sequence[object], right: Sequence[object]) -> int:
    """How many items at the beginning are equal; slices are compared, not items one by one."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def summary(found: Comparison) -> Cell:
    """How much differs, in one line."""
    if found.offset is None:
        return (("the same bytes on both sides", "good"),)
    if found.lines is None:
        return ((f"not text; they part at byte {found.offset:,}", "warn"),)
    c = found.counts
    parts = [
        (f"{count(c.changed, 'line')} changed", "mod") if c.changed else None,
        (f"{c.removed:,} removed", "del") if c.removed else None,
        (f"{c.added:,} added", "add") if c.added else None,
        (f"{c.spaces:,} differ only in spaces", "dim") if c.spaces else None,
        (f"{c.ends:,} differ only in the line end", "dim") if c.ends else None,
        ("coarse: too much differs to compare line by line", "warn")
        if found.lines.bounded
        else None,
    ]
    out: list[tuple[str, str]] = []
    for part in filter(None, parts):
        out += [("  ", "")] * bool(out) + [part]
    return tuple(out)


def starts(rows: Sequence[Row]) -> list[int]:
    """Where changes begin, as numbers of rows."""
    changed = [row.kind not in ("same", "fold") for row in rows]
    return [n for n, is_one in enumerate(changed) if is_one and not (n and changed[n - 1])]


def unreadable(content: Content) -> list[Cell]:
    """Why a side that is there cannot be shown; empty when it can."""
    if content.body is not None or content.absent:
        return []
    return [
        ((f"{WORDS[content.side].name}: {safe(content.why)}", "warn"),),
        ((f"{size(content.size)}, SHA-256 {safe(content.sha256) or 'not known'}", "dim"),),
    ]


# --- one line ---------------------------------------------------------------------------


def line_cell(text: str, other: str | None, *, kind: str, shift: int, room: int) -> Cell:
    """A line from its character `shift` on, `room` cells at most.

    What differs from the `other` line is set off, unless that is most of it, and what nobody sees
    is made visible there.
    `kind` is «same», «removed» or «added».
    """
    if kind == "same":
        return ((_shown(_body(text), shift, shift + room), ""),)
    look, mark = LOOKS[kind]
    body, end = _body(text), text[len(_body(text)) :]
    if other is None:
        parts = [(_shown(body, shift, shift + room), look)]
        return (*parts, *([(ENDS[end], "dim")] if not end else []))
    theirs = _body(other)
    start, stop = _differing(body, theirs)
    blank = body[start:stop].isspace()
    visible = blank or "".join(body.split()) == "".join(theirs.split())
    inner = look if (stop - start) * 2 > len(body) and not visible else mark
    cell = [
        (_shown(body, shift, min(start, shift + room)), look),
        (_shown(body, max(start, shift), min(stop, shift + room), visible=visible), inner),
        (_shown(body, max(stop, shift), shift + room), look),
    ]
    if end != other[len(theirs) :]:
        cell.append((ENDS[end], mark))
    return tuple(part for part in cell if part[0])


def _body(line: str) -> str:
    """Without the line's end."""
    if line.endswith("\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith("\n") else line


def _differing(mine: str, yours: str) -> tuple[int, int]:
    """The stretch of `mine` that is not as in `yours`."""
    start = common_prefix(mine, yours)
    most = min(len(mine), len(yours)) - start
    tail = common_prefix(mine[::-1][:most], yours[::-1][:most]) if most else 0
    return start, len(mine) - tail


def _shown(text: str, start: int, stop: int, *, visible: bool = False) -> str:
    """A stretch of a line, fit for the screen; with `visible` spaces and tabs can be seen."""
    piece = text[start:stop] if stop > start else ""
    if visible:
        piece = piece.replace(" ", "·").replace("\t", "→")
    return safe(piece.replace("\t", TAB))
