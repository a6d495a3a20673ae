"""Figures beside the numbers to hold. Pure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One result. `at_most` is the number to hold, None when the figure is for comparison.

    `load` is the load average of the machine when it was taken.
    """

    what: str
    value: float
    unit: str
    at_most: float | None = None
    note: str = ""
    load: float = 0.0

    @property
    def verdict(self) -> str:
        if self.at_most is None:
            return ""
        return "held" if self.value <= self.at_most else "MISSED"


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def number(value: float) -> str:
    """Three figures that mean something."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    head = ("what", "measured", "to hold", "", "load", "note")
    rows = [head, tuple("---" for _ in head)]
    for f in figures:
        bound = "" if f.at_most is None else f"≤ {number(f.at_most)} {f.unit}"
        measured = f"{number(f.value)} {f.unit}"
        rows.append((f.what, measured, bound, f.verdict, f"{f.load:.1f}", f.note))
    widths = [max(len(row[i]) for row in rows[:1] + rows[2:]) for i in range(len(head))]
    rows[1] = tuple("-" * max(3, wide) for wide in widths)
    return "\n".join(
        "| " + " | ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def as_json(figures: Sequence[Figure]) -> list[dict[str, object]]:
    return [{**asdict(figure), "verdict": figure.verdict} for figure in figures]


def from_json(found: Mapping[str, Any]) -> Figure:
    """The figure that `as_json` wrote."""
    return Figure(**{name: value for name, value in found.items() if name != "verdict"})
