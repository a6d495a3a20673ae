"""`s3dash doctor`: what the endpoint really does, proved by trying."""

from typing import TYPE_CHECKING

import typer

from s3dash.cli.diagnostics import NO_LOCK, OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session

if TYPE_CHECKING:
    from s3dash.objectstore.probe import Doctor


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(context: typer.Context) -> int:
    """Prove what the endpoint can do. Exit code 4 when no lock on it can be trusted.

    Writes and deletes small objects under a random key below `_control/s3dash/probe/`.
    """
    session = Session.of(context)
    session.diagnostics.waiting("trying what the endpoint can do; this takes some seconds")
    settings, found = session.services.doctor(session.options)
    document = {
        "endpoint": settings.address,
        "locking": found.locking,
        "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in found.checks],
    }
    session.output.emit(document, lambda out: _write(out, settings.address, found))
    return OK if found.locking == "safe" else NO_LOCK


def _write(out: Output, endpoint: str, found: "Doctor") -> None:
    rows: list[Row] = [
        [Cell("ok", "good") if c.ok else Cell("FAILS", "bad"), c.name, Cell(c.detail, "dim")]
        for c in found.checks
    ]
    out.table(rows, indent=0)
    out.line()
    if found.locking == "safe":
        out.line(endpoint, ": ", Cell("safe", "good"), ", locks on it can be trusted")
    else:
        out.line(endpoint, ": ", Cell("UNSAFE", "bad"), ", no lock on it can be trusted:")
        out.line('push is refused unless the configuration says locking = "unsafe"')
