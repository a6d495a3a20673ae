"""View 3: what moves, and what became of it."""

from collections.abc import Sequence

from s3dash.core.progress import Transfer
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import bar, count, countdown, eta, percent, rate, safe, size
from s3dash.tui.glyphs import TRANSFERS, Sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import Badge, View, field, head, joined, row_of

_ORDER = {"active": 0, "queued": 1, "paused": 2, "failed": 3, "done": 4, "cancelled": 5}
BAR = 10


def speed(row: Transfer) -> float:
    """Bytes per second: over the last seconds while it moves, over all of it when it is done."""
    if row.state != "done":
        return row.rate
    seconds = row.ended - row.started
    return row.done / seconds if row.started and seconds > 0 else 0.0


def waits_s(row: Transfer, look: Look) -> float:
    """Seconds until it is tried again; 0 when it does not wait."""
    return max(0.0, row.retry_at - look.mono)


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


def _rate(row: Transfer, _: Look) -> Cell:
    return one(rate(speed(row)) if row.state in ("active", "done") else "", "dim")


def _eta(row: Transfer, _: Look) -> Cell:
    return one(eta(row.size - row.done, speed(row)) if row.state == "active" else "", "dim")


def _part(row: Transfer, _: Look) -> Cell:
    going = row.state in ("active", "paused") and row.parts
    return one(f"{row.part}/{row.parts}" if going else "", "dim")


def _state(row: Transfer, look: Look) -> Cell:
    return _sign(row, look).cell


def _sign(row: Transfer, look: Look) -> Sign:
    """The state, or what is about to become of it."""
    if row.wish == "pause":
        return TRANSFERS["paused"]._replace(word="pausing")
    if row.wish == "cancel":
        return TRANSFERS["cancelled"]._replace(word="cancelling")
    if row.state == "active" and waits_s(row, look):
        return Sign("◷", f"waits {waits_s(row, look):.0f} s", "warn")
    sign = TRANSFERS[row.state]
    if row.state in ("queued", "paused") and row.priority:
        return sign._replace(word=f"{sign.word} {row.priority:+d}")
    return sign


class TransfersView(View[Transfer]):
    name = "transfers"
    number = "3"
    title = "Transfers"
    markable = True
    columns = (
        Column(title="", width=1, cell=_direction),
        Column(title="PATH", middle=True, cell=lambda r, _: one(safe(r.path))),
        Column(
            title="SIZE", width=9, right=True, least=84, cell=lambda r, _: one(size(r.size), "dim")
        ),
        Column(title="PROGRESS", width=BAR + 5, least=50, cell=_progress),
        Column(title="RATE", width=11, right=True, least=84, cell=_rate),
        Column(title="ETA", width=7, right=True, least=60, cell=_eta),
        Column(title="PART", width=9, right=True, least=116, cell=_part),
        Column(
            title="TRY",
            width=3,
            right=True,
            least=104,
            cell=lambda r, _: one(str(r.attempt), "dim"),
        ),
        Column(title="STATE", width=12, least=36, cell=_state),
    )

    def __init__(self) -> None:
        self.order = lambda row: (_ORDER[row.state], -row.priority, row.id)
        self.fields = {"state": lambda r: r.state, "dir": lambda r: r.direction}

    def rows(self, look: Look) -> Sequence[Transfer]:
        return look.snapshot.progress.transfers

    def version(self, look: Look) -> object:
        progress = look.snapshot.progress
        newest = progress.transfers[-1].id if progress.transfers else 0
        c = progress.counts
        states = (c.queued, c.active, c.paused, c.failed, c.done, c.cancelled)
        return (newest, len(progress.transfers), states, progress.limits.changes)

    def key(self, row: Transfer) -> str:
        return str(row.id)

    def text(self, row: Transfer) -> str:
        return row.path

    def badge(self, look: Look) -> Badge:
        counts = look.snapshot.progress.counts
        return Badge(counts.unfinished + counts.failed, counts.failed > 0)

    def summary(self, look: Look) -> Cell:
        progress = look.snapshot.progress
        c, moved = progress.counts, progress.rate
        if not progress.transfers:
            return joined([one("no transfers", "dim"), *_limits(look)])
        left = c.bytes_total - c.bytes_done
        going = [
            one(f"{number:,} {state}", "warn" if state == "paused" else "dim")
            for number, state in ((c.active, "active"), (c.queued, "queued"), (c.paused, "paused"))
            if number
        ]
        if c.paused and c.paused == c.unfinished:
            going = [one(f"‖ all that is left is paused: {c.paused:,}", "warn")]
        return joined(
            [
                one(f"{c.done:,} of {count(len(progress.transfers), 'file')}", "strong"),
                one(f"✖ {c.failed:,} failed", "bad") if c.failed else (),
                joined(going, ", "),
                one(f"{c.cancelled:,} cancelled", "dim") if c.cancelled else (),
                one(percent(c.bytes_done, c.bytes_total), "accent"),
                one(f"ETA {eta(left, moved.up + moved.down)}", "dim") if c.active else (),
                *_limits(look),
                one(f"{size(c.bytes_done)} of {size(c.bytes_total)}"),
            ]
        )

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
            row_of("state", _sign(row, look).cell),
            field("size", f"{size(row.size)}  ({row.size:,} bytes)"),
            row_of("progress", _progress(row, look)),
            field("moved", size(row.done)),
            field("attempt", str(row.attempt)),
        ]
        if row.parts:
            lines.append(field("part", f"{row.part} of {row.parts}, {size(row.part_size)} each"))
        if row.priority:
            lines.append(field("priority", f"{row.priority:+d}"))
        if row.started:
            took = (row.ended or look.mono) - row.started
            lines += [field("rate", rate(speed(row))), field("time", countdown(took))]
        return lines + _trouble(row, look)


def _trouble(row: Transfer, look: Look) -> list[Cell]:
    """Why it does not move, and what is next."""
    if waits_s(row, look):
        told = f"backing off {waits_s(row, look):.0f} s ({safe(row.waits_for)})"
        return [one(""), one(told, "warn")]
    if row.state == "paused":
        return [one(""), (("t", "key"), (" lets it go on; nothing is committed before", "dim"))]
    if not row.error:
        return []
    lines = [one(""), one("reason", "dim"), one(safe(row.error), "bad"), one("")]
    return [*lines, (("R", "key"), (f" tries it again{_next(look)}", "dim"))]


def _next(look: Look) -> str:
    auto = look.snapshot.auto
    if not auto.enabled or auto.next_in_s is None:
        return ""
    return f"; auto-sync does so in {countdown(auto.next_in_s)}"


def _limits(look: Look) -> list[Cell]:
    """What holds transfers back: the bandwidth, and numbers that are not those configured."""
    limits, settings = look.snapshot.progress.limits, look.settings
    usual = (settings.push_concurrency, settings.pull_concurrency)
    most = [one(f"≤ {rate(limits.bandwidth)}", "warn")] if limits.bandwidth else []
    if limits.up and (limits.up, limits.down) != usual:
        most.append(one(f"{limits.up}▲ {limits.down}▼ at once", "dim"))
    return most
