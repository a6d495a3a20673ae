"""Throughput as a filled graph of block characters: one value a cell, eight steps a row. Pure."""

from collections.abc import Sequence

from s3dash.tui.cells import Cell, one
from s3dash.tui.format import fit, rate
from s3dash.tui.look import Look
from s3dash.tui.views.base import joined

STEPS = " ▁▂▃▄▅▆▇█"


def rows(values: Sequence[float], width: int, height: int, top: float) -> list[str]:
    """The newest `width` values as `height` lines; `top` is the value of a full column.

    The lowest line is never quite empty: it is the base line that the rest stands on.
    """
    newest = list(values[-width:]) if width > 0 else []
    levels = [0] * (width - len(newest)) + [_level(v, top, height * 8) for v in newest]
    lines = []
    for floor in range((height - 1) * 8, -1, -8):
        least = 1 if floor == 0 else 0
        lines.append("".join(STEPS[max(least, min(8, level - floor))] for level in levels))
    return lines


def _level(value: float, top: float, most: int) -> int:
    """At least two steps for anything that moves, to stand out of the base line."""
    if value <= 0 or top <= 0:
        return 0
    return max(2, min(most, round(value / top * most)))


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
    shown = values[-width:]
    peak = max(shown, default=0.0)
    text = f"{title} {rate(now)}"
    room = max(0, width - len(text))
    first: Cell = ((text, look), (fit(f"peak {rate(peak)}", room, right=True), "dim"))
    return [first, *(one(line, look) for line in rows(values, width, height - 1, peak))]
