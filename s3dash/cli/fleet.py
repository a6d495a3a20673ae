"""`s3dash fleet`: who else writes to the datastore, and what they did last."""

from typing import TYPE_CHECKING

import typer

from s3dash.cli import lists
from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.core.text import count

if TYPE_CHECKING:
    from s3dash.core.fleet import Commit, FleetView, Place, Writer

PLAIN = "a plain client"
PATHS = 3


def register(app: typer.Typer) -> None:
    app.command()(fleet)


def fleet(context: typer.Context) -> int:
    """Show who else writes here: last commits, what they changed, and who holds a lock."""
    session = Session.of(context)
    with session.engine() as engine:
        seen = session.work(engine, lambda cancel: engine.fleet.look(cancel=cancel))
    session.output.emit(seen.document(), lambda out: _write(out, seen))
    return OK


def _write(out: Output, seen: "FleetView") -> None:
    if not seen.writers:
        out.line("nobody has written here yet")
    for writer in seen.writers:
        _write_writer(out, writer)
    if seen.places:
        out.heading("Indexes", len(seen.places))
        out.table([_place_row(place) for place in seen.places])
    if seen.skipped:
        out.line(Cell(f"{count(seen.skipped, 'namespace')} more were not looked at", "warn"))


def _write_writer(out: Output, writer: "Writer") -> None:
    name = Cell(writer.holder or "somebody", "strong")
    me = Cell("  this user and host", "good") if writer.mine else ""
    out.line(name, me, Cell(f"  {writer.client or PLAIN}", "dim"))
    rows: list[Row] = [
        [Cell("lock", "dim"), lists.lock_state(lock), lists.lock_place(lock), lists.lock_age(lock)]
        for lock in writer.locks
    ]
    if writer.last is not None:
        rows.append([Cell("commit", "dim"), *_commit(writer.last)])
    out.table(rows)
    if writer.last is not None:
        paths = writer.last.paths[:PATHS]
        out.table([[Cell(path)] for path in paths], indent=10)


def _commit(commit: "Commit") -> list[Cell | str]:
    where = commit.namespace or "whole datastore"
    number = f"commit {commit.seq}" if commit.seq is not None else "no number"
    return [Cell(commit.at[:19]), Cell(where), Cell(number, "dim"), Cell(changes(commit), "dim")]


def changes(commit: "Commit") -> str:
    """`3 added, 1 deleted`; that nothing is known of a plain client's."""
    if commit.added is None:
        return "what it changed is on no record"
    counts = (
        (commit.added, "added"),
        (commit.modified, "modified"),
        (commit.deleted, "deleted"),
    )
    return ", ".join(f"{number:,} {what}" for number, what in counts if number) or "nothing"


def _place_row(place: "Place") -> Row:
    if place.problem:
        return [Cell(place.namespace or "whole datastore", "strong"), Cell(place.problem, "bad")]
    number = f"commit {place.seq}" if place.seq is not None else "version 1"
    last = f"{place.written_at[:19]}" if place.written_at else "never written"
    by = Cell("last by a plain client", "warn") if place.by_plain else Cell("")
    return [
        Cell(place.namespace or "whole datastore", "strong"),
        Cell(last, "dim"),
        Cell(number if place.written_at else "", "dim"),
        Cell(place.repo_id, "dim"),
        by,
    ]
