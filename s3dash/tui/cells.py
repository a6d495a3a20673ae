"""Styled text as plain values: what pure code hands to widgets, and tests can compare."""

from textual.content import Content

from s3dash.tui.format import fit, width_of
from s3dash.tui.theme import CONTENT_STYLES

Part = tuple[str, str]
"""Text, and the name of its look in `theme.LOOKS`; empty is plain."""

Cell = tuple[Part, ...]
"""One line made of parts. Its text is safe already."""

EMPTY: Cell = ()


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
        parts.extend((text, CONTENT_STYLES[look]) for text, look in line)
    return Content.assemble(*parts)
