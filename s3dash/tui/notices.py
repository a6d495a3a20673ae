"""What is worth calling somebody back for, who is looking elsewhere. Pure.

An operation that took long has ended, a path came into conflict, a lock lost its holder. Never
more often than every GAP_S seconds; what comes sooner is told together.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from s3dash.tui.format import count, duration
from s3dash.tui.look import Look, Site

GAP_S = 10.0
AFTER_S = 10.0
"""How long an operation must have taken to be worth a notice, unless the user says otherwise."""

BUSY = ("waiting for lock", "pulling", "pushing", "committing", "backing off")


class _Known(msgspec.Struct, frozen=True):
    """What was seen of a site. `busy` is what it does, since the monotonic second `since`."""

    busy: str = ""
    since: float = 0.0
    conflicts: Sequence[object] = ()
    paths: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()


class Notices:
    """Asked at every look. `after_s` 0 means that nobody wants to be called."""

    def __init__(self, *, after_s: float = AFTER_S) -> None:
        self.after_s = after_s
        self._known: dict[str, _Known] = {}
        self._waiting: list[str] = []
        self._told_at = float("-inf")

    def due(self, look: Look, *, away: bool, sure: bool) -> str:
        """What to tell now, or nothing.

        `away`: the terminal says that it lost the focus. `sure`: it does tell such things. The
        end of an operation is told unless somebody surely looks on, the rest only who is away.
        """
        for site in look.sites:
            before = self._known.get(site.name)
            now = self._known[site.name] = _known(site, look, before)
            if before is None or not self.after_s:
                continue
            if before.busy and not now.busy and (away or not sure):
                self._waiting += self._ended(site, before, look.mono)
            if away:
                self._waiting += _news(site, before, now)
        return self._told(look.mono)

    def _ended(self, site: Site, before: _Known, mono: float) -> list[str]:
        took = mono - before.since
        if took < self.after_s:
            return []
        return [f"{before.busy} of {site.name} ended after {duration(took)}"]

    def _told(self, mono: float) -> str:
        if not self._waiting or mono - self._told_at < GAP_S:
            return ""
        first, more = self._waiting[0], len(self._waiting) - 1
        self._waiting.clear()
        self._told_at = mono
        return f"{first}, and {more} more" if more else first


def _known(site: Site, look: Look, before: _Known | None) -> _Known:
    snapshot, running = site.snapshot, look.running
    busy: str = snapshot.state if snapshot.state in BUSY else ""
    since = look.mono
    if running is not None and running.site == site.name:
        busy, since = running.direction, running.since
    stale = frozenset(lock.key for lock in snapshot.locks if lock.stale)
    if before is not None and before.conflicts is snapshot.conflicts:
        paths = before.paths
    else:
        paths = frozenset(c.path for c in snapshot.conflicts)
    now = _Known(busy, since, snapshot.conflicts, paths, stale)
    return replace(now, since=before.since) if busy and before and before.busy else now


def _news(site: Site, before: _Known, now: _Known) -> list[str]:
    clashes, stale = len(now.paths - before.paths), len(now.stale - before.stale)
    told = [f"{count(clashes, 'new conflict')} in {site.name}"] if clashes else []
    return told + ([f"{count(stale, 'stale lock')} in {site.name}"] if stale else [])
