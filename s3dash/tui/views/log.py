"""View 9: the journal, one line for each thing worth a line."""

from collections import Counter
from collections.abc import Sequence

from s3dash.core.snapshot import HistoryRow
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import clock_time, count, safe, when
from s3dash.tui.glyphs import LEVELS
from s3dash.tui.look import Look
from s3dash.tui.views.base import Memo, View, field, head, joined, row_of


def _text(row: HistoryRow, _: Look) -> Cell:
    return one(safe(row.text), "" if row.level == "info" else LEVELS[row.level].look)


class LogView(View[HistoryRow]):
    """Operations are told apart by the column WHAT, and by the field `op:`."""

    name = "log"
    number = "9"
    title = "Log"
    copies = "line"
    columns = (
        Column(title="TIME", width=8, least=36, cell=lambda r, _: one(clock_time(r.at), "dim")),
        Column(title="LEVEL", width=9, least=64, cell=lambda r, _: LEVELS[r.level].cell),
        Column(
            title="WHAT", width=10, least=50, cell=lambda r, _: one(safe(r.operation), "accent")
        ),
        Column(title="TEXT", cell=_text),
    )

    def __init__(self) -> None:
        self._levels = Memo[Sequence[HistoryRow], Counter[str]](
            lambda rows: Counter(row.level for row in rows)
        )
        self.fields = {
            "state": lambda r: r.level,
            "level": lambda r: r.level,
            "op": lambda r: r.operation,
        }

    def rows(self, look: Look) -> Sequence[HistoryRow]:
        return look.site.log

    def path(self, row: HistoryRow, _look: Look) -> str:
        return f"{row.at} {row.level} {row.operation}: {row.text}"

    def uri(self, _row: HistoryRow, _look: Look) -> str:
        return ""

    def key(self, row: HistoryRow) -> str:
        return f"{row.at}\0{row.operation}\0{row.text}"

    def text(self, row: HistoryRow) -> str:
        return f"{row.operation} {row.text}"

    def summary(self, look: Look) -> Cell:
        levels = self._levels(look.site.log)
        signs = [
            one(f"{LEVELS[level].glyph} {count(levels[level], level)}", LEVELS[level].look)
            for level in ("error", "warning")
            if levels[level]
        ]
        return joined([one(count(len(look.site.log), "line"), "strong"), *signs])

    def empty(self, _look: Look) -> list[Cell]:
        return [one("Nothing happened yet.", "dim")]

    def detail(self, row: HistoryRow, look: Look) -> list[Cell]:
        return [
            head(safe(row.operation)),
            one(""),
            field("time", when(row.at, look.now)),
            row_of("level", LEVELS[row.level].cell),
            one(""),
            one(safe(row.text), LEVELS[row.level].look if row.level != "info" else ""),
        ]
