"""View 7: the endpoints behind the datastores: how they answer, and what is proved of them."""

from collections.abc import Mapping, Sequence

from s3dash.core.endpoint import percentile
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import count, duration, safe
from s3dash.tui.glyphs import health_sign
from s3dash.tui.look import Look
from s3dash.tui.views import endpoint_detail
from s3dash.tui.views.base import Badge, View, joined
from s3dash.tui.views.places import SKEW_S, UNSAFE, Place, group, identity, locking


def _short(row: Place) -> str:
    """Without `https://`, which is what is expected; the detail shows the whole URL."""
    return safe(f"{row.address.removeprefix('https://')}/{row.bucket}")


def _latency(row: Place, share: float) -> Cell:
    value = percentile(row.latencies, share)
    return one("–", "faint") if value is None else one(f"{value:,.0f} ms", _slow(value))


def _slow(ms: float) -> str:
    return "warn" if ms >= 1000 else ""


def _skew(row: Place, _: Look) -> Cell:
    seconds = row.facts.skew_s
    if seconds is None:
        return one("–", "faint")
    if abs(seconds) < SKEW_S:
        return one("in step", "dim")
    return one(f"{'+' if seconds > 0 else '-'}{duration(abs(seconds))}", "warn")


def _locks(row: Place, _: Look) -> Cell:
    checking = row.checking
    if checking is not None:
        return one(f"▶ {checking.done}/{checking.total or '?'}", "accent")
    return locking(row).cell


def _uploads(row: Place, _: Look) -> Cell:
    found = row.uploads
    if found is None:
        return one("–", "faint")
    if found.problem:
        return one("?", "warn")
    return one(f"{len(found.rows):,}", "warn") if found.rows else one("0", "dim")


class EndpointsView(View[Place]):
    name = "endpoints"
    number = "7"
    title = "Endpoints"
    copies = "URL"
    columns = (
        Column(title="STATE", width=10, cell=lambda r, _: health_sign(r.main.snapshot).cell),
        Column(
            title="ENDPOINT",
            middle=True,
            cell=lambda r, _: one(_short(r), "strong"),
        ),
        Column(title="P50", width=8, right=True, least=52, cell=lambda r, _: _latency(r, 0.5)),
        Column(title="P95", width=8, right=True, least=62, cell=lambda r, _: _latency(r, 0.95)),
        Column(title="LOCKS", width=10, least=40, cell=_locks),
        Column(title="OPEN", width=5, right=True, least=70, cell=_uploads),
        Column(title="SKEW", width=8, right=True, least=92, cell=_skew),
        Column(title="IDENTITY", width=26, least=116, cell=lambda r, _: one(identity(r), "dim")),
    )

    def __init__(self) -> None:
        self._seen: tuple[object, ...] = ()
        self._rows: tuple[Place, ...] = ()
        self.fields = {
            "state": lambda r: health_sign(r.main.snapshot).word,
            "locks": lambda r: locking(r).word,
        }

    def rows(self, look: Look) -> Sequence[Place]:
        seen = (look.site.name, *look.sites)
        if len(seen) != len(self._seen) or any(
            new is not old for new, old in zip(seen, self._seen, strict=True)
        ):
            self._seen, self._rows = seen, group(look.sites, look.site)
        return self._rows

    def key(self, row: Place) -> str:
        return f"{row.address}/{row.bucket}"

    def text(self, row: Place) -> str:
        return f"{row.address} {row.bucket} {' '.join(site.name for site in row.sites)}"

    def path(self, row: Place, _look: Look) -> str:
        return row.address

    def uri(self, row: Place, _look: Look) -> str:
        return f"s3://{row.bucket}"

    def raw(self, row: Place, _look: Look) -> Mapping[str, object]:
        facts, finding = row.facts, row.facts.finding
        return {
            "endpoint": row.address,
            "bucket": row.bucket,
            "identity": identity(row),
            "datastores": [site.name for site in row.sites],
            "healthy": row.main.snapshot.healthy,
            "latency_p50_ms": percentile(row.latencies, 0.5),
            "latency_p95_ms": percentile(row.latencies, 0.95),
            "skew_s": facts.skew_s,
            "locking": row.locking,
            "examined_at": finding.at if finding else None,
            "failing": [proof.name for proof in finding.broken] if finding else [],
            "open_uploads": len(row.uploads.rows) if row.uploads else None,
        }

    def badge(self, look: Look) -> Badge:
        unsafe = sum(1 for row in self.rows(look) if locking(row) is UNSAFE)
        return Badge(unsafe, unsafe > 0)

    def summary(self, look: Look) -> Cell:
        rows = self.rows(look)
        away = sum(1 for row in rows if not row.main.snapshot.healthy)
        unsafe = sum(1 for row in rows if locking(row) is UNSAFE)
        return joined(
            [
                one(count(len(rows), "endpoint"), "strong"),
                one(f"○ {away} offline", "bad") if away else (),
                one(f" ✖ {unsafe} with UNSAFE locks ", "alarm") if unsafe else (),
            ]
        )

    def empty(self, _look: Look) -> list[Cell]:
        return [one("No endpoints.", "dim")]

    def detail(self, row: Place, look: Look) -> list[Cell]:
        return endpoint_detail.lines(row, look)
