"""The last thing that happened, as one line that is always there."""

from s3dash.clock import Clock, iso
from s3dash.core.snapshot import HistoryRow
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import clock_time, safe
from s3dash.tui.glyphs import LEVELS

OWN_S = 1.0
"""How long an engine's note on an operation must not displace what the screen said of it."""


class LastEvent:
    """Takes what the screen tells and what engines note; the later one stands."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._own = ("", 0.0)
        self.cell: Cell = one(" welcome: ? shows the keys", "dim")

    def tell(self, text: str, level: str) -> None:
        """A line of the screen's own. The text may be foreign."""
        self.tell_cell(one(safe(text), LEVELS[level].look if level != "info" else ""), level)

    def tell_cell(self, cell: Cell, level: str) -> None:
        sign = LEVELS[level]
        self._set(iso(self._clock.now()), ((f"{sign.glyph} ", sign.look), *cell))

    def ended(self, operation: str) -> None:
        """The screen told how this operation ended, better than the engine's note will."""
        self._own = (operation, self._clock.monotonic())

    def noted(self, row: HistoryRow, *, site: str) -> None:
        """An engine noted something; `site` names its datastore when it is not the current."""
        operation, at = self._own
        if row.operation == operation and self._clock.monotonic() - at < OWN_S:
            return
        sign = LEVELS[row.level]
        where = f"{safe(site)}: " if site else ""
        text = f"{sign.glyph} {where}{safe(row.operation)}: {safe(row.text)}"
        self._set(row.at, one(text, sign.look))

    def _set(self, at: str, cell: Cell) -> None:
        self.cell = ((f" {clock_time(at)} ", "dim"), *cell)
