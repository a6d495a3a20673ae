"""`s3dash locks`: who holds what, and opening a lock whose holder has gone."""

from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli import lists
from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Output
from s3dash.cli.session import Session

if TYPE_CHECKING:
    from s3dash.core.lock import LockInfo


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(locks)
    group.command()(release)
    app.add_typer(group, name="locks")


def locks(context: typer.Context) -> None:
    """List all locks of the datastore. Takes none."""
    if context.invoked_subcommand is None:
        session = Session.of(context)
        found = session.ask(lambda engine: engine.locks())
        session.output.emit({"locks": found}, lambda out: _write(out, found))


def release(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key that `locks` shows.")],
    nonce: Annotated[
        str, typer.Option("--nonce", metavar="N", help="The nonce that `locks` shows.")
    ],
) -> int:
    """Force a lock open.

    Only while it still carries the nonce that you were shown.
    """
    session = Session.of(context)
    session.ask(lambda engine: engine.release_lock(key, nonce))
    session.output.emit({"released": key}, lambda out: out.line("released ", Cell(key, "strong")))
    return OK


def _write(out: Output, found: "list[LockInfo]") -> None:
    if not found:
        out.line("no locks")
    for lock in found:
        out.line(lists.lock_state(lock), "  ", Cell(lists.lock_place(lock), "strong"))
        out.table(
            [
                [Cell("holder", "dim"), lists.lock_holder(lock)],
                [Cell("age", "dim"), lists.lock_age(lock)],
                [Cell("key", "dim"), lock.key],
                [Cell("nonce", "dim"), lock.nonce],
            ]
        )
