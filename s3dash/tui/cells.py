"""Styled text as plain values: what pure code hands to widgets, and tests can compare."""

import re

from rich.cells import set_cell_size
from textual.content import Content

from s3dash.tui.format import fit, width_of
from s3dash.tui.theme import CONTENT_STYLES

Part = tuple[str, str]
"""Text, and the name of its look in `theme.LOOKS`; empty is plain. In a block a look may also be
a style itself, as the pixels of an image have: `#rrggbb on #rrggbb`."""

Cell = tuple[Part, ...]
"""One line made of parts. Its text is safe already."""

EMPTY: Cell = ()

_WORDS = re.compile(r"\s*\S+\s*$|\s*\S+")
_FILLED = ("badge", "alarm")
"""Looks with a ground of their own: the blanks around their text belong to them."""


def one(text: str, look: str = "") -> Cell:
    return ((text, look),)


def plain(cell: Cell) -> str:
    return "".join(text for text, _ in cell)


def width(cell: Cell) -> int:
    return sum(width_of(text) for text, _ in cell)


def crop(cell: Cell, room: int) -> Cell:
    """The parts that fit into `room` cells; the last one may be cut with an ellipsis."""
    kept: list[Part] = []
    for text, look in cell:
        length = width_of(text)
        if length > room:
            if room > 0:
                kept.append((fit(text, room), look))
            break
        kept.append((text, look))
        room -= length
    return tuple(kept)


def skip(cell: Cell, room: int) -> Cell:
    """A cell without its first `room` cells; half of a wide character becomes a blank."""
    kept: list[Part] = []
    for text, look in cell:
        length = width_of(text)
        if room <= 0:
            kept.append((text, look))
        elif room < length:
            kept.append((set_cell_size(text[::-1], length - room)[::-1], look))
        room -= length
    return tuple(kept)


def wrapped(cell: Cell, room: int, most: int) -> list[Cell]:
    """The cell in lines of at most `room` cells, broken at blanks; the last one may be cut."""
    lines: list[list[Part]] = [[]]
    left = room
    for text, look in cell:
        for word in _WORDS.findall(text):
            if left < room and width_of(word.rstrip()) > left and len(lines) < most:
                lines.append([])
                left = room
                word = word.lstrip() if look not in _FILLED else word
            lines[-1].append((word, look))
            left -= width_of(word)
    return [crop(tuple(line), room) for line in lines]


def spread(left: Cell, right: Cell, room: int) -> Cell:
    """`left` and `right` at the ends of a line of `room` cells; the right end gives way last."""
    tail = width(right)
    if tail >= room:
        return crop(right, room)
    head = crop(left, room - tail - 1) if tail else crop(left, room)
    gap = room - tail - width(head)
    return (*head, (" " * gap, ""), *right)


def content(lines: list[Cell]) -> Content:
    """Lines as Textual content; nothing in them is read as markup."""
    parts: list[Part] = []
    for number, line in enumerate(lines):
        if number:
            parts.append(("\n", ""))
        parts.extend((text, CONTENT_STYLES.get(look, look)) for text, look in line)
    return Content.assemble(*parts)
