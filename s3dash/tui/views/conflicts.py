"""View 6: paths that both sides changed, and paths that can exist on one side only."""

from collections.abc import Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from s3dash.core.content import Side, Writers
from s3dash.core.report import ConflictInfo, Version
from s3dash.core.snapshot import Snapshot
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.decisions import Decisions, place_of
from s3dash.tui.format import count, moment, safe
from s3dash.tui.glyphs import BLOCKED, CONFLICT, Sign
from s3dash.tui.look import Look
from s3dash.tui.sides import UNKNOWN, WORDS, facts, short, time_of
from s3dash.tui.views.base import Badge, View, field, head, joined, row_of

OFF = Sign("◌", "put off", "faint")
SIDE, TIME = 17, 12
"""Cells for size and hash of a version, and for its time."""


class Clash(msgspec.Struct, frozen=True):
    """One row: a conflict, or a blocked path with its reason. `off`: put off for this session."""

    path: str
    conflict: ConflictInfo | None = None
    reason: str = ""
    off: bool = False

    @property
    def sign(self) -> Sign:
        if self.off:
            return OFF
        return CONFLICT if self.conflict else BLOCKED

    def version(self, side: Side) -> Version | None:
        return getattr(self.conflict, side) if self.conflict else None


def clashes(snapshot: Snapshot, off: frozenset[str]) -> tuple[Clash, ...]:
    """Open conflicts, then blocked paths, at the end what was put off."""
    conflicts = [Clash(c.path, c, off=c.path in off) for c in snapshot.conflicts]
    return (
        *(row for row in conflicts if not row.off),
        *(Clash(b.path, None, b.reason) for b in snapshot.blocked),
        *(row for row in conflicts if row.off),
    )


class ConflictsView(View[Clash]):
    name = "conflicts"
    number = "6"
    title = "Conflicts"
    markable = True

    def __init__(self, made: Decisions | None = None) -> None:
        self._made = made or Decisions()
        self._seen: tuple[object, ...] = ()
        self._rows: tuple[Clash, ...] = ()
        self._writers = Writers()
        self.fields = {"state": lambda r: r.sign.word}
        self.columns = (
            Column(title="STATE", width=10, cell=lambda r, _: r.sign.cell),
            Column(title="PATH", middle=True, cell=lambda r, _: _path(r)),
            Column(title="LOCAL (this host)", width=SIDE, least=60, cell=_local),
            Column(title="REMOTE (bucket)", width=SIDE, least=74, cell=_remote),
            Column(title="LOCAL TIME", width=TIME, least=108, cell=partial(_time, side="local")),
            Column(title="REMOTE TIME", width=TIME, least=108, cell=partial(_time, side="remote")),
            Column(title="WRITER", width=16, least=126, cell=self._writer_cell),
            Column(title="BASE (before)", width=SIDE, least=140, cell=_base),
            Column(title="BASE TIME", width=TIME, least=154, cell=partial(_time, side="base")),
        )

    def rows(self, look: Look) -> Sequence[Clash]:
        snapshot, off = look.snapshot, self._made.put_off(place_of(look))
        fresh = (snapshot.conflicts, snapshot.blocked, off)
        if len(self._seen) != len(fresh) or any(
            a is not b for a, b in zip(self._seen, fresh, strict=True)
        ):
            self._seen, self._rows = fresh, clashes(snapshot, off)
        return self._rows

    def learn(self, writers: Writers) -> None:
        """Who wrote what, as far as that could be found out."""
        self._writers = writers
        self._rows = tuple(replace(row) for row in self._rows)

    def writer(self, row: Clash, look: Look) -> str:
        """Of the version in the bucket."""
        found = self._writers.remote.get(row.path)
        return f"{found.name}, committed {moment(found.at, look.now)}" if found else UNKNOWN

    def _writer_cell(self, row: Clash, look: Look) -> Cell:
        return one(safe(self.writer(row, look)) if row.version("remote") else "", "dim")

    def key(self, row: Clash) -> str:
        return f"{'conflict' if row.conflict else 'blocked'}:{row.path}"

    def text(self, row: Clash) -> str:
        return f"{row.path} {row.reason}"

    def badge(self, look: Look) -> Badge:
        """Only what is open."""
        rows = self.rows(look)
        conflicts = sum(row.conflict is not None and not row.off for row in rows)
        return Badge(conflicts + len(look.snapshot.blocked), conflicts > 0)

    def summary(self, look: Look) -> Cell:
        rows, blocked = self.rows(look), look.snapshot.blocked
        off = sum(row.off for row in rows)
        conflicts = len(look.snapshot.conflicts) - off
        return joined(
            [
                one(f"{CONFLICT.glyph} {count(conflicts, 'conflict')}", CONFLICT.look)
                if conflicts
                else one("no conflicts" if not off else "no open conflicts", "strong"),
                one(f"{BLOCKED.glyph} {count(len(blocked), 'blocked path')}", BLOCKED.look)
                if blocked
                else (),
                one(f"{OFF.glyph} {off:,} put off", "dim") if off else (),
                one("both versions are kept until you choose", "dim") if conflicts else (),
            ]
        )

    def empty(self, _look: Look) -> list[Cell]:
        return [one("No conflicts.", "good"), one("No path was changed on both sides.", "dim")]

    def detail(self, row: Clash, look: Look) -> list[Cell]:
        lines = [head(safe(row.path)), one(""), row_of("state", row.sign.cell)]
        if row.conflict is None:
            return [*lines, one(""), one("reason", "dim"), one(safe(row.reason), "warn")]
        if row.off:
            lines.append(field("", "for this session; it stays a conflict", "dim"))
        here = f", {safe(self._writers.here)}" if self._writers.here else ""
        sides: tuple[tuple[Side, str, str, str], ...] = (
            ("base", "none known: new on both sides", "", ""),
            ("local", "deleted", here, ""),
            ("remote", "deleted", "", self.writer(row, look)),
        )
        for side, absent, more, writer in sides:
            words = WORDS[side]
            title = f"{words.name:<8}{words.what}{more}"
            version = row.version(side)
            lines += [one(""), one(title, "accent"), *facts(version, absent, look, writer=writer)]
        return [*lines, one(""), *_KEYS]


def _path(row: Clash) -> Cell:
    return one(safe(row.path), "faint" if row.off else "")


def _local(row: Clash, _: Look) -> Cell:
    return _side(row, "local") if row.conflict else one(safe(row.reason), "dim")


def _remote(row: Clash, _: Look) -> Cell:
    return _side(row, "remote") if row.conflict else one("")


def _base(row: Clash, _: Look) -> Cell:
    version = row.version("base")
    return one(short(version) if version else "", "dim")


def _time(row: Clash, look: Look, *, side: Side) -> Cell:
    version = row.version(side)
    return one(time_of(version, look) if version else "", "dim")


def _side(row: Clash, side: Side) -> Cell:
    version = row.version(side)
    return one(short(version), "faint" if row.off else "dim" if version else "del")


_KEYS: tuple[Cell, ...] = (
    (("l", "key"), (" take local  ", "dim"), ("r", "key"), (" take remote  ", "dim")),
    (("b", "key"), (" keep both; what loses stays in the trash", "dim")),
    (("d", "key"), (" diff  ", "dim"), ("s", "key"), (" put off  ", "dim")),
    (("U", "key"), (" undo the last decision  ", "dim"), ("Z", "key"), (" trash", "dim")),
)
