"""View 1: every datastore at a glance."""

from collections.abc import Mapping, Sequence

from s3dash.core.snapshot import AutoSync, Snapshot
from s3dash.tui import copying
from s3dash.tui.cells import Cell, one, plain
from s3dash.tui.columns import Column
from s3dash.tui.format import age, count, countdown, moment, percent, safe, size
from s3dash.tui.glyphs import BLOCKED, CONFLICT, STALE, health_sign, lock_sign, state_sign
from s3dash.tui.look import Look, Site
from s3dash.tui.views.base import View, field, head, joined, row_of
from s3dash.tui.views.figures import cache_of, raw_site


def _name(site: Site, look: Look) -> Cell:
    current = site is look.site
    return one(safe(site.name), "strong" if current else "")


def _amount(number: int, look: str) -> Cell:
    return one(f"{number:,}", look) if number else one("–", "faint")


def _dirty(site: Site, _: Look) -> Cell:
    rows = len(site.snapshot.dirty)
    if not rows:
        return one("–", "faint")
    return ((f"{rows:,}", "mod"), (f" · {size(site.dirty_bytes)}", "dim"))


def rhythm(auto: AutoSync) -> str:
    """`every 30 s, 2 s after a change (10 s at the longest)`."""
    told = f"every {auto.interval_s:.0f} s"
    if auto.quiet_s:
        told += f", {auto.quiet_s:.0f} s after a change ({auto.longest_s:.0f} s at the longest)"
    return told


def auto_text(auto: AutoSync) -> Cell:
    """Off, the next round, or why there is none."""
    if not auto.enabled:
        return one("off", "dim")
    if auto.running_s is not None:
        return one("syncing", "good")
    if auto.suspended:
        return one("‖ suspended", "warn")
    if auto.next_in_s is None:
        return one("on", "good")
    return one(f"in {age(auto.next_in_s)}", "good")


def lock_text(site: Site, look: Look) -> Cell:
    """Who holds the lock that a push of this datastore needs."""
    snapshot = site.snapshot
    if snapshot.lock_held_s is not None:
        return one(f"me {countdown(snapshot.lock_held_s)}", "accent")
    for lock in snapshot.locks:
        if lock.scope == "global" or (
            lock.scope == "namespace" and lock.namespace == snapshot.namespace
        ):
            sign = lock_sign(lock, left_s=lock.expires_in_s - (look.mono - site.seen_at))
            word = "stale" if sign is STALE else "held"
            return one(f"{sign.glyph} {word} {safe(lock.holder) or '?'}", sign.look)
    return one("free", "dim")


class OverviewView(View[Site]):
    name = "overview"
    number = "1"
    title = "Overview"
    columns = (
        Column(title="STATE", width=14, cell=lambda s, _: state_sign(s.snapshot).cell),
        Column(title="DATASTORE", cell=_name),
        Column(
            title="NAMESPACE",
            width=10,
            least=50,
            cell=lambda s, _: one(safe(s.snapshot.namespace or "–"), "accent"),
        ),
        Column(title="DIRTY", width=15, least=40, cell=_dirty),
        Column(
            title="BEHIND",
            width=6,
            right=True,
            least=66,
            cell=lambda s, _: _amount(len(s.snapshot.behind), "down"),
        ),
        Column(
            title="⚠",
            width=4,
            right=True,
            least=70,
            cell=lambda s, _: _amount(len(s.snapshot.conflicts), "clash"),
        ),
        Column(
            title="LAST PUSH",
            width=12,
            least=116,
            cell=lambda s, k: one(moment(s.snapshot.last_push, k.now), "dim"),
        ),
        Column(
            title="LAST PULL",
            width=12,
            least=134,
            cell=lambda s, k: one(moment(s.snapshot.last_pull, k.now), "dim"),
        ),
        Column(title="AUTO", width=11, least=90, cell=lambda s, _: auto_text(s.snapshot.auto)),
        Column(title="LOCK", width=16, least=104, cell=lock_text),
    )

    def __init__(self) -> None:
        self.fields = {
            "state": lambda s: state_sign(s.snapshot).word,
            "ns": lambda s: s.snapshot.namespace or "",
            "auto": lambda s: plain(auto_text(s.snapshot.auto)),
        }

    def path(self, row: Site, _look: Look) -> str:
        return str(cache_of(row.settings))

    def uri(self, row: Site, _look: Look) -> str:
        return copying.uri(row.settings, "")

    def raw(self, row: Site, _look: Look) -> Mapping[str, object]:
        return raw_site(row)

    def rows(self, look: Look) -> Sequence[Site]:
        return look.sites

    def key(self, row: Site) -> str:
        return row.name

    def text(self, row: Site) -> str:
        return f"{row.name} {row.snapshot.namespace or ''}"

    def summary(self, look: Look) -> Cell:
        away = sum(1 for site in look.sites if not site.snapshot.healthy)
        dirty = sum(len(site.snapshot.dirty) for site in look.sites)
        return joined(
            [
                one(count(len(look.sites), "datastore"), "strong"),
                one(f"± {dirty:,} dirty", "mod") if dirty else one("nothing dirty", "good"),
                one(f"○ {away} offline", "bad") if away else (),
            ]
        )

    def empty(self, _look: Look) -> list[Cell]:
        return [one("No datastores.", "dim")]

    def detail(self, row: Site, look: Look) -> list[Cell]:
        if row.settings.kind != "cache":
            return _without_cache(row)
        return [
            head(safe(row.name)),
            one(""),
            *_where(row),
            one(""),
            *_condition(row.snapshot, row.dirty_bytes),
            one(""),
            *_rhythm(row, look),
            *_attention(row.snapshot),
        ]


