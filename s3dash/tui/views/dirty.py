"""View 2: what differs from base in the cache."""

from collections import Counter
from collections.abc import Sequence

from s3dash.core.snapshot import DirtyRow
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import age, between, count, moment, safe, size
from s3dash.tui.glyphs import CHANGES
from s3dash.tui.look import Look
from s3dash.tui.views.base import Badge, Memo, View, field, head, joined, row_of


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
            lambda rows: Counter(r.change for r in rows)
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
        if look.snapshot.state == "starting":
            return [one(f"Looking at the cache … {safe(look.snapshot.detail)}", "dim")]
        last = look.snapshot.last_push
        when = (
            f"Last push {moment(last, look.now)}." if last else "Nothing was pushed from here yet."
        )
        return [one("Nothing dirty.", "good"), one(when, "dim"), (("p", "key"), (" pull", "dim"))]

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
