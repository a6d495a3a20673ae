"""`s3dash namespaces migrate` and `repair`: into a namespace, out of one, and putting it right."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli import lists
from s3dash.cli.output import Cell, Look, Output, Row
from s3dash.cli.session import Session
from s3dash.cli.sync_ops import DryRun
from s3dash.core.text import count, duration, size
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from s3dash.core.cancel import CancelToken
    from s3dash.core.foreign import Foreign, ForeignReport
    from s3dash.core.moves import Migrated
    from s3dash.core.report import PlanRow
    from s3dash.engine.api import EngineApi

Name = Annotated[str, typer.Argument(metavar="NS", help="The namespace.")]
_ROWS: dict[str, Look] = {"copy": "change", "delete": "remove", "entry": "warn"}
_FOREIGN: dict[str, Look] = {
    "drop": "remove",
    "move": "change",
    "set-aside": "change",
    "keep": "warn",
}


def add_to(group: typer.Typer) -> None:
    """The commands below `s3dash namespaces`."""
    group.command()(migrate)
    group.command()(repair)


def migrate(
    context: typer.Context,
    name: Name,
    to_solo: Annotated[
        bool, typer.Option("--to-solo", help="Out of the namespace, into the solo layout.")
    ] = False,
    dry_run: DryRun = False,
    repo_id: Annotated[
        str, typer.Option("--repo-id", metavar="ID", help="Whose it is; else as configured.")
    ] = "",
) -> int:
    """Move the whole datastore from the solo layout into a namespace, or back.

    On the server; killed at any point, the next run goes on. The originals are deleted last.
    """
    session = Session.of(context)
    with session.engine() as engine:
        done = session.work(engine, _migration(engine, name, to_solo, dry_run, repo_id))
    session.output.emit(done.document(), lambda out: _write_migrated(out, done))
    return done.exit_code


def _migration(
    engine: "EngineApi", name: str, to_solo: bool, dry_run: bool, repo_id: str
) -> "Callable[[CancelToken], Migrated]":
    part = engine.migration

    def job(cancel: "CancelToken") -> "Migrated":
        if dry_run:
            return part.plan(name, to_solo=to_solo, repo_id=repo_id, cancel=cancel).as_result()
        return part.run(name, to_solo=to_solo, repo_id=repo_id, cancel=cancel)

    return job


def repair(
    context: typer.Context,
    name: Name,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; else it is only shown.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show it, as without --apply.")
    ] = False,
) -> int:
    """Find objects below a namespace that belong to another one, and put them right.

    Without --apply nothing is changed. Nothing that is the only copy of some bytes is deleted.
    """
    if apply and dry_run:
        raise UsageError("--apply and --dry-run exclude each other")
    session = Session.of(context)
    with session.engine() as engine:
        part = engine.foreign
        job = part.repair if apply else part.look
        report = session.work(engine, lambda cancel: job(name, cancel=cancel))
    session.output.emit(report.document(), lambda out: _write_foreign(out, report))
    return report.exit_code


# --- for people ---------------------------------------------------------------------------


def _write_migrated(out: Output, done: "Migrated") -> None:
    from s3dash.core.moves import place_name  # late: it takes long to load

    to = place_name(None if done.to_solo else done.namespace)
    if done.plan is not None:
        _write_plan(out, done.plan, to, done.cache_files)
    else:
        _write_done(out, done, to)
    if done.kept:
        out.heading("stay where they are", len(done.kept))
        rows: list[Row] = [[row.path, Cell(row.reason, "warn")] for row in done.kept]
        lists.some(out, rows, more="--json lists them all")


def _write_plan(out: Output, rows: "Sequence[PlanRow]", to: str, cache_files: int) -> None:
    if not rows and not cache_files:
        out.line("nothing to move to ", Cell(to, "strong"))
        return
    total = sum(row.size for row in rows if row.action == "copy")
    out.line("to ", Cell(to, "strong"), f": {count(len(rows), 'object')}, {size(total)} to copy")
    out.line(f"{count(cache_files, 'file')} of this cache would be renamed")
    shown: list[Row] = [
        [Cell(row.action, _ROWS.get(row.action, "plain")), lists.size_cell(row.size), row.path]
        for row in rows
    ]
    lists.some(out, shown, more="--json lists them all")


def _write_done(out: Output, done: "Migrated", to: str) -> None:
    out.line(Cell("in " + to, "strong"), f": {count(done.objects, 'object')}")
    out.line(
        f"copied {done.copied:,} ({size(done.bytes_copied)}), deleted {done.deleted:,} originals, "
        f"renamed {count(done.cache_files, 'file')} of this cache"
    )
    out.line(Cell(f"{count(done.requests, 'request')} in {duration(done.seconds)}", "dim"))
    where = (
        "take `namespace` out of" if done.to_solo else f'put namespace = "{done.namespace}" into'
    )
    out.line(f"now {where} the configuration of every client of this datastore;")
    out.line("run this command once on each other machine to move its cache")


def _write_foreign(out: Output, report: "ForeignReport") -> None:
    if not report.foreign:
        out.line("no foreign objects below ", Cell(report.namespace, "strong"))
        return
    out.table([_foreign(row) for row in report.foreign], indent=0)
    if report.applied:
        return
    if report.by("drop", "move", "set-aside"):
        out.line("nothing was changed; `--apply` does it")


def _foreign(row: "Foreign") -> Row:
    return [
        Cell(row.action, _FOREIGN[row.action]),
        lists.size_cell(row.size or 0),
        row.path,
        Cell(row.reason, "dim"),
    ]
