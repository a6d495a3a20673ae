"""`s3dash conflicts`: the paths that both sides changed, each kept until you choose."""

from typing import TYPE_CHECKING

import typer

from s3dash.cli import lists
from s3dash.cli.diagnostics import OK, REMAINS
from s3dash.cli.output import Output
from s3dash.cli.session import Session

if TYPE_CHECKING:
    from s3dash.core.report import ConflictInfo


def register(app: typer.Typer) -> None:
    app.command()(conflicts)


def conflicts(context: typer.Context) -> int:
    """List the paths that changed here and in the bucket. Exit code 3 when there are any."""
    session = Session.of(context)
    found = session.ask(lambda engine: engine.status().conflicts)
    session.output.emit({"conflicts": found}, lambda out: _write(out, found))
    return REMAINS if found else OK


def _write(out: Output, found: "list[ConflictInfo]") -> None:
    if not found:
        out.line("no conflicts")
        return
    out.table(lists.conflict_rows(found), indent=0)
    out.line("settle them with `s3dash sync PATH --conflict keep-both|local|remote`")
