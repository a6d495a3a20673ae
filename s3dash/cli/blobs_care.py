"""`s3dash blobs scrub`, `gc` and `migrate`: the long work on a store of blobs."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from s3dash.cli.diagnostics import OK, PARTLY, REMAINS
from s3dash.cli.lists import SHOWN
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.core.text import count, duration, size
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3dash.stores.blobs.gc import Collected
    from s3dash.stores.blobs.migrate import Migrated
    from s3dash.stores.blobs.model import Failed
    from s3dash.stores.blobs.scrub import Scrubbed

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhd]?)")
FromEnv = Annotated[
    bool,
    typer.Option("--from-env", help="The store that CHECKSTACK_SCRIPT_PACKAGES_S3_… describe."),
]


def register(group: typer.Typer) -> None:
    for command in (scrub, gc, migrate):
        group.command()(command)


def scrub(context: typer.Context, from_env: FromEnv = False) -> int:
    """Read every blob and verify it. Exits with 3 when one is damaged, with 5 when one failed."""
    from s3dash.stores.blobs.scrub import scrub as work
    from s3dash.stores.blobs.store import BlobStore

    session = Session.of(context)
    options = replace(session.options, from_env=from_env)
    with (
        session.store("blobs", writes=False, options=options) as opened,
        session.diagnostics.bytes_moved() as show,
    ):
        found = work(BlobStore(opened), on_bytes=show)
    session.output.emit(found, lambda out: _write_scrub(out, found))
    if found.damaged:
        return REMAINS
    return PARTLY if found.failed else OK


def gc(
    context: typer.Context,
    keep: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A manifest: a lock file, a JSON list, or a name on each line; may be repeated.",
        ),
    ] = None,
    grace: Annotated[
        str, typer.Option(metavar="SPAN", help="Younger ones are kept: 30m, 24h, 7d.")
    ] = "24h",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be deleted.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Even if the manifests name nothing that is here.")
    ] = False,
    from_env: FromEnv = False,
) -> int:
    """Delete the blobs that no manifest names and that nobody put for a while."""
    from s3dash.stores.blobs import manifests
    from s3dash.stores.blobs.gc import collect
    from s3dash.stores.blobs.store import BlobStore

    session, grace_s = Session.of(context), seconds(grace)
    if not keep:
        raise UsageError("which blobs are to be kept?", hint="--keep FILE, a manifest of them")
    paths = [session.absolute(str(path)) for path in keep]
    manifests.read(paths)  # what is wrong with them is told before anything is asked
    options = replace(session.options, from_env=from_env)
    with (
        session.store("blobs", writes=not dry_run, options=options) as opened,
        session.diagnostics.steps() as show,
    ):
        done = collect(
            BlobStore(opened),
            lambda: manifests.read(paths),
            grace_s=grace_s,
            dry_run=dry_run,
            force=force,
            on_step=show,
        )
    session.output.emit(done, lambda out: _write_collected(out, done, grace_s))
    return PARTLY if done.failed else OK


def migrate(
    context: typer.Context,
    to: Annotated[str, typer.Option(metavar="NAME", help="The datastore to copy the blobs to.")],
    from_env: FromEnv = False,
) -> int:
    """Copy all blobs to another datastore, read them back and compare; then say so in a record."""
    from s3dash.stores.blobs.migrate import migrate as work
    from s3dash.stores.blobs.store import BlobStore

    session = Session.of(context)
    options = replace(session.options, from_env=from_env)
    target_options = replace(session.options, datastore=to)
    with (
        session.store("blobs", writes=False, options=options) as source,
        session.store("blobs", writes=True, options=target_options) as target,
        session.diagnostics.bytes_moved() as show,
    ):
        done = work(BlobStore(source), BlobStore(target), on_bytes=show)
    session.output.emit(done, lambda out: _write_migrated(out, done, to))
    return OK if done.complete else PARTLY


def seconds(span: str) -> float:
    """`90`, `30m`, `24h`, `7d`. Raises UsageError for anything else."""
    match = _SPAN.fullmatch(span)
    if match is None:
        raise UsageError(f"{span} is no span of time", hint="like 30m, 24h or 7d")
    return float(match[1]) * _UNITS[match[2]]


def _write_scrub(out: Output, found: "Scrubbed") -> None:
    rows: list[Row] = [
        [Cell("damaged", "bad"), one.integrity, Cell(f"is {one.actual}", "dim")]
        for one in found.damaged
    ]
    out.table(rows, indent=0)
    _some(out, "nothing vouches for", found.unverifiable_names, found.unverifiable)
    _some(out, "no blob", found.foreign_keys, found.foreign)
    _write_failed(out, found.failed)
    verdict = Cell("damaged", "bad") if found.damaged else Cell("none damaged", "good")
    out.line(
        f"{found.verified:,} of {count(found.blobs, 'blob')} verified, {size(found.bytes)}: ",
        f"{len(found.damaged):,} " if found.damaged else "",
        verdict,
    )


def _write_collected(out: Output, done: "Collected", grace_s: float) -> None:
    if done.dry_run:
        _some(out, "would go", done.names, done.candidates)
    _write_failed(out, done.failed)
    verb = "would free" if done.dry_run else "freed"
    gone = f"{count(done.candidates, 'candidate')}, "
    gone += "" if done.dry_run else f"{done.deleted:,} deleted, "
    out.line(
        f"{gone}{verb} {size(done.bytes)}; {done.retained:,} named, "
        f"{done.kept_within_grace:,} younger than {duration(grace_s)}"
    )


def _write_migrated(out: Output, done: "Migrated", to: str) -> None:
    _write_failed(out, done.failed)
    out.line(
        f"{done.copied:,} copied, {done.there:,} there and the same, {done.mended:,} mended: ",
        f"{count(done.blobs, 'blob')}, {size(done.bytes)}",
    )
    if done.complete:
        out.line(Cell("complete", "good"), f": now the configuration may name {to} instead")
    else:
        out.line(Cell("not complete", "warn"), ": the same command goes on from there")


def _some(out: Output, what: str, names: "Sequence[str]", number: int) -> None:
    out.table([[Cell(what, "warn"), name] for name in names[:SHOWN]], indent=0)
    if number > SHOWN:
        out.line(Cell(f"… and {number - SHOWN:,} more: --json names up to 1,000", "dim"))


def _write_failed(out: Output, failed: "Sequence[Failed]") -> None:
    out.table([[one.integrity, Cell(one.error, "bad")] for one in failed], indent=0)
