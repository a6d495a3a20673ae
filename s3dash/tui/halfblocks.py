"""An image as cells: each character shows two pixels, one above the other. Pure."""

from collections.abc import Sequence
from itertools import groupby, zip_longest

from s3dash.stores.explore.preview import Pixel
from s3dash.tui.cells import Cell

UPPER = "▀"
BLACK: Pixel = (0, 0, 0)


def lines(rows: Sequence[Sequence[Pixel]]) -> list[Cell]:
    """Two rows of pixels a line; runs of the same two colours are one part."""
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=())
    return [_line(upper, lower) for upper, lower in pairs]


def _line(upper: Sequence[Pixel], lower: Sequence[Pixel]) -> Cell:
    both = zip_longest(upper, lower, fillvalue=BLACK)
    runs = ((look, sum(1 for _ in run)) for look, run in groupby(map(_look, both)))
    return tuple((UPPER * length, look) for look, length in runs)


def _look(pair: tuple[Pixel, Pixel]) -> str:
    return f"{_hex(pair[0])} on {_hex(pair[1])}"


def _hex(pixel: Pixel) -> str:
    return "#{:02x}{:02x}{:02x}".format(*pixel)
