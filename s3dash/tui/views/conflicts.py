"""View 6: paths that both sides changed, and paths that can exist on one side only."""

from collections.abc import Sequence
from dataclasses import dataclass

from s3dash.core.report import Blocked, ConflictInfo, Version
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import count, safe, short_hash, size
from s3dash.tui.glyphs import BLOCKED, CONFLICT, Sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import Badge, View, field, head, joined, row_of


@dataclass(frozen=True, slots=True)
class Clash:
    """One row: a conflict, or a blocked path with its reason."""

    path: str
    conflict: ConflictInfo | None = None
    reason: str = ""

    @property
    def sign(self) -> Sign:
        return CONFLICT if self.conflict else BLOCKED


def _side(version: Version | None) -> Cell:
    if version is None:
        return one("deleted", "del")
    return one(f"{size(version.size)} {short_hash(version.sha256)[:8]}", "dim")


def _local(row: Clash, _: Look) -> Cell:
    return _side(row.conflict.local) if row.conflict else one(safe(row.reason), "dim")


def _remote(row: Clash, _: Look) -> Cell:
    return _side(row.conflict.remote) if row.conflict else one("")


def clashes(pair: tuple[tuple[ConflictInfo, ...], tuple[Blocked, ...]]) -> tuple[Clash, ...]:
    conflicts, blocked = pair
    return (
        *(Clash(c.path, c) for c in conflicts),
        *(Clash(b.path, None, b.reason) for b in blocked),
    )


class ConflictsView(View[Clash]):
    name = "conflicts"
    number = "6"
    title = "Conflicts"
    markable = True
    columns = (
        Column(title="STATE", width=10, cell=lambda r, _: r.sign.cell),
        Column(title="PATH", middle=True, cell=lambda r, _: one(safe(r.path))),
        Column(title="LOCAL", width=18, least=60, cell=_local),
        Column(title="REMOTE", width=18, least=72, cell=_remote),
    )

    def __init__(self) -> None:
        self._seen: tuple[object, object] = (None, None)
        self._rows: tuple[Clash, ...] = ()
        self.fields = {"state": lambda r: r.sign.word}

    def rows(self, look: Look) -> Sequence[Clash]:
        snapshot = look.snapshot
        if self._seen[0] is not snapshot.conflicts or self._seen[1] is not snapshot.blocked:
            self._seen = (snapshot.conflicts, snapshot.blocked)
            self._rows = clashes((snapshot.conflicts, snapshot.blocked))
        return self._rows

    def key(self, row: Clash) -> str:
        return f"{row.sign.word}:{row.path}"

    def text(self, row: Clash) -> str:
        return f"{row.path} {row.reason}"

    def badge(self, look: Look) -> Badge:
        conflicts = len(look.snapshot.conflicts)
        return Badge(conflicts + len(look.snapshot.blocked), conflicts > 0)

    def summary(self, look: Look) -> Cell:
        conflicts, blocked = look.snapshot.conflicts, look.snapshot.blocked
        return joined(
            [
                one(f"{CONFLICT.glyph} {count(len(conflicts), 'conflict')}", CONFLICT.look)
                if conflicts
                else one("no conflicts", "strong"),
                one(f"{BLOCKED.glyph} {count(len(blocked), 'blocked path')}", BLOCKED.look)
                if blocked
                else (),
                one("both versions are kept until you choose", "dim") if conflicts else (),
            ]
        )

    def empty(self, _look: Look) -> list[Cell]:
        return [one("No conflicts.", "good"), one("No path was changed on both sides.", "dim")]

    def detail(self, row: Clash, _look: Look) -> list[Cell]:
        lines = [head(safe(row.path)), one(""), row_of("state", row.sign.cell)]
        conflict = row.conflict
        if conflict is None:
            return [*lines, one(""), one("reason", "dim"), one(safe(row.reason), "warn")]
        for title, version, absent in (
            ("BASE    what both sides last had", conflict.base, "none known: new on both sides"),
            ("LOCAL   this host", conflict.local, "deleted"),
            ("REMOTE  the bucket", conflict.remote, "deleted"),
        ):
            lines += [one(""), one(title, "accent"), *_version(version, absent)]
        return [*lines, one(""), *_KEYS]


_KEYS: tuple[Cell, ...] = (
    (("l", "key"), (" take local  ", "dim"), ("r", "key"), (" take remote  ", "dim")),
    (("b", "key"), (" keep both; what loses stays in the trash", "dim")),
)


def _version(version: Version | None, absent: str) -> list[Cell]:
    if version is None:
        return [field("", absent, "dim")]
    digest = safe(version.sha256) if version.sha256 else "not hashed"
    return [
        field("size", f"{size(version.size)}  ({version.size:,} bytes)"),
        field("SHA-256", digest),
    ]
