"""`s3dash history`: what was done, and what went wrong, newest last."""

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import asdict

from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Look, Output, Row
from s3dash.cli.session import Session

if TYPE_CHECKING:
    from s3dash.core.snapshot import HistoryRow

_LOOKS: dict[str, Look] = {"info": "plain", "warning": "warn", "error": "bad"}


def register(app: typer.Typer) -> None:
    app.command()(history)


def history(
    context: typer.Context,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="The latest N entries.")
    ] = 50,
) -> int:
    """List the latest operations on this cache."""
    session = Session.of(context)
    found = session.ask(lambda engine: engine.history(limit))
    document = {"history": [asdict(row) for row in found]}
    session.output.emit(document, lambda out: _write(out, found))
    return OK


def _write(out: Output, found: "list[HistoryRow]") -> None:
    if not found:
        out.line("nothing yet")
    rows: list[Row] = [
        [Cell(row.at, "dim"), Cell(row.level, _LOOKS[row.level]), row.operation, row.text]
        for row in found
    ]
    out.table(rows, indent=0)
