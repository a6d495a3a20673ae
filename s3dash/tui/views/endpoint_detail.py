"""All there is to say about an endpoint, line by line. Pure."""

from s3dash.core.endpoint import Checking, Finding, percentile
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import age, bar, count, duration, moment, safe, size, when
from s3dash.tui.glyphs import health_sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import field, head, row_of
from s3dash.tui.views.places import SKEW_S, Place, identity, locking

BAR = 12


def lines(row: Place, look: Look) -> list[Cell]:
    """Who, how fast, what went wrong, what lies open, and what is proved."""
    return [
        head(safe(row.address)),
        one(""),
        *_who(row),
        one(""),
        *_pace(row),
        *_mishaps(row, look),
        one(""),
        *_open(row, look),
        one(""),
        *_proofs(row, look),
        one(""),
        *_KEYS,
    ]


def _who(row: Place) -> list[Cell]:
    names = ", ".join(safe(site.name) for site in row.sites)
    return [
        field("bucket", safe(row.bucket)),
        field("identity", identity(row)),
        field("used by", names),
        row_of("health", health_sign(row.main.snapshot).cell),
    ]


def _pace(row: Place) -> list[Cell]:
    known = row.latencies
    if not known:
        return [field("latency", "no answer yet", "dim"), row_of("clock", _clock(row))]
    p50, p95 = percentile(known, 0.5) or 0.0, percentile(known, 0.95) or 0.0
    return [
        field("latency", f"p50 {p50:,.0f} ms, p95 {p95:,.0f} ms"),
        one(f"{'':<10}of the last {count(len(known), 'small request')}", "dim"),
        row_of("clock", _clock(row)),
    ]


def _clock(row: Place) -> Cell:
    seconds = row.facts.skew_s
    if seconds is None:
        return one("not known yet", "dim")
    if abs(seconds) < SKEW_S:
        return one("in step with ours")
    way = "ahead of" if seconds > 0 else "behind"
    return one(f"{duration(abs(seconds))} {way} ours; locks go by the server's", "warn")


def _mishaps(row: Place, look: Look) -> list[Cell]:
    found = [m for site in row.sites for m in site.snapshot.endpoint.mishaps]
    if not found:
        return [field("errors", "none in this session", "dim")]
    lines: list[Cell] = [one("errors of this session, the latest first", "dim")]
    for mishap in sorted(found, key=lambda m: m.at, reverse=True)[:5]:
        times = f" ×{mishap.times:,}" if mishap.times > 1 else ""
        lines.append(((f"{when(mishap.at, look.now)}{times} ", "dim"), (safe(mishap.text), "bad")))
    return lines


def _open(row: Place, look: Look) -> list[Cell]:
    found = row.uploads
    if found is None:
        return [field("uploads", "not asked yet", "dim")]
    if found.problem:
        return [field("uploads", "could not be listed", "warn"), one(safe(found.problem), "dim")]
    if not found.rows:
        return [field("uploads", f"none open, as of {moment(found.at, look.now)}")]
    oldest = found.oldest_s
    since = "" if oldest is None else f", the oldest {age(oldest)} old"
    held = f"{'' if found.is_whole else 'at least '}{size(found.size)}"
    number = count(len(found.rows), "upload")
    return [field("uploads", f"{number} open, {held}{since}", "warn"), _LIST]


def _proofs(row: Place, look: Look) -> list[Cell]:
    checking = row.checking
    if checking is not None:
        return _under_way(checking)
    sign, facts = locking(row), row.facts
    lines = [row_of("locks", sign.cell)]
    if row.allowed:
        lines.append(one('the configuration says locking = "unsafe":', "bad"))
        lines.append(one("pushes go on though no lock may hold", "bad"))
    if facts.problem:
        lines.append(one(f"✖ the check came to nothing: {safe(facts.problem)}", "bad"))
    if facts.finding is not None:
        return [*lines, *_finding(facts.finding, look)]
    if row.proved_at:
        return [*lines, field("proved", f"{moment(row.proved_at, look.now)}, by a push"), _CHECK]
    return [*lines, one("nobody has examined it from here yet", "dim"), _CHECK]


def _under_way(checking: Checking) -> list[Cell]:
    filled, rest = bar(checking.done, max(1, checking.total), BAR)
    doing = "stopping, and cleaning up …" if checking.stopping else "under way"
    lines: list[Cell] = [
        (("check     ", "dim"), (doing, "accent")),
        (
            (f"{filled}", "accent"),
            (rest, "faint"),
            (f" {checking.done} of {checking.total or '?'} ", ""),
            (safe(checking.latest), "dim"),
        ),
        _STOP,
        one(""),
    ]
    return [*lines, *(_check(p.name, p.detail, ok=p.ok) for p in reversed(checking.proofs))]


def _check(name: str, detail: str, *, ok: bool) -> Cell:
    mark = ("✔ ", "good") if ok else ("✖ ", "bad")
    return (mark, (f"{safe(name)}: ", "" if ok else "bad"), (safe(detail), "dim"))


def _finding(found: Finding, look: Look) -> list[Cell]:
    """What fails comes first; then what holds, each with what was seen."""
    broken, missing = found.broken, found.missing
    lines = [
        field("examined", f"{moment(found.at, look.now)}, {_held(found)}"),
        field("ETags", f"{safe(found.dialect)} in conditions" + (", fenced" * found.fenced)),
    ]
    if missing:
        names = ", ".join(grant.name for grant in missing)
        lines.append(one(f"✖ permissions lacking: {safe(names)}", "bad"))
    lines.append(one(""))
    lines += [_check(p.name, p.detail, ok=False) for p in broken]
    lines += [_check(p.name, p.detail, ok=True) for p in found.checks if p.ok]
    if found.grants:
        lines += [one(""), one("permissions", "dim")]
        lines += [
            _check(g.name, f"{g.granted}, {g.detail}", ok=g.granted == "granted")
            for g in found.grants
        ]
    return lines


def _held(found: Finding) -> str:
    total = len(found.checks)
    held = total - len(found.broken)
    return f"all {total} checks hold" if held == total else f"{held} of {total} checks hold"


_CHECK: Cell = (("c", "key"), (" checks it now", "dim"))
_STOP: Cell = (("x", "key"), (" stops the check", "dim"))
_LIST: Cell = (("M", "key"), (" lists them", "dim"))
_KEYS: tuple[Cell, ...] = (
    (("c", "key"), (" check now  ", "dim"), ("M", "key"), (" open uploads", "dim")),
)
