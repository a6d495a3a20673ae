"""`s3dash namespaces catalog` and `search`: what the namespaces hold, without joining them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from s3dash.cli import lists
from s3dash.cli.diagnostics import OK, PARTLY
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.core.text import count, safe, size
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3dash.core.catalog import Catalog, CatalogEntry, Catalogs, Exported, Found, Unread

Name = Annotated[
    str | None, typer.Argument(metavar="NS", help="Print this one's; none: export our own.")
]
All = Annotated[bool, typer.Option("--all", help="Print those of all registered namespaces.")]
Force = Annotated[bool, typer.Option("--force", help="Export even what the bucket has already.")]
Words = Annotated[
    list[str], typer.Argument(metavar="TEXT", help="Words that namespace and path must hold.")
]


def add_to(group: typer.Typer) -> None:
    """The two commands, as commands of `namespaces`."""
    group.command()(catalog)
    group.command()(search)


def catalog(
    context: typer.Context, name: Name = None, every: All = False, force: Force = False
) -> int:
    """Print what a namespace holds. Without NS: export the catalog of our own.

    A namespace that has no catalog is read by its index.
    """
    if (name is not None or every) and force:
        raise UsageError("--force is for the export of our own catalog")
    if name is not None and every:
        raise UsageError("name a namespace, or take --all")
    session = Session.of(context)
    if every:
        return _every(session)
    return _export(session, force=force) if name is None else _one(session, name)


def _export(session: Session, *, force: bool) -> int:
    with session.engine() as engine:
        done = session.work(
            engine, lambda cancel: engine.catalogs.export(force=force, cancel=cancel)
        )
    session.output.emit(done, lambda out: _write_exported(out, done))
    return OK


def _one(session: Session, name: str) -> int:
    with session.engine() as engine:
        found = session.work(engine, lambda cancel: engine.catalogs.read(name, cancel=cancel))
    session.output.emit(found, lambda out: _write(out, found))
    return OK


def _every(session: Session) -> int:
    found = _read_all(session)

    def human(out: Output) -> None:
        for one in found.read:
            out.heading(one.namespace, len(one.entries))
            _write(out, one)
        _write_unread(out, found.unread)

    session.output.emit({"catalogs": found.read, "unread": found.unread}, human)
    return PARTLY if found.unread else OK


def search(context: typer.Context, text: Words) -> int:
    """Find files in all namespaces by words of their path. Case never counts."""
    from s3dash.core import catalog as catalogs

    session = Session.of(context)
    wanted = " ".join(text)
    if not wanted.strip():
        raise UsageError("an empty TEXT finds everything", hint="`namespaces catalog --all` does")
    found = _read_all(session)
    matches = list(catalogs.search(found.read, wanted))
    document = {
        "text": wanted,
        "matches": matches,
        "catalogs": [_summary(one) for one in found.read],
        "unread": found.unread,
    }

    def human(out: Output) -> None:
        _write_found(out, matches)
        for one in found.read:
            if one.note and one.source == "catalog":
                out.line(Cell(f"{one.namespace}: its catalog is {one.note}", "warn"))
        _write_unread(out, found.unread)

    session.output.emit(document, human)
    return PARTLY if found.unread else OK


def _read_all(session: Session) -> "Catalogs":
    with session.engine() as engine:
        return session.work(engine, lambda cancel: engine.catalogs.read_all(cancel=cancel))


def _summary(one: "Catalog") -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "source": one.source,
        "entries": len(one.entries),
        "note": one.note,
    }


# --- for people --------------------------------------------------------------------------


def _write_exported(out: Output, done: "Exported") -> None:
    told = f"{count(done.entries, 'entry', 'entries')}, {size(done.size)}"
    what = "exported" if done.written else "the bucket has it already:"
    out.line(f"{what} the catalog of ", Cell(done.namespace, "strong"), f", {told}")


def _write(out: Output, found: "Catalog") -> None:
    lines = [_line(entry) + safe(entry.path) for entry in found.entries]
    if lines:
        out.raw("\n".join(lines))
    total = size(sum(entry.size for entry in found.entries))
    out.line(Cell(f"{count(len(found.entries), 'file')}, {total}, by its {found.source}", "dim"))
    if found.note:
        out.line(Cell(found.note, "dim"))
    if found.left_out:
        out.heading("Left out: no files here", found.left_out)
        lists.some(out, lists.blocked_rows(found.blocked), more="--json names the first 100")


def _write_found(out: Output, matches: "list[Found]") -> None:
    lines = [f"{_line(found)}{safe(found.namespace)}  {safe(found.path)}" for found in matches]
    if lines:
        out.raw("\n".join(lines))
        out.line(Cell(f"{count(len(matches), 'file')}; bring one: s3dash fetch NS PATH", "dim"))
    else:
        out.line("nothing found")


def _line(entry: "CatalogEntry | Found") -> str:
    """Laid out by hand: there may be very many."""
    time = safe(entry.last_modified[:19])
    return f"{size(entry.size):>9}  {time:19}  {'here' if entry.here else '':4}  "


def _write_unread(out: Output, unread: "Iterable[Unread]") -> None:
    rows: list[Row] = [[one.namespace, Cell(one.problem, "bad")] for one in unread]
    if rows:
        out.heading("Could not be read", len(rows))
        out.table(rows)
