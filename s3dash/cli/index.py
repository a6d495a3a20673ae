"""`s3dash index`: is the index what the objects are, and putting it right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli import lists
from s3dash.cli.diagnostics import OK, REMAINS
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.core.text import count, duration, size

if TYPE_CHECKING:
    from s3dash.core.index_care import IndexMigrated, Repaired, Verified

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, help="Check, migrate and repair the index.")
    for command in (verify, migrate, repair):
        group.command()(command)
    app.add_typer(group, name="index")


def verify(
    context: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="Read and hash every content too.")] = False,
    sample: Annotated[
        str, typer.Option("--sample", metavar="N|PCT", help="Hash so many contents: 200, or 5%.")
    ] = "",
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Choose the same sample again.")
    ] = None,
) -> int:
    """Hold every entry of the index against its object.

    Writes nothing, takes no lock. Existence and size are compared by one listing.
    """
    session = Session.of(context)
    with session.engine() as engine:
        care = engine.index_care
        found = session.work(
            engine,
            lambda cancel: care.verify(full=full, sample=sample, seed=seed, cancel=cancel),
        )
    session.output.emit(found.document(), lambda out: _write_verified(out, found))
    return OK if found.is_clean else REMAINS


def migrate(context: typer.Context, dry_run: DryRun = False) -> int:
    """Turn an index of version 1 into one of version 2, under the global lock.

    Killed anywhere, the next run ends it. The old index stays where it is.
    """
    session = Session.of(context)
    with session.engine() as engine:
        care = engine.index_care
        done = session.work(engine, lambda cancel: care.migrate(dry_run=dry_run, cancel=cancel))
    session.output.emit(done.document(), lambda out: _write_migrated(out, done))
    return OK


def repair(context: typer.Context, dry_run: DryRun = False) -> int:
    """Put the index right, under the global lock. What is replaced is kept in the bucket."""
    session = Session.of(context)
    with session.engine() as engine:
        care = engine.index_care
        done = session.work(engine, lambda cancel: care.repair(dry_run=dry_run, cancel=cancel))
    session.output.emit(done.document(), lambda out: _write_repaired(out, done))
    return REMAINS if done.left else OK


def _write_verified(out: Output, found: "Verified") -> None:
    out.line(Cell("verify", "strong"), ": ", found.sentence)
    _cost(out, found)
    for facts, name in ((found.meta, "meta"), (found.monolith, "monolith")):
        if facts.problem:
            out.line(Cell(f"{name}: {facts.problem}", "bad"))
    zombies: list[Row] = [
        [z.path, Cell(z.shard or "monolith", "dim"), Cell(z.reason, "warn")] for z in found.zombies
    ]
    wrong: list[Row] = [
        [w.path, Cell(w.reason, "bad"), Cell(_apart(w.expected, w.found), "dim")]
        for w in found.wrong
    ]
    parts: tuple[tuple[str, list[Row]], ...] = (
        ("Corrupt shards", [[c.name, Cell(c.reason, "bad")] for c in found.corrupt_shards]),
        ("Shards that meta leaves out", [[name] for name in found.dropped_shards]),
        ("Shards that are not there", [[name] for name in found.missing_shards]),
        ("Objects that are missing", [[m.path, Cell(m.reason, "bad")] for m in found.missing]),
        ("Objects that are others than the index says", wrong),
        ("Entries that should not be where they are", zombies),
        ("Objects without an entry", [[lists.size_cell(o.size), o.path] for o in found.orphans]),
    )
    _write_parts(out, parts, more="s3dash index verify --json")
    if found.mendable:
        out.line("mend it with `s3dash index repair`; --dry-run shows how")
    if found.missing or found.wrong:
        out.line("`s3dash push` from a machine that has such a file puts it back")


def _apart(expected: int | str, found: int | str) -> str:
    if isinstance(expected, int) and isinstance(found, int):
        return f"{size(expected)} in the index, {size(found)} in the bucket"
    if not (expected or found):
        return ""
    return f"{str(expected)[:8]} in the index, {str(found)[:8]} in the bucket"


def _write_migrated(out: Output, done: "IndexMigrated") -> None:
    out.line(Cell("migrate", "strong"), ": ", done.sentence)
    _cost(out, done)
    rows: list[Row] = [[d.path, Cell(d.reason, "warn")] for d in done.dropped]
    _write_parts(
        out,
        [("Entries that stay in the old index alone", rows)],
        more="s3dash index migrate --json",
    )
    _write_kept(out, done.kept)


def _write_repaired(out: Output, done: "Repaired") -> None:
    out.line(Cell("repair", "strong"), ": ", done.sentence)
    _cost(out, done)
    steps: list[Row] = [
        [Cell(step.what, "change"), step.name, Cell(step.reason, "dim")] for step in done.done
    ]
    left: list[Row] = [[row.path, Cell(row.reason, "warn")] for row in done.left]
    title = "Would be done" if done.dry_run else "Done"
    _write_parts(out, [(title, steps), ("Left as it is", left)], more="s3dash index repair --json")
    _write_kept(out, done.kept)


def _write_parts(out: Output, parts: Sequence[tuple[str, Sequence[Row]]], *, more: str) -> None:
    for title, rows in parts:
        if rows:
            out.heading(title, len(rows))
            lists.some(out, rows, more=more)


def _write_kept(out: Output, kept: str) -> None:
    if kept:
        out.line("what was replaced is kept below ", Cell(kept, "strong"))


def _cost(out: Output, done: "Verified | IndexMigrated | Repaired") -> None:
    out.line(Cell(f"{count(done.requests, 'request')}, {duration(done.seconds)}", "dim"))
