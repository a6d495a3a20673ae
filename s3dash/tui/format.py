"""Numbers, times and paths as the screen writes them. Pure; widths are terminal cells.

`safe` is the one sanitiser: every string that came from outside passes through it before it
reaches a widget.
"""

from datetime import datetime

from rich.cells import cell_len, set_cell_size

from s3dash.clock import from_iso
from s3dash.core.text import count, duration, safe, size

__all__ = [
    "age",
    "bar",
    "between",
    "clock_time",
    "count",
    "countdown",
    "duration",
    "eta",
    "fit",
    "moment",
    "percent",
    "rate",
    "safe",
    "short_hash",
    "shorten",
    "size",
    "when",
    "width_of",
]

ELLIPSIS = "…"


def width_of(text: str) -> int:
    return cell_len(text)


def rate(per_second: float) -> str:
    """Bytes per second: `12.4 MiB/s`; what is less than one byte reads `0`."""
    return f"{size(per_second)}/s" if per_second >= 1 else "0"


def percent(done: float, total: float) -> str:
    """Whole percent; 100 only when it is all there. An empty thing is done at once."""
    if total <= 0:
        return "100%"
    share = max(0.0, min(1.0, done / total))
    return f"{int(share * 100)}%"


def bar(done: float, total: float, width: int) -> tuple[str, str]:
    """A progress bar as its filled and its open part, together `width` cells."""
    share = 1.0 if total <= 0 else max(0.0, min(1.0, done / total))
    filled = int(share * width)
    return "━" * filled, "─" * (width - filled)


def countdown(seconds: float) -> str:
    """`00:08`, `12:40`, `2:03:00`; never below zero."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes:02d}:{secs:02d}"


def eta(left: float, per_second: float) -> str:
    """Time to go for `left` bytes, or a dash when nothing can be said."""
    if left <= 0:
        return "00:00"
    if per_second < 1:
        return "–"
    seconds = left / per_second
    return countdown(seconds) if seconds < 100 * 3600 else ">4 d"


def age(seconds: float) -> str:
    """How long ago, coarse on purpose, so that an idle screen stays as it is."""
    if seconds < 60:
        return "<1 min"
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name}"
    raise AssertionError("unreachable: a minute is the smallest unit")


def between(iso: str, now: datetime) -> float | None:
    """Seconds from an ISO time to `now`, or None when the text names no time."""
    then = from_iso(iso)
    return None if then is None else (now - then).total_seconds()


def clock_time(iso: str) -> str:
    """`14:02:09` in the user's zone; what is no time is shown as it is, made safe."""
    then = from_iso(iso)
    return safe(iso) if then is None else then.astimezone().strftime("%H:%M:%S")


def moment(iso: str, now: datetime) -> str:
    """`14:02` today, else `12 Mar 14:02`, in the user's zone; empty reads `never`."""
    if not iso:
        return "never"
    then = from_iso(iso)
    if then is None:
        return safe(iso)
    local = then.astimezone()
    if local.date() == now.astimezone().date():
        return local.strftime("%H:%M")
    return f"{local.day} {local.strftime('%b %H:%M')}"


def when(iso: str, now: datetime) -> str:
    """`14:02:09` today, else with the day before it; what is no time as it is, made safe."""
    then = from_iso(iso)
    if then is None or then.astimezone().date() == now.astimezone().date():
        return clock_time(iso)
    local = then.astimezone()
    return f"{local.day} {local.strftime('%b %H:%M:%S')}"


def short_hash(sha256: str | None) -> str:
    """The first twelve figures, enough for the eye."""
    return safe(sha256[:12]) if sha256 else "not hashed"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells: padded, or cut with an ellipsis."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ELLIPSIS if width > 0 else ""
    gap = " " * (width - length)
    return gap + text if right else text + gap


def shorten(path: str, width: int) -> str:
    """A path in at most `width` cells, cut in the middle: its end tells files apart."""
    if cell_len(path) <= width:
        return path
    if width <= 1:
        return ELLIPSIS[:width]
    name = path.rsplit("/", 1)[-1]
    tail = min(cell_len(name) + 1, (width - 1) * 2 // 3)
    head = width - 1 - tail
    return _head(path, head) + ELLIPSIS + _tail(path, tail)


def _head(text: str, width: int) -> str:
    return set_cell_size(text, width) if width > 0 else ""


def _tail(text: str, width: int) -> str:
    """The last `width` cells; a wide character that does not fit whole is left out."""
    used, start = 0, len(text)
    while start > 0:
        step = cell_len(text[start - 1])
        if used + step > width:
            break
        used += step
        start -= 1
    return text[start:]
