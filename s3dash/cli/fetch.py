"""`s3dash fetch`: one file of another namespace, without joining it."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Output
from s3dash.cli.session import Session
from s3dash.core.text import size
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from s3dash.core.catalog import FetchedFile

STDOUT = "-"


def register(app: typer.Typer) -> None:
    app.command()(fetch)


def fetch(
    context: typer.Context,
    namespace: Annotated[str, typer.Argument(metavar="NS", help="Whose file it is.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="The file, as its catalog names it.")],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Where to: a file, a directory, or - for standard output."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Over another file, or into the cache.")
    ] = False,
) -> int:
    """Bring one file of a namespace here, verified. It is not synced.

    Without --to it goes into the current directory, under its own name.
    """
    session = Session.of(context)
    if not path or path.endswith("/"):
        raise UsageError(
            f"{path or 'an empty PATH'} is no file; fetch brings one",
            hint=f"s3dash namespaces catalog {namespace} lists them",
        )
    if to == STDOUT:
        return _to_stdout(session, namespace, path, force=force)
    target = session.absolute(to or path.rpartition("/")[2])
    done = _fetch(session, namespace, path, target, force=force)
    session.output.emit(done, lambda out: _write(out, done))
    return OK


def _to_stdout(session: Session, namespace: str, path: str, *, force: bool) -> int:
    """Nothing is written before all of it is verified."""
    if session.output.as_json:
        raise UsageError("standard output takes the file or the JSON document, not both")
    if session.output.is_terminal and not force:
        raise UsageError(
            "standard output is a terminal, which obeys what may stand in a foreign file",
            hint="redirect it, or --to FILE; --force writes it all the same",
        )
    with tempfile.TemporaryDirectory(prefix="s3dash-") as scratch:
        target = Path(scratch) / "content"
        _fetch(session, namespace, path, target, force=False)
        with target.open("rb") as file:
            session.output.copy(file)
    return OK


def _fetch(
    session: Session, namespace: str, path: str, target: Path, *, force: bool
) -> "FetchedFile":
    with session.engine() as engine:
        done = session.work(
            engine,
            lambda cancel: engine.catalogs.fetch(
                namespace, path, to=str(target), force=force, cancel=cancel
            ),
        )
    if not done.verified:
        session.diagnostics.note(
            f"{namespace}/{path} is not verified: neither index nor catalog has its SHA-256"
        )
    return done


def _write(out: Output, done: "FetchedFile") -> None:
    what = "fetched" if done.written else "there already, and the same:"
    look = Cell(", verified", "good") if done.verified else Cell(", not verified", "warn")
    name = Cell(f"{done.namespace}/{done.path}", "strong")
    out.line(f"{what} ", name, f" as {done.to}, {size(done.size)}", look)
