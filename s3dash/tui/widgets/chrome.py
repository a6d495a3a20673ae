"""The lines around a view, as values: header, tabs, key bar. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from s3dash.tui.cells import EMPTY, Cell, crop, one, spread, width
from s3dash.tui.format import rate, safe, width_of
from s3dash.tui.glyphs import ONLINE, health_sign, state_sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import Badge, joined
from s3dash.tui.views.overview import lock_text


def header(look: Look, room: int) -> Cell:
    """The first line: which datastore, how it is, what moves, who holds the lock.

    What there is no room for goes by weight: latency, lock, our name, rates, then the rest.
    """
    name, title = one(safe(look.site.name), "strong"), one("s3dash", "title")
    lock: Cell = (("lock: ", "dim"), *lock_text(look.site, look))
    rates = _rates(look)
    full, short = _condition(look, latency=True), _condition(look, latency=False)
    for left, right in (
        ([title, name, *full], [rates, lock]),
        ([title, name, *short], [rates, lock]),
        ([title, name, *short], [rates]),
        ([name, *short], [rates]),
        ([name, *short], []),
    ):
        line, end = ((" ", ""), *joined(left)), (*joined(right), (" ", ""))
        if width(line) + width(end) + 1 <= room:
            break
    return spread(line, end, room)


def _rates(look: Look) -> Cell:
    moved = look.snapshot.progress.rate
    up, down = ("up ", "down ") if look.plain else ("↑", "↓")
    return (
        (f"{up}{rate(moved.up)}", "up" if moved.up >= 1 else "dim"),
        (f" {down}{rate(moved.down)}", "down" if moved.down >= 1 else "dim"),
    )


def _condition(look: Look, *, latency: bool) -> list[Cell]:
    """Ordered by weight: what does not fit goes from the end."""
    snapshot = look.snapshot
    health = health_sign(snapshot)
    parts: list[Cell] = [health.cell]
    if latency and health is ONLINE and snapshot.latency_ms is not None:
        parts[0] = (*health.cell, (f" {snapshot.latency_ms:.0f} ms", "dim"))
    if look.settings.locking == "unsafe" or snapshot.endpoint.locking == "unsafe":
        parts.append(one(" LOCKS UNSAFE ", "alarm"))
    if snapshot.read_only:
        parts.append(one(" RO ", "badge"))
    if snapshot.namespace:
        parts.append((("ns:", "dim"), (safe(snapshot.namespace), "accent")))
    if snapshot.attached:
        whose = f"attached to {safe(snapshot.attached)}" if latency else "attached"
        parts.append(one(whose, "dim"))
    if snapshot.state not in ("idle", "offline", "starting", "no cache"):
        busy = state_sign(snapshot).cell
        counts = latency and snapshot.detail and snapshot.state in ("scanning", "comparing")
        parts.append((*busy, (f" {safe(snapshot.detail)}", "dim")) if counts else busy)
    auto = snapshot.auto
    if auto.enabled and auto.suspended:
        parts.append(one("AUTO suspended", "warn"))
    elif auto.enabled:
        parts.append(one(f"AUTO on {auto.interval_s:.0f}s", "good"))
    return parts


class Tab(NamedTuple):
    """A view's tab. `x` and `width` say where it stands."""

    name: str
    number: str
    title: str
    badge: Badge
    x: int = 0
    width: int = 0


def tabs(given: Sequence[Tab], active: str, room: int) -> tuple[Cell, list[Tab]]:
    """The tab bar as the upper edge of the frame, and where each tab came to stand.

    When the room is short the spaces go first, then the titles of the other tabs.
    """
    for pad, letters in ((" ", 99), ("", 99), ("", 5), ("", 0)):
        labels = [_label(tab, active, pad, letters) for tab in given]
        if sum(width(label) + 1 for label in labels) + 1 <= room:
            break
    cell: list[tuple[str, str]] = []
    placed: list[Tab] = []
    x = 0
    for tab, label in zip(given, labels, strict=True):
        cell.append(("┬" if x else "┌", "frame"))
        placed.append(tab._replace(x=x + 1, width=width(label)))
        cell.extend(label)
        x += 1 + width(label)
    rest = max(0, room - x - 1)
    return crop((*cell, ("─" * rest + "┐", "frame")), room), placed


def _label(tab: Tab, active: str, pad: str, letters: int) -> Cell:
    current = tab.name == active
    title = tab.title if current or len(tab.title) <= letters else tab.title[:letters]
    count = f" {tab.badge.number:,}{'!' if tab.badge.urgent else ''}" if tab.badge.number else ""
    name = f" {title}" if title else ""
    if current:
        return one(f"{pad}{tab.number}{name}{count}{pad}", "tab")
    look = "bad" if tab.badge.urgent else "accent"
    return ((f"{pad}{tab.number}", "key"), (name, "dim"), (count, look), (pad, ""))


class KeyHint(NamedTuple):
    key: str
    text: str
    enabled: bool


def key_bar(hints: Sequence[KeyHint], room: int) -> Cell:
    """Keys and what they do; the last one (quit) always stays, others go from the end."""
    if not hints:
        return EMPTY
    *others, last = hints
    left = room - _hint_width(last) - 1
    shown: list[KeyHint] = []
    for hint in others:
        if left < _hint_width(hint):
            break
        left -= _hint_width(hint)
        shown.append(hint)
    parts: list[tuple[str, str]] = [(" ", "")]
    for hint in (*shown, last):
        look = ("key", "") if hint.enabled else ("faint", "faint")
        parts += [(hint.key, look[0]), (f" {hint.text}  ", look[1])]
    return tuple(parts)


def _hint_width(hint: KeyHint) -> int:
    return width_of(hint.key) + width_of(hint.text) + 3


def bottom_edge(room: int, divider: int | None) -> Cell:
    """The lower edge of the frame; `divider` is where list and detail meet, None without it."""
    if room < 2:
        return EMPTY
    inner = ["─"] * (room - 2)
    if divider is not None and 0 < divider < room - 1:
        inner[divider - 1] = "┴"
    return one("├" + "".join(inner) + "┤", "frame")
