"""View 3: what moves, and what became of it."""

from collections.abc import Sequence

from s3dash.core.progress import Transfer
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import bar, count, countdown, eta, percent, rate, safe, size
from s3dash.tui.glyphs import TRANSFERS
from s3dash.tui.look import Look
from s3dash.tui.views.base import Badge, View, field, head, joined, row_of

_ORDER = {"active": 0, "queued": 1, "paused": 2, "failed": 3, "done": 4, "cancelled": 5}
BAR = 10


def speed(row: Transfer, mono: float) -> float:
    """Bytes per second since it started; 0 before that."""
    end = row.ended or mono
    seconds = end - row.started
    return row.done / seconds if row.started and seconds > 0 else 0.0


def _direction(row: Transfer, _: Look) -> Cell:
    return one("▲", "up") if row.direction == "up" else one("▼", "down")


def _progress(row: Transfer, _: Look) -> Cell:
    filled, rest = bar(row.done, row.size, BAR)
    look = {"failed": "bad", "done": "good", "active": "accent"}.get(row.state, "dim")
    if row.state == "done":
        filled, rest = "━" * BAR, ""
    return ((f"{_share(row):>4} {filled}", look), (rest, "faint"))


def _share(row: Transfer) -> str:
    return "100%" if row.state == "done" else percent(row.done, row.size)


def _rate(row: Transfer, look: Look) -> Cell:
    return one(rate(speed(row, look.mono)) if row.state in ("active", "done") else "", "dim")


def _eta(row: Transfer, look: Look) -> Cell:
    if row.state != "active":
        return one("")
    return one(eta(row.size - row.done, speed(row, look.mono)), "dim")


class TransfersView(View[Transfer]):
    name = "transfers"
    number = "3"
    title = "Transfers"
    columns = (
        Column(title="", width=1, cell=_direction),
        Column(title="PATH", middle=True, cell=lambda r, _: one(safe(r.path))),
        Column(
            title="SIZE", width=9, right=True, least=84, cell=lambda r, _: one(size(r.size), "dim")
        ),
        Column(title="PROGRESS", width=BAR + 5, least=50, cell=_progress),
        Column(title="RATE", width=11, right=True, least=84, cell=_rate),
        Column(title="ETA", width=7, right=True, least=60, cell=_eta),
        Column(
            title="TRY",
            width=3,
            right=True,
            least=104,
            cell=lambda r, _: one(str(r.attempt), "dim"),
        ),
        Column(title="STATE", width=11, least=36, cell=lambda r, _: TRANSFERS[r.state].cell),
    )

    def __init__(self) -> None:
        self.order = lambda row: (_ORDER[row.state], row.id)
        self.fields = {"state": lambda r: r.state, "dir": lambda r: r.direction}

    def rows(self, look: Look) -> Sequence[Transfer]:
        return look.snapshot.progress.transfers

    def version(self, look: Look) -> object:
        progress = look.snapshot.progress
        c = progress.counts
        newest = progress.transfers[-1].id if progress.transfers else 0
        return (newest, len(progress.transfers), c.queued, c.active, c.failed, c.done, c.cancelled)

    def key(self, row: Transfer) -> str:
        return str(row.id)

    def text(self, row: Transfer) -> str:
        return row.path

    def badge(self, look: Look) -> Badge:
        counts = look.snapshot.progress.counts
        return Badge(counts.active + counts.queued + counts.failed, counts.failed > 0)

    def summary(self, look: Look) -> Cell:
        progress = look.snapshot.progress
        c, moved = progress.counts, progress.rate
        if not progress.transfers:
            return one("no transfers", "dim")
        left = c.bytes_total - c.bytes_done
        parts = [
            one(f"{c.done:,} of {count(len(progress.transfers), 'file')}", "strong"),
            one(f"✖ {c.failed:,} failed", "bad") if c.failed else (),
            one(f"{size(c.bytes_done)} of {size(c.bytes_total)}"),
            one(percent(c.bytes_done, c.bytes_total), "accent"),
            one(f"{c.active} active, {c.queued:,} queued", "dim") if c.active or c.queued else (),
            one(f"ETA {eta(left, moved.up + moved.down)}", "dim") if c.active else (),
        ]
        return joined(parts)

    def empty(self, _look: Look) -> list[Cell]:
        return [
            one("Nothing moves.", "good"),
            (
                ("P", "key"),
                (" push   ", "dim"),
                ("p", "key"),
                (" pull   ", "dim"),
                ("s", "key"),
                (" sync", "dim"),
            ),
        ]

    def detail(self, row: Transfer, look: Look) -> list[Cell]:
        verb = "upload" if row.direction == "up" else "download"
        lines = [
            head(safe(row.path)),
            one(""),
            row_of("what", (*_direction(row, look), (f" {verb}", ""))),
            row_of("state", TRANSFERS[row.state].cell),
            field("size", f"{size(row.size)}  ({row.size:,} bytes)"),
            row_of("progress", _progress(row, look)),
            field("moved", size(row.done)),
            field("attempt", str(row.attempt)),
        ]
        if row.started:
            took = (row.ended or look.mono) - row.started
            lines += [field("rate", rate(speed(row, look.mono))), field("time", countdown(took))]
        if row.error:
            lines += [one(""), one("reason", "dim"), one(safe(row.error), "bad")]
        return lines
