"""`s3dash config`: what is configured, and whether it can work."""

from typing import Any

import typer

from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.core.text import count


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        rich_markup_mode=None, help="Show or check the configuration.", no_args_is_help=False
    )
    group.command()(show)
    group.command()(check)
    app.add_typer(group, name="config")


def show(context: typer.Context) -> int:
    """Show every setting that is in force, and what set it; credentials as references only."""
    session = Session.of(context)
    found = session.services.described(session.options)
    session.output.emit(found, lambda out: _write_settings(out, found))
    return OK


def check(context: typer.Context) -> int:
    """Check the configuration, and that every credential reference leads somewhere."""
    session = Session.of(context)
    found = session.services.checked(session.options)
    session.output.emit({"ok": True, **found}, lambda out: _write_check(out, found))
    return OK


def _write_settings(out: Output, found: dict[str, Any]) -> None:
    out.line(Cell("from ", "dim"), found["source"])
    for name, fields in found["datastores"].items():
        out.line()
        mark = Cell("  (the one that is meant)", "dim") if name == found["default"] else ""
        out.line(Cell(name, "strong"), mark)
        origins = found.get("origins", {}).get(name, {})
        rows: list[Row] = []
        for field, value in fields.items():
            origin = Cell(origins.get(field, ""), "dim")
            if isinstance(value, dict):
                rows += [[Cell(f"{field}.{k}", "dim"), str(v), origin] for k, v in value.items()]
            elif field != "name":
                rows.append([Cell(field, "dim"), _shown(value), origin])
        out.table(rows)
    _write_screen(out, found.get("screen", {}))


def _write_screen(out: Output, fields: dict[str, Any]) -> None:
    """How the screen is to be; remapped keys and themes by name."""
    rows: list[Row] = []
    for field, value in fields.items():
        if not isinstance(value, dict):
            rows.append([Cell(field, "dim"), _shown(value)])
        for name, given in value.items() if isinstance(value, dict) else ():
            told = ", ".join(given) or "no key" if field == "keys" else given["primary"]
            rows.append([Cell(f"{field}.{name}", "dim"), told])
    if rows:
        out.line()
        out.line(Cell("screen", "strong"))
        out.table(rows)


def _shown(value: object) -> Cell:
    if value is None or value in ("", []):
        return Cell("none", "dim")
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    return Cell(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _write_check(out: Output, found: dict[str, Any]) -> None:
    names = found["datastores"]
    listed = f" ({', '.join(names)})"
    out.line(
        found["source"], ": ", Cell("fine", "good"), f", {count(len(names), 'datastore')}{listed}"
    )
    out.table([[Cell("warning", "warn"), text] for text in found["warnings"]])
