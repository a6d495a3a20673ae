"""`s3dash namespaces`: which there are, whose, where this cache stands, and several at once."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from s3dash.cli import catalog, namespace_moves, standings, sync_ops
from s3dash.cli.diagnostics import OK
from s3dash.cli.options import names_of
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from s3dash.core.outlook import Registered, Registration

Names = Annotated[list[str] | None, typer.Argument(metavar="NS", help="The namespaces.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(namespaces)
    group.command("register")(register_one)
    group.command()(status)
    for command in (push, pull, sync):
        group.command()(command)
    catalog.add_to(group)
    namespace_moves.add_to(group)
    app.add_typer(group, name="namespaces")


def namespaces(
    context: typer.Context,
    long: Annotated[
        bool, typer.Option("--long", "-l", help="Whose each is, and its last commit.")
    ] = False,
) -> None:
    """List the namespaces that are registered in the bucket."""
    if context.invoked_subcommand is not None:
        return
    session = Session.of(context)
    if long:
        current, rows = session.ask(lambda e: (e.settings.namespace, e.registry.details()))
        names = [row.namespace for row in rows if row.registered]
        document = {"namespaces": names, "current": current, "details": rows}
        session.output.emit(document, lambda out: _write_long(out, rows, current))
    else:
        current, names = session.ask(lambda e: (e.settings.namespace, e.namespaces()))
        document = {"namespaces": names, "current": current}
        session.output.emit(document, lambda out: _write(out, names, current))


def register_one(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NS", help="The namespace; else the configured one.")
    ] = None,
    repo_id: Annotated[
        str, typer.Option("--repo-id", metavar="ID", help="Whose it is; else as configured.")
    ] = "",
) -> int:
    """Register a namespace for a repository.

    The first one wins: that of another repository is refused, the same again changes nothing.
    """
    session = Session.of(context)
    with session.engine() as engine:
        done = session.work(
            engine, lambda cancel: engine.registry.register(name, repo_id=repo_id, cancel=cancel)
        )
    session.output.emit(done, lambda out: _write_registered(out, done))
    return OK


def status(context: typer.Context) -> int:
    """Show where this cache stands with every namespace, in one look."""
    return standings.tell(Session.of(context))


def push(
    context: typer.Context,
    names: Names = None,
    dry_run: sync_ops.DryRun = False,
    conflict: sync_ops.Policy = None,
    max_delete: sync_ops.MaxDelete = None,
) -> int:
    """Send what changed in these namespaces, one after the other."""
    return _scoped(context, "push", names, dry_run, conflict, max_delete)


def pull(
    context: typer.Context,
    names: Names = None,
    dry_run: sync_ops.DryRun = False,
    conflict: sync_ops.Policy = None,
    max_delete: sync_ops.MaxDelete = None,
) -> int:
    """Bring what changed in these namespaces here, one after the other."""
    return _scoped(context, "pull", names, dry_run, conflict, max_delete)


def sync(
    context: typer.Context,
    names: Names = None,
    dry_run: sync_ops.DryRun = False,
    conflict: sync_ops.Policy = None,
    max_delete: sync_ops.MaxDelete = None,
) -> int:
    """Pull, then push, each of these namespaces."""
    return _scoped(context, "sync", names, dry_run, conflict, max_delete)


def _scoped(
    context: typer.Context,
    direction: Literal["push", "pull", "sync"],
    given: list[str] | None,
    dry_run: bool,
    conflict: sync_ops.Conflict | None,
    max_delete: int | None,
) -> int:
    names = names_of(given or ()) or Session.of(context).options.namespaces
    if not names:
        raise UsageError(
            f"which namespaces? `namespaces {direction}` needs their names",
            hint="`s3dash namespaces` lists those that there are",
        )
    none: list[str] = []
    return sync_ops.operate(
        context, direction, none, dry_run, conflict, max_delete, none, names=names
    )


# --- for people ---------------------------------------------------------------------------


def _write(out: Output, found: list[str], current: str | None) -> None:
    if not found:
        out.line("no namespaces")
    rows: list[Row] = [
        [Cell(name, "strong"), Cell("in use", "good")] if name == current else [name]
        for name in found
    ]
    out.table(rows, indent=0)


def _write_long(out: Output, rows: "list[Registered]", current: str | None) -> None:
    if not rows:
        out.line("no namespaces")
    out.table([_long(row, current) for row in rows], indent=0)


def _long(row: "Registered", current: str | None) -> Row:
    owner = Cell(row.repo_id or "?") if row.registered else Cell("not registered", "warn")
    name = Cell(row.namespace, "strong" if row.namespace == current else "plain")
    here = Cell("in use", "good") if row.namespace == current else Cell("")
    last = Cell(row.problem, "bad") if row.problem else standings.commit_cell(row.last_commit)
    return [name, here, owner, standings.index_text(row.index_version, row.commit_seq), last]


def _write_registered(out: Output, done: "Registration") -> None:
    told = "registered" if done.created else f"is registered already, since {done.registered_at}"
    out.line(Cell(done.namespace, "strong"), f" {told}, for repository ", done.repo_id)
