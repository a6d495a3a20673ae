"""`s3dash trash`: what was replaced or deleted, and how to get it back."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli import lists
from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.core.text import count, size
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from s3dash.core.report import TrashItem
    from s3dash.engine.api import EngineApi

Which = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="An id, or how it begins; or a path: its newest version is meant."
    ),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(trash)
    group.command()(restore)
    group.command()(drop)
    app.add_typer(group, name="trash")


def trash(context: typer.Context) -> int:
    """List what can be restored: local files, and versions of the bucket that lost a conflict."""
    if context.invoked_subcommand is None:
        session = Session.of(context)
        found = session.ask(lambda engine: engine.trash())
        session.output.emit({"trash": found}, lambda out: _write(out, found))
    return OK


def restore(
    context: typer.Context,
    which: Which,
    to: Annotated[
        str | None, typer.Option("--to", metavar="PATH", help="Where to; else where it was.")
    ] = None,
) -> int:
    """Put a file back. Never over another one."""
    session = Session.of(context)
    with session.engine() as engine:
        item = _pick(session, engine, which)
        target = _path(session, engine, to) if to is not None else None
        path = session.work(engine, lambda _: engine.restore_trash(item.id, to=target))
    document = {"restored": item.id, "path": path, "sha256": item.sha256, "size": item.size}
    session.output.emit(document, lambda out: out.line("restored ", Cell(path, "strong")))
    return OK


def drop(context: typer.Context, which: Which) -> int:
    """Destroy one file in the trash, even if it is the only copy of its bytes."""
    session = Session.of(context)
    with session.engine() as engine:
        item = _pick(session, engine, which)
        session.work(engine, lambda _: engine.drop_trash(item.id))
    document = {"dropped": item.id, "path": item.path, "sha256": item.sha256, "size": item.size}
    name = item.path or item.id
    session.output.emit(document, lambda out: out.line("dropped ", Cell(name, "strong")))
    return OK


def _pick(session: Session, engine: "EngineApi", which: str) -> "TrashItem":
    items = session.work(engine, lambda _: engine.trash())
    return pick(items, which, lambda: _path(session, engine, which))


def pick(items: "Sequence[TrashItem]", which: str, path: Callable[[], str]) -> "TrashItem":
    """The item that is meant: by id, by the beginning of one, else the newest of a path.

    Raises UsageError when none or several are.
    """
    begun = [item for item in items if which and item.id.startswith(which)]
    if len(begun) > 1:
        raise UsageError(
            f"{which} is the beginning of {len(begun)} ids", hint="`s3dash trash` lists them whole"
        )
    if begun:
        return begun[0]
    rel = path()
    versions = [item for item in items if item.path == rel]
    if not versions:
        raise UsageError(f"{which} is not in the trash", hint="`s3dash trash` lists what is")
    return versions[-1]


def _path(session: Session, engine: "EngineApi", given: str) -> str:
    selected = session.selection([given], engine.settings)
    if not selected:
        raise UsageError(f"{given} is the whole cache, not a file in it")
    return selected[0]


def _write(out: Output, found: "Sequence[TrashItem]") -> None:
    if not found:
        out.line("the trash is empty")
        return
    rows: list[Row] = [
        [
            Cell(item.id, "strong"),
            Cell(item.at[:19], "dim"),
            lists.size_cell(item.size),
            Cell(item.sha256[:8], "dim"),
            item.path or Cell("(not known)", "dim"),
            Cell(item.reason, "dim" if item.expires else "warn"),
        ]
        for item in found
    ]
    out.table(rows, indent=0)
    total = size(sum(item.size for item in found))
    out.line(Cell(f"{count(len(found), 'file')}, {total}", "dim"))
    out.line("put one back with `s3dash trash restore ID [--to PATH]`")
