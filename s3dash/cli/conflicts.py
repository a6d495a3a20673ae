"""`s3dash conflicts`: the paths that both sides changed, each kept until you choose."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli import lists, sync_ops
from s3dash.cli.diagnostics import OK, REMAINS
from s3dash.cli.output import Output
from s3dash.cli.session import Session
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from s3dash.core.report import ConflictInfo


class Side(StrEnum):
    """Which version gets the name."""

    LOCAL = "local"
    REMOTE = "remote"
    BOTH = "both"


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(conflicts)
    group.command()(resolve)
    app.add_typer(group, name="conflicts")


def conflicts(context: typer.Context) -> int:
    """List the paths that changed here and in the bucket. Exit code 3 when there are any."""
    if context.invoked_subcommand is not None:
        return OK
    session = Session.of(context)
    found = session.ask(lambda engine: engine.conflicts())
    session.output.emit({"conflicts": found}, lambda out: _write(out, found))
    return REMAINS if found else OK


def resolve(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A path that `conflicts` lists.")],
    take: Annotated[
        Side, typer.Option("--take", help="`both`: the bucket's keeps the name, ours gets another.")
    ],
) -> int:
    """Settle one conflict. What is not taken stays readable: see `s3dash trash`.

    Exit code 3 when it remains.
    """
    session = Session.of(context)
    with session.engine() as engine:
        selected = session.selection([path], engine.settings)
        if not selected:
            raise UsageError(f"{path} is the whole cache", hint="name one path of `conflicts`")
        result = session.work(
            engine, lambda cancel: engine.resolve(selected[0], take=take.value, cancel=cancel)
        )
    session.output.emit(result.document(), lambda out: sync_ops.write_result(out, result))
    return result.exit_code or (REMAINS if result.blocked else OK)


def _write(out: Output, found: "list[ConflictInfo]") -> None:
    if not found:
        out.line("no conflicts")
        return
    out.table(lists.conflict_rows(found), indent=0)
    out.line("settle one with `s3dash conflicts resolve PATH --take local|remote|both`")
