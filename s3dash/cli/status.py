"""`s3dash status`: a fresh look at both sides."""

from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli import lists, standings
from s3dash.cli.diagnostics import FAILED, OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.core.text import count, size

if TYPE_CHECKING:
    from s3dash.core.hydration import Hydrated
    from s3dash.core.report import LocalInfo, Status


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(
    context: typer.Context,
    every: Annotated[
        bool, typer.Option("--all-namespaces", help="All namespaces of the datastore, a row each.")
    ] = False,
) -> int:
    """Show what differs here and there, and who holds a lock."""
    session = Session.of(context)
    if every or len(session.options.namespaces) > 1:
        return standings.tell(session)
    return tell_status(session)


def tell_status(session: Session) -> int:
    """Ask and write; an endpoint that does not answer is exit code 1."""
    found = session.ask(lambda engine: engine.status())
    session.output.emit(found, lambda out: write_status(out, found))
    return OK if found.healthy else FAILED


def write_status(out: Output, found: "Status") -> None:
    """A few aligned facts, then a list for everything that is not as it should be."""
    out.table(_facts(found), indent=0)
    if found.namespace and found.registered is False:
        told = f"namespace {found.namespace} is not registered: `s3dash namespaces register`"
        out.line(Cell(told, "warn"))
    if found.leftovers:
        out.line(Cell(standings.leftovers_text(found.leftovers), "warn"))
    if found.message:
        out.line(Cell(found.message, "plain" if found.healthy else "bad"))
    all_changes = "s3dash diff"
    parts = (
        ("Not pushed", lists.change_rows(found.local.dirty), all_changes),
        ("Not pulled", lists.change_rows(found.remote.changed), all_changes),
        ("Conflicts", lists.conflict_rows(found.conflicts), "s3dash conflicts"),
        ("Blocked", lists.blocked_rows(found.blocked), "s3dash status --json"),
        ("Locks", lists.lock_rows(found.locks), "s3dash locks"),
    )
    for title, rows, more in parts:
        if rows:
            out.heading(title, len(rows))
            lists.some(out, rows, more=more)


def _facts(found: "Status") -> list[Row]:
    place = "/".join(part for part in (found.bucket, found.prefix) if part)
    where = f"{place}, namespace {found.namespace}" if found.namespace else place
    rows: list[Row] = [
        [Cell(found.datastore, "strong"), Cell(where)],
        ["endpoint", found.endpoint, _health(found)],
        ["index", _index(found)],
        ["here", count(found.local.files, "file"), _local(found.local)],
        ["bucket", *_bucket(found)],
    ]
    return [[Cell(c, "dim") if i == 0 and isinstance(c, str) else c for i, c in enumerate(row)]
            for row in rows]  # fmt: skip


def _health(found: "Status") -> Cell:
    if not found.healthy:
        return Cell("unusable now", "bad")
    taken = f", {found.latency_ms:.0f} ms" if found.latency_ms is not None else ""
    return Cell(f"healthy{taken}", "good")


def _bucket(found: "Status") -> Row:
    if not found.healthy:
        return ["unknown"]
    behind = len(found.remote.changed)
    news = Cell(f"{behind:,} not pulled", "warn") if behind else Cell("nothing new", "good")
    return [count(found.index.entries, "entry", "entries"), news]


def _index(found: "Status") -> str:
    if not found.healthy:
        return "unknown"
    if not found.index.version:
        return "none yet"
    commit = found.index.commit_seq
    return f"version {found.index.version}" + (f", commit {commit}" if commit is not None else "")


def _left_out(hydrated: "Hydrated") -> str:
    """How much of a lazy cache is here, and what brings the rest."""
    left = hydrated.of - hydrated.files
    if not left:
        return "lazy, and all of it is here"
    bytes_ = size(hydrated.of_bytes - hydrated.bytes)
    percent = int(hydrated.share * 100)
    rest = f"{count(left, 'file')}, {bytes_}, left in the bucket"
    return f"lazy: {percent} % is here, {rest}: `s3dash hydrate PATH` brings it"


def _local(local: "LocalInfo") -> Cell:
    notes = [f"{len(local.dirty):,} not pushed"] if local.dirty else []
    if local.bulk_dirty:
        notes.append("all of it is checked at the next push")
    if local.lazy:
        notes.append(_left_out(local.hydrated))
    return Cell(", ".join(notes), "warn") if notes else Cell("all pushed", "good")
