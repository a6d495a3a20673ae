"""`s3dash control`: small records that tools keep beside the data."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli import lists
from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.core.control import PUT_MOST, check_key, check_size
from s3dash.core.text import count, size
from s3dash.errors import LocalError, UsageError

if TYPE_CHECKING:
    from s3dash.core.control import Content, Record, Written

STDIN = "-"
Key = Annotated[str, typer.Argument(metavar="KEY", help="The record's key, as `list` shows it.")]
Source = Annotated[
    str | None,
    typer.Option("--from", metavar="FILE", help="Where the bytes are; - is standard input."),
]
Dash = Annotated[
    str | None, typer.Argument(metavar="[-]", help="- reads the bytes from standard input.")
]
IfMatch = Annotated[
    str | None,
    typer.Option("--if-match", metavar="ETAG", help="Only while the record is this version."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Also below s3dash/, where its own records lie.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.callback()(control)
    for command in (get, put, delete):
        group.command()(command)
    group.command("put-if-absent")(put_if_absent)
    group.command("list")(list_)
    app.add_typer(group, name="control")


def control() -> None:
    """Small records beside the data: any bytes, 1 MiB at most, by key."""


def get(
    context: typer.Context,
    key: Key,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write the bytes into a file.")
    ] = None,
) -> int:
    """Write a record's bytes to standard output, as they are, or to a file."""
    session = Session.of(context)
    found = session.ask(lambda engine: engine.control.get(key))
    document = found.document()
    if to is not None:
        _save(to, found)
        document = {k: v for k, v in document.items() if k not in ("text", "base64")}
        document["to"] = str(to)
    session.output.emit(document, lambda out: _write_content(out, found, to))
    return OK


def put(
    context: typer.Context,
    key: Key,
    dash: Dash = None,
    source: Source = None,
    if_absent: Annotated[
        bool, typer.Option("--if-absent", help="Only when there is none: the first one wins.")
    ] = False,
    if_match: IfMatch = None,
    force: Force = False,
) -> int:
    """Write a record: the bytes of a file or of standard input."""
    return _put(context, key, dash, source, if_absent, if_match, force)


def put_if_absent(
    context: typer.Context,
    key: Key,
    dash: Dash = None,
    source: Source = None,
    force: Force = False,
) -> int:
    """Write a record only when there is none: `put --if-absent`."""
    return _put(context, key, dash, source, True, None, force)


def list_(
    context: typer.Context,
    prefix: Annotated[str, typer.Argument(metavar="[PREFIX]", help="How the keys begin.")] = "",
    own: Annotated[bool, typer.Option("--all", help="Also what s3dash keeps for itself.")] = False,
) -> int:
    """List the records."""
    session = Session.of(context)
    found = session.ask(lambda engine: engine.control.list(prefix, own=own))
    session.output.emit({"records": found}, lambda out: _write_list(out, found))
    return OK


def delete(context: typer.Context, key: Key, if_match: IfMatch = None, force: Force = False) -> int:
    """Delete a record. One that is not there is an error."""
    session = Session.of(context)
    with session.engine() as engine:
        gone = session.work(
            engine,
            lambda cancel: engine.control.delete(
                key, if_match=if_match, force=force, cancel=cancel
            ),
        )
    document = {"deleted": gone.key, "etag": gone.etag, "size": gone.size}
    session.output.emit(document, lambda out: out.line("deleted ", Cell(gone.key, "strong")))
    return OK


def _put(
    context: typer.Context,
    key: str,
    dash: str | None,
    source: str | None,
    if_absent: bool,
    if_match: str | None,
    force: bool,
) -> int:
    session = Session.of(context)
    check_key(key, root="", writes=True, force=force)  # before standard input is waited for
    body = _bytes(key, dash, source)
    with session.engine() as engine:
        done = session.work(
            engine,
            lambda cancel: engine.control.put(
                key, body, if_absent=if_absent, if_match=if_match, force=force, cancel=cancel
            ),
        )
    session.output.emit(done, lambda out: _write_put(out, done))
    return OK


def _bytes(key: str, dash: str | None, source: str | None) -> bytes:
    if (dash is None) == (source is None) or dash not in (None, STDIN):
        raise UsageError("which bytes?", hint="--from FILE, or - for standard input")
    if source is None or source == STDIN:
        return _checked(key, sys.stdin.buffer.read(PUT_MOST + 1))
    try:
        with Path(source).open("rb") as file:
            return _checked(key, file.read(PUT_MOST + 1))
    except OSError as error:
        raise LocalError(f"{source} cannot be read: {error.strerror}") from error


def _checked(key: str, body: bytes) -> bytes:
    check_size(key, len(body))
    return body


def _save(to: Path, found: "Content") -> None:
    try:
        to.write_bytes(found.body)
    except OSError as error:
        raise LocalError(f"{to} cannot be written: {error.strerror}") from error


def _write_content(out: Output, found: "Content", to: Path | None) -> None:
    if to is None:
        out.content(found.body)
    else:
        out.line(f"{found.record.key}, {size(found.record.size)}: ", Cell(str(to), "strong"))


def _write_put(out: Output, done: "Written") -> None:
    verb = "created " if done.created else "replaced "
    out.line(verb, Cell(done.key, "strong"), Cell(f"  {size(done.size)}, {done.etag}", "dim"))


def _write_list(out: Output, found: "Sequence[Record]") -> None:
    rows: list[Row] = [
        [
            Cell(record.last_modified[:19], "dim"),
            lists.size_cell(record.size),
            Cell(record.key, "strong"),
        ]
        for record in found
    ]
    out.table(rows, indent=0)
    out.line(Cell(count(len(found), "record") if found else "no records", "dim"))
