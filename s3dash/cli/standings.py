"""Where this cache stands with every namespace, as a document and as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from s3dash.cli import lists
from s3dash.cli.diagnostics import FAILED, OK
from s3dash.cli.output import Cell, Look, Output, Row
from s3dash.cli.session import Session
from s3dash.core.text import count, size

if TYPE_CHECKING:
    from s3dash.core.outlook import Standing
    from s3dash.core.report import Leftover
    from s3dash.core.trouble import LastCommit


def tell(session: Session) -> int:
    """Ask and write. Where several namespaces were named, they are the only ones told.

    One that cannot be read makes the exit code 1, as `status` of it would.
    """
    named = session.options.namespaces if len(session.options.namespaces) > 1 else ()
    options = session.options.within(None) if named else session.options
    with session.engine(options) as engine:
        rows, left = session.work(
            engine, lambda _: (engine.registry.standings(), engine.registry.leftovers())
        )
    if named:
        rows = _named(rows, named)
    document = {"namespaces": rows, "leftovers": left}
    session.output.emit(document, lambda out: _write(out, rows, left))
    return OK if all(row.healthy for row in rows) else FAILED


def _named(rows: "Sequence[Standing]", names: Sequence[str]) -> "list[Standing]":
    """Those of these names, in their order; one that there is not says so."""
    from s3dash.core.outlook import Standing

    known = {row.namespace: row for row in rows}
    none = "there is no such namespace"
    return [known.get(n) or Standing(namespace=n, healthy=False, message=none) for n in names]


def _write(out: Output, rows: "Sequence[Standing]", left: "Sequence[Leftover]") -> None:
    if not rows:
        out.line("no namespaces")
    out.table([_row(row) for row in rows], indent=0)
    for row in rows:
        if row.message:
            out.line(Cell(f"{_name(row)}: {row.message}", "plain" if row.healthy else "bad"))
    if left:
        out.line(Cell(leftovers_text(left), "warn"))


def _row(row: "Standing") -> Row:
    name = Cell(_name(row), "strong" if row.current else "plain")
    return [
        name,
        _state(row),
        _lock(row),
        index_text(row.index.version, row.index.commit_seq),
        commit_cell(row.last_commit),
        Cell("") if row.registered or row.namespace is None else Cell("not registered", "warn"),
    ]


def _name(row: "Standing") -> str:
    return row.namespace if row.namespace is not None else "(no namespace)"


def _state(row: "Standing") -> Cell:
    """What stands between the cache and the bucket, the worst first."""
    if not row.here:
        return Cell("not here", "dim") if row.healthy else Cell("cannot be read", "bad")
    numbers = (
        (len(row.conflicts), "in conflict"),
        (len(row.local.dirty), "not pushed"),
        (len(row.remote.changed), "not pulled"),
        (len(row.blocked), "blocked"),
    )
    words = [f"{number:,} {what}" for number, what in numbers if number]
    if not row.healthy:
        return Cell(", ".join([*words, "cannot be read"]), "bad")
    return Cell(", ".join(words), "warn") if words else Cell("in sync", "good")


def _lock(row: "Standing") -> Cell:
    if not row.locks:
        return Cell("")
    lock = row.locks[0]
    look: Look = "bad" if lock.stale else "plain"
    return Cell(f"{lists.lock_state(lock).text} {lock.holder or '?'}, {lists.lock_age(lock)}", look)


def index_text(version: int, commit_seq: int | None) -> str:
    if not version:
        return "no index"
    return f"version {version}" + (f", commit {commit_seq}" if commit_seq is not None else "")


def commit_cell(commit: "LastCommit") -> Cell:
    return Cell(f"{commit.at} {commit.by}".strip(), "dim")


def leftovers_text(left: "Sequence[Leftover]") -> str:
    """What lies in the cache and is nobody's here, in one sentence."""
    told = [
        f"{count(row.files, 'file')} ({size(row.size)}) of "
        + ("the layout without namespaces" if row.kind == "solo" else f"namespace {row.name}")
        for row in left
    ]
    return f"left over in the cache, and left alone: {', '.join(told)}"
