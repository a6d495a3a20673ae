"""`s3dash diff`: one line for every path that is not the same here and in the bucket."""

from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli import lists
from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session

if TYPE_CHECKING:
    from s3dash.core.plan import Item

_SIDES = {"local": "here", "remote": "bucket", "both": "both"}


def register(app: typer.Typer) -> None:
    app.command()(diff)


def diff(
    context: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="Only these, and below them.")
    ] = None,
) -> int:
    """List what differs: which path, how, on which side, and why."""
    session = Session.of(context)
    plan = session.ask(
        lambda engine: engine.plan(
            "sync", selection=session.selection(paths or (), engine.settings), policy="ask"
        )
    )
    changes = [change for item in plan.items if (change := _change(item))]
    changes.sort(key=lambda change: str(change["path"]))
    document = {"changes": changes, **({"unknown": plan.unknown} if plan.unknown else {})}
    session.output.emit(document, lambda out: _write(out, changes, plan.unknown))
    return OK


def _write(out: Output, changes: "list[dict[str, str | int]]", unknown: "tuple[str, ...]") -> None:
    lists.tell_unknown(out, unknown)
    if not changes:
        out.line("no differences")
        return
    rows: list[Row] = [
        [
            lists.change_cell(str(change["change"])),
            Cell(_SIDES[str(change["side"])], "clash" if change["side"] == "both" else "plain"),
            lists.size_cell(int(change["size"])),
            str(change["path"]),
            Cell(str(change["reason"]), "dim"),
        ]
        for change in changes
    ]
    out.table(rows, indent=0)


def _change(item: "Item") -> "dict[str, str | int] | None":
    """`{path, change, side, size, reason}`; None where both sides agree already."""
    from s3dash.core.diff import Verdict

    kinds = {
        Verdict.LOCAL_ADDED: ("added", "local"),
        Verdict.LOCAL_MODIFIED: ("modified", "local"),
        Verdict.LOCAL_DELETED: ("deleted", "local"),
        Verdict.LOCAL_REVIVED: ("modified", "both"),
        Verdict.REMOTE_ADDED: ("added", "remote"),
        Verdict.REMOTE_MODIFIED: ("modified", "remote"),
        Verdict.REMOTE_DELETED: ("deleted", "remote"),
        Verdict.REMOTE_REVIVED: ("modified", "both"),
        Verdict.CLOBBERED: ("deleted", "remote"),
        Verdict.BOTH_MODIFIED: ("modified", "both"),
        Verdict.BOTH_ADDED: ("added", "both"),
    }
    found = kinds.get(item.change.verdict)
    if found is None:
        return None
    change, side = found
    return {
        "path": item.path,
        "change": change,
        "side": side,
        "size": item.size,
        "reason": item.reason,
    }
