"""Throughput as a filled braille graph: two values a cell, four dots a row. Pure."""

from collections.abc import Sequence

from s3dash.tui.cells import Cell, one
from s3dash.tui.format import fit, rate
from s3dash.tui.look import Look
from s3dash.tui.views.base import joined

BRAILLE = 0x2800
_LEFT = (0x40, 0x44, 0x46, 0x47)
_RIGHT = (0x80, 0xA0, 0xB0, 0xB8)
"""Dot columns filled from the bottom: one to four dots."""


def rows(values: Sequence[float], width: int, height: int, top: float) -> list[str]:
    """The newest `2 * width` values as `height` lines; `top` is the value of a full column."""
    room = max(0, width) * 2
    newest = list(values[len(values) - min(room, len(values)) :])
    padded = [0.0] * (room - len(newest)) + newest
    dots = [_dots(value, top, height * 4) for value in padded]
    lines = []
    for line in range(height):
        floor = (height - 1 - line) * 4
        cells = (
            _cell(dots[i] - floor, dots[i + 1] - floor, base=line == height - 1)
            for i in range(0, room, 2)
        )
        lines.append("".join(cells))
    return lines


def _dots(value: float, top: float, most: int) -> int:
    """At least one dot for anything that moves."""
    if value <= 0 or top <= 0:
        return 0
    return max(1, min(most, round(value / top * most)))


def _cell(left: int, right: int, *, base: bool) -> str:
    """One character; the lowest line draws a base line where nothing moved."""
    code = 0
    left, right = max(0, min(4, left)), max(0, min(4, right))
    if left:
        code |= _LEFT[left - 1]
    if right:
        code |= _RIGHT[right - 1]
    if base:
        code |= _LEFT[0] | _RIGHT[0]
    return chr(BRAILLE + code)


def throughput(look: Look, width: int, height: int) -> list[Cell]:
    """Upload and download side by side: a title each, and `height - 1` lines of graph."""
    half = (width - 3) // 2
    if half < 8 or height < 2:
        return []
    site, moved = look.site, look.snapshot.progress.rate
    sides = (("▲ up", site.up, moved.up, "up"), ("▼ down", site.down, moved.down, "down"))
    columns = [_side(*side, half, height) for side in sides]
    return [joined([left, right], "   ") for left, right in zip(*columns, strict=True)]


def _side(
    title: str, values: Sequence[float], now: float, look: str, width: int, height: int
) -> list[Cell]:
    shown = values[-2 * width :]
    peak = max(shown, default=0.0)
    text = f"{title} {rate(now)}"
    room = max(0, width - len(text))
    first: Cell = ((text, look), (fit(f"peak {rate(peak)}", room, right=True), "dim"))
    return [first, *(one(line, look) for line in rows(values, width, height - 1, peak))]