def _without_cache(site: Site) -> list[Cell]:
    return [
        head(safe(site.name)),
        one(""),
        field("holds", site.settings.kind),
        *_where(site)[:2],
        one(""),
        (("8", "key"), (" explores it; there is nothing to sync", "dim")),
    ]


def _where(site: Site) -> list[Cell]:
    settings = site.settings
    place = "/".join(part for part in (settings.bucket, settings.prefix) if part)
    lines = [
        field("endpoint", safe(settings.address)),
        field("bucket", safe(place)),
        field("cache", safe(str(settings.cache)), "dim"),
    ]
    if site.snapshot.namespace:
        lines.append(field("namespace", safe(site.snapshot.namespace), "accent"))
    if site.snapshot.attached:
        lines.append(field("attached", f"to {safe(site.snapshot.attached)}", "accent"))
    return lines


def _condition(snapshot: Snapshot, dirty_bytes: int) -> list[Cell]:
    latency = "" if snapshot.latency_ms is None else f"  {snapshot.latency_ms:.0f} ms"
    index = snapshot.index
    commit = "" if index.commit_seq is None else f", commit {index.commit_seq:,}"
    what = f"v{index.version}, {count(index.entries, 'entry', 'entries')}{commit}"
    return [
        row_of("health", (*health_sign(snapshot).cell, (latency, "dim"))),
        row_of("engine", (*state_sign(snapshot).cell, (f"  {safe(snapshot.detail)}", "dim"))),
        field("index", what if index.version else "none yet"),
        field("here", count(snapshot.files, "file")),
        *_hydrated(snapshot),
        field(
            "dirty",
            f"{count(len(snapshot.dirty), 'path')}, {size(dirty_bytes)}",
            "mod" if snapshot.dirty else "",
        ),
        field("behind", count(len(snapshot.behind), "path"), "down" if snapshot.behind else ""),
    ]


def _hydrated(snapshot: Snapshot) -> list[Cell]:
    """How much of a lazy cache is here, live while more comes."""
    if not snapshot.lazy:
        return []
    found = snapshot.hydrated
    left = found.of - found.files
    told = f"{percent(found.bytes, found.of_bytes)}, {size(found.bytes)} are here"
    if not left:
        return [field("hydrated", told)]
    verb = "is" if left == 1 else "are"
    rest: Cell = ((f"{count(left, 'file')} {verb} left in the bucket: ", "dim"), ("H", "key"))
    return [field("hydrated", told), rest]


def _rhythm(site: Site, look: Look) -> list[Cell]:
    snapshot = site.snapshot
    watch = snapshot.watch
    lines = [
        field("last push", moment(snapshot.last_push, look.now)),
        *_commit(snapshot, look),
        field("last pull", moment(snapshot.last_pull, look.now)),
        row_of("auto-sync", auto_text(snapshot.auto)),
        *([field("", rhythm(snapshot.auto), "dim")] if snapshot.auto.enabled else []),
        field(
            "watching",
            f"{watch.mode}  {safe(watch.detail)}".rstrip(),
            "" if watch.mode == "native" else "warn",
        ),
        row_of("lock", lock_text(site, look)),
    ]
    if snapshot.auto.suspended:
        lines.append(one(safe(snapshot.auto.suspended), "warn"))
    return lines


def _commit(snapshot: Snapshot, look: Look) -> list[Cell]:
    """The latest push of anybody, where the bucket tells."""
    commit = snapshot.last_commit
    if not commit.at:
        return []
    by: Cell = ((f" by {safe(commit.by)}", "accent"),) if commit.by else ()
    return [row_of("in bucket", ((moment(commit.at, look.now), ""), *by))]


def _attention(snapshot: Snapshot) -> list[Cell]:
    lines: list[Cell] = []
    if snapshot.conflicts:
        lines.append(
            one(
                f"{CONFLICT.glyph} {count(len(snapshot.conflicts), 'conflict')}: see 6",
                CONFLICT.look,
            )
        )
    if snapshot.blocked:
        lines.append(
            one(
                f"{BLOCKED.glyph} {count(len(snapshot.blocked), 'blocked path')}: see 6",
                BLOCKED.look,
            )
        )
    if snapshot.message:
        lines.append(one(safe(snapshot.message), "warn" if snapshot.healthy else "bad"))
    return [one(""), *lines] if lines else []
