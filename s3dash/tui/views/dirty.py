"""View 2: what differs from base in the cache."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from s3dash.core.snapshot import DirtyRow, Snapshot
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import age, between, count, moment, safe, size
from s3dash.tui.glyphs import CHANGES, health_sign, state_sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import Badge, Memo, View, field, head, joined, row_of


def is_first_look(snapshot: Snapshot) -> bool:
    """True until the cache was looked at for the first time."""
    if snapshot.state == "starting":
        return True
    busy = snapshot.state in ("scanning", "comparing")
    return busy and snapshot.healthy and not snapshot.checked_at and not snapshot.files


def last_push(look: Look) -> str:
    """When something last went into the datastore, and by whom where that is known."""
    snapshot = look.snapshot
    commit, own = snapshot.last_commit, snapshot.last_push
    if commit.at:
        by = f" by {safe(commit.by)}" if commit.by else ""
        return f"Last push {moment(commit.at, look.now)}{by}."
    return f"Last push {moment(own, look.now)}." if own else "Nothing was pushed from here yet."


def _age(row: DirtyRow, look: Look) -> Cell:
    seconds = between(row.since, look.now)
    return one("?" if seconds is None else age(seconds), "dim")


class DirtyView(View[DirtyRow]):
    name = "dirty"
    number = "2"
    title = "Dirty"
    markable = True
    columns = (
        Column(title="CHANGE", width=10, cell=lambda r, _: CHANGES[r.change].cell),
        Column(title="PATH", middle=True, cell=lambda r, _: one(safe(r.path))),
        Column(
            title="SIZE", width=9, right=True, least=60, cell=lambda r, _: one(size(r.size), "dim")
        ),
        Column(title="AGE", width=7, right=True, least=72, cell=_age),
        Column(title="WHY", width=22, least=96, cell=lambda r, _: one(safe(r.why), "dim")),
    )

    def __init__(self) -> None:
        self._kinds = Memo[Sequence[DirtyRow], Counter[str]](
            lambda rows: Counter(map(attrgetter("change"), rows))
        )
        self.fields = {"state": lambda r: r.change, "why": lambda r: r.why}

    def rows(self, look: Look) -> Sequence[DirtyRow]:
        return look.snapshot.dirty

    def key(self, row: DirtyRow) -> str:
        return row.path

    def text(self, row: DirtyRow) -> str:
        return row.path

    def badge(self, look: Look) -> Badge:
        return Badge(len(look.snapshot.dirty))

    def summary(self, look: Look) -> Cell:
        kinds = self._kinds(look.snapshot.dirty)
        total = one(
            f"{count(len(look.snapshot.dirty), 'dirty path')}, {size(look.site.dirty_bytes)}",
            "strong",
        )
        signs = [
            one(f"{sign.glyph} {kinds[change]:,} {sign.word}", sign.look)
            for change, sign in CHANGES.items()
            if kinds[change]
        ]
        return joined([total, *signs])

    def empty(self, look: Look) -> list[Cell]:
        """Still looking, with what was counted so far; else when what last was pushed, by whom."""
        snapshot = look.snapshot
        if is_first_look(snapshot):
            sign = state_sign(snapshot)
            return [
                (*sign.cell, (f"  {safe(snapshot.detail)}", "dim")),
                one("Looking at the cache for the first time; keys work meanwhile.", "dim"),
            ]
        lines = [one("Nothing dirty.", "good"), one(last_push(look), "dim")]
        if not snapshot.healthy:
            sign = health_sign(snapshot)
            return [*lines, one(f"{sign.glyph} {sign.word}: the bucket cannot be seen", sign.look)]
        return [*lines, (("p", "key"), (" pull", "dim"))]

    def detail(self, row: DirtyRow, look: Look) -> list[Cell]:
        snapshot, settings = look.snapshot, look.settings
        root = settings.cache / settings.namespace if settings.namespace else settings.cache
        seconds = between(row.since, look.now)
        lines = [
            head(safe(row.path)),
            one(""),
            row_of("change", CHANGES[row.change].cell),
            field("why", safe(row.why)),
            field("size", f"{size(row.size)}  ({row.size:,} bytes)"),
            field(
                "since",
                f"{moment(row.since, look.now)}"
                + ("" if seconds is None else f", {age(seconds)} ago"),
            ),
            field("on disk", safe(str(root / row.path)), "dim"),
        ]
        if any(c.path == row.path for c in snapshot.conflicts):
            lines += [one(""), one("⚠ changed in the bucket too: see 6 Conflicts", "clash")]
        return lines
