"""`s3dash hydrate`: the content that a lazy cache left in the bucket."""

from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli.session import Session
from s3dash.cli.sync_ops import DryRun, write_result

if TYPE_CHECKING:
    from s3dash.core.cancel import CancelToken
    from s3dash.core.report import Result
    from s3dash.engine.api import EngineApi

Wanted = Annotated[
    list[str], typer.Argument(metavar="PATH…", help="These, and below them; «.» is everything.")
]


def register(app: typer.Typer) -> None:
    app.command()(hydrate)


def hydrate(context: typer.Context, paths: Wanted, dry_run: DryRun = False) -> int:
    """Bring the content that a lazy pull left in the bucket; nothing else moves."""
    session = Session.of(context)

    def job(engine: "EngineApi", cancel: "CancelToken") -> "Result":
        chosen = session.selection(paths, engine.settings)
        return engine.hydration.hydrate(chosen, dry_run=dry_run, cancel=cancel)

    with session.engine() as engine:
        result = session.work(engine, lambda cancel: job(engine, cancel))
    session.output.emit(result.document(), lambda out: write_result(out, result))
    return result.exit_code
