"""For an engine that only reads: what the process that owns the cache does, and when it ends."""

from s3dash.core.events import Noted
from s3dash.core.snapshot import BY_CHOICE, HistoryRow
from s3dash.engine.context import Context
from s3dash.errors import CacheBusy, ReadOnly
from s3dash.local.owner import OwnerLock

ROWS = 100
FREE = "let go of the cache"


def need_writable(read_only: str) -> None:
    """Raises ReadOnly when we only look, by choice, and CacheBusy when another owns the cache."""
    if read_only == BY_CHOICE:
        raise ReadOnly("this datastore was opened to look only; nothing was written")
    if read_only:
        raise CacheBusy(
            f"this cache belongs to another s3dash ({read_only}); this one only reads",
            hint="use that one, or stop it first",
        )


class OtherOwner:
    """Asked at each look. What the other notes in the history is told here as it comes."""

    def __init__(self, ctx: Context, who: str) -> None:
        self._ctx = ctx
        self._who = who
        self._owner = OwnerLock(ctx.settings.state_dir)
        self._last = self._newest()
        self._is_gone = False

    def look(self) -> None:
        """Tell what is new. Raises LocalError when the state cannot be read."""
        for row in self._fresh():
            self._tell(row)
        if not self._is_gone and self._owner.is_free():
            self._is_gone = True
            self._tell(HistoryRow(self._ctx.now(), "cache", "warning", f"{self._who} {FREE}"))

    def _newest(self) -> HistoryRow | None:
        rows = self._ctx.state.history(1)
        return rows[-1] if rows else None

    def _fresh(self) -> list[HistoryRow]:
        rows = self._ctx.state.history(ROWS)
        known = [n for n, row in enumerate(rows) if row == self._last]
        if rows:
            self._last = rows[-1]
        return rows[known[-1] + 1 :] if known else rows

    def _tell(self, row: HistoryRow) -> None:
        self._ctx.bus.publish(
            Noted(
                at=row.at,
                datastore=self._ctx.settings.name,
                level=row.level,
                operation=row.operation,
                text=row.text,
            )
        )
