"""`s3dash namespaces`: which namespaces the datastore has."""

import typer

from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session


def register(app: typer.Typer) -> None:
    app.command()(namespaces)


def namespaces(context: typer.Context) -> int:
    """List the namespaces that are registered in the bucket."""
    session = Session.of(context)
    current, found = session.ask(lambda engine: (engine.settings.namespace, engine.namespaces()))
    document = {"namespaces": found, "current": current}
    session.output.emit(document, lambda out: _write(out, found, current))
    return OK


def _write(out: Output, found: list[str], current: str | None) -> None:
    if not found:
        out.line("no namespaces")
    rows: list[Row] = [
        [Cell(name, "strong"), Cell("in use", "good")] if name == current else [name]
        for name in found
    ]
    out.table(rows, indent=0)
