"""`s3dash push`, `pull` and `sync`: three directions of one operation."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from s3dash.cli import lists, several
from s3dash.cli.output import Cell, Output
from s3dash.cli.session import Session
from s3dash.core.text import count, duration, size
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from s3dash.core.cancel import CancelToken
    from s3dash.core.hydration import Hydration
    from s3dash.core.report import Result
    from s3dash.core.settings import Datastore
    from s3dash.engine.api import EngineApi


class Conflict(StrEnum):
    """What happens to a path that both sides changed."""

    ASK = "ask"
    KEEP_BOTH = "keep-both"
    LOCAL = "local"
    REMOTE = "remote"


Paths = Annotated[
    list[str] | None, typer.Argument(metavar="PATH", help="Only these, and below them.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan; change nothing.")]
Policy = Annotated[
    Conflict | None,
    typer.Option("--conflict", help="For paths that both sides changed; else as configured."),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="TYPE/ID",
        help="Only this model: its data, outputs and evaluated definitions; may be repeated.",
    ),
]
Lazy = Annotated[
    bool,
    typer.Option("--lazy", help="Leave content in the bucket (data/**/raw): metadata only."),
]
Full = Annotated[
    bool, typer.Option("--full", help="Bring that content as well, wherever it was left out.")
]
MaxDelete = Annotated[
    int | None,
    typer.Option("--max-delete", metavar="N", min=0, help="Do nothing if it deletes more than N."),
]


def register(app: typer.Typer) -> None:
    for command in (push, pull, sync):
        app.command()(command)


def push(
    context: typer.Context,
    paths: Paths = None,
    dry_run: DryRun = False,
    conflict: Policy = None,
    max_delete: MaxDelete = None,
    model: Models = None,
    lazy: Lazy = False,
) -> int:
    """Send what changed here to the bucket."""
    return operate(context, "push", paths, dry_run, conflict, max_delete, model, lazy)


def pull(
    context: typer.Context,
    paths: Paths = None,
    dry_run: DryRun = False,
    conflict: Policy = None,
    max_delete: MaxDelete = None,
    model: Models = None,
    lazy: Lazy = False,
    full: Full = False,
) -> int:
    """Bring what changed in the bucket here."""
    wanted = lazy, full
    return operate(context, "pull", paths, dry_run, conflict, max_delete, model, *wanted)


def sync(
    context: typer.Context,
    paths: Paths = None,
    dry_run: DryRun = False,
    conflict: Policy = None,
    max_delete: MaxDelete = None,
    model: Models = None,
    lazy: Lazy = False,
    full: Full = False,
) -> int:
    """Pull, then push."""
    wanted = lazy, full
    return operate(context, "sync", paths, dry_run, conflict, max_delete, model, *wanted)


def operate(
    context: typer.Context,
    name: Literal["push", "pull", "sync"],
    paths: Sequence[str] | None,
    dry_run: bool,
    conflict: Conflict | None,
    max_delete: int | None,
    model: Sequence[str] | None,
    lazy: bool = False,
    full: bool = False,
    *,
    names: Sequence[str] = (),
) -> int:
    """Do it, and write the result; in each of `names`, else in those that the options name."""
    session = Session.of(context)
    models: tuple[str, ...] = ()
    if model:
        from s3dash.core.models import parse

        models = tuple(parse(name).name for name in model)
    if lazy and full:
        raise UsageError("--lazy and --full are opposites")

    def job(engine: "EngineApi", cancel: "CancelToken") -> "Result":
        operation = {"push": engine.push, "pull": engine.pull, "sync": engine.sync}[name]
        result = operation(
            session.selection(paths or (), engine.settings),
            policy=conflict.value if conflict else None,
            max_delete=max_delete,
            dry_run=dry_run,
            cancel=cancel,
            models=models,
            hydration=_hydration(name, engine.settings, lazy=lazy, full=full),
        )
        tenant = engine.settings.namespace
        if names and tenant and _met_nothing(result) and tenant not in engine.namespaces():
            result.unknown.append(tenant)
        return result

    return several.operate(session, names or session.options.namespaces, job, write_result)


def _met_nothing(result: "Result") -> bool:
    """There was no index, and no file that could be sent."""
    met = result.commit_seq is not None or result.unchanged or result.pushed
    return not (met or result.plan or result.blocked or result.failed or result.cancelled)


def _hydration(name: str, settings: "Datastore", *, lazy: bool, full: bool) -> "Hydration | None":
    """A plain pull brings all that the configuration wants here; else the cache stays as it is."""
    if lazy:
        return "lazy"
    is_whole = name == "pull" and settings.hydration == "full"
    return "full" if full or is_whole else None


def write_result(out: Output, result: "Result") -> None:
    """The plan of a dry run, else what was done; then what was not, or could not be."""
    if result.plan is not None:
        _write_plan(out, result)
    else:
        out.line(Cell(result.action, "strong"), ": ", _summary(result))
        out.line(Cell(_cost(result), "dim"))
    lists.tell_unknown(out, result.unknown)
    parts = (
        ("Conflicts: left as they are, on both sides", lists.conflict_rows(result.conflicts)),
        ("Blocked: cannot exist on both sides", lists.blocked_rows(result.blocked)),
        ("Failed", lists.failed_rows(result.failed)),
    )
    for title, rows in parts:
        if rows:
            out.heading(title, len(rows))
            lists.some(out, rows, more=f"s3dash {result.action} --json")


def _write_plan(out: Output, result: "Result") -> None:
    plan = result.plan or []
    rows = lists.plan_rows(plan)
    same = len(plan) - len(rows)
    out.table(rows, indent=0)
    told = count(len(rows), "step") if rows else "nothing to do"
    if same:
        told += f", {count(same, 'path')} the same on both sides already"
    out.line(Cell(f"{result.action}: {told}; a dry run, nothing was changed", "dim"))


def _summary(result: "Result") -> str:
    done = (
        (result.pushed, "pushed"),
        (result.pulled, "pulled"),
        (result.deleted_remote, "deleted in the bucket"),
        (result.deleted_local, "deleted here"),
        (result.copied, "copied in the bucket"),
    )
    words = [f"{number:,} {what}" for number, what in done if number]
    if not words:
        words = ["nothing done" if result.failed or result.conflicts else "nothing to do"]
    return ", ".join([*words, f"{result.unchanged:,} unchanged"])


def _cost(result: "Result") -> str:
    parts = [
        f"{size(result.bytes_up)} up" if result.bytes_up else "",
        f"{size(result.bytes_down)} down" if result.bytes_down else "",
        count(result.requests, "request"),
        duration(result.seconds),
        f"commit {result.commit_seq}" if result.commit_seq is not None else "",
    ]
    return ", ".join(part for part in parts if part)
