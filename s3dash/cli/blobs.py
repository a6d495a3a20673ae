"""`s3dash blobs`: blobs by their integrity."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from msgspec.structs import replace

from s3dash.cli import blobs_care
from s3dash.cli.blobs_care import FromEnv
from s3dash.cli.diagnostics import FAILED, OK
from s3dash.cli.lists import size_cell
from s3dash.cli.output import Cell, Look, Output
from s3dash.cli.session import Session
from s3dash.core.text import count, size
from s3dash.errors import TargetTaken, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3dash.cli.diagnostics import Moved
    from s3dash.stores.blobs.fallback import Fallback
    from s3dash.stores.blobs.model import Blob, Put
    from s3dash.stores.blobs.store import BlobStore

STDIO = "-"
_OUTCOMES: dict[str, Look] = {"created": "add", "refreshed": "change", "healed": "warn"}

Name = Annotated[
    str, typer.Argument(metavar="SRI", help="The integrity, like sha512-….", show_default=False)
]
Others = Annotated[
    list[str] | None,
    typer.Option(
        "--fallback", metavar="NAME", help="A datastore to look in as well; may be repeated."
    ),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.callback()(blobs)
    for command in (put, get, has):
        group.command()(command)
    group.command("list")(list_)
    group.command()(delete)
    blobs_care.register(group)
    app.add_typer(group, name="blobs")


def blobs() -> None:
    """Blobs by their integrity: what is got is what was put, or an error says so."""


@contextmanager
def opened(session: Session, *, writes: bool, from_env: bool) -> "Iterator[BlobStore]":
    """The store of blobs that is meant."""
    from s3dash.stores.blobs.store import BlobStore

    options = replace(session.options, from_env=from_env)
    with session.store("blobs", writes=writes, options=options) as found:
        yield BlobStore(found)


@contextmanager
def reading(
    session: Session, others: "Sequence[str] | None", *, from_env: bool
) -> "Iterator[Fallback]":
    """The store of blobs that is meant, and after it those of these datastores."""
    from s3dash.stores.blobs.fallback import Fallback
    from s3dash.stores.blobs.store import BlobStore

    meant = replace(session.options, from_env=from_env)
    named = [replace(session.options, datastore=name) for name in others or ()]
    with ExitStack() as stack:
        stores = [
            BlobStore(stack.enter_context(session.store("blobs", writes=False, options=options)))
            for options in (meant, *named)
        ]
        yield Fallback(*stores)


def put(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="The files; - is standard input.")
    ],
    integrity: Annotated[
        str | None,
        typer.Option(metavar="SRI", help="What the bytes must be; for one file."),
    ] = None,
    algorithm: Annotated[
        Literal["sha256", "sha384", "sha512"],
        typer.Option(help="What a file is named by, without --integrity."),
    ] = "sha512",
    opaque: Annotated[
        bool,
        typer.Option("--opaque", help="The integrity may be any name; a SHA-256 is kept beside."),
    ] = False,
    from_env: FromEnv = False,
) -> int:
    """Put files, each once; what is there already is not sent again."""
    session = Session.of(context)
    if integrity is not None and len(files) > 1:
        raise UsageError("--integrity is for one file", hint="put them one by one")
    if files.count(STDIO) > 1:
        raise UsageError("standard input can be read once only")
    if opaque and integrity is None:
        raise UsageError("--opaque without a name", hint="--integrity NAME")
    with (
        opened(session, writes=True, from_env=from_env) as store,
        session.diagnostics.bytes_moved(_total(session, files)) as show,
    ):

        def put_one(name: str) -> "Put":
            if name == STDIO:
                send = partial(store.put_stream, sys.stdin.buffer)
            else:
                send = partial(store.put_file, session.absolute(name))
            return send(
                integrity, algorithm=algorithm, opaque=opaque, on_bytes=partial(_moved, show, name)
            )

        done = [put_one(name) for name in files]
    document = {"blobs": [_document(name, one) for name, one in zip(files, done, strict=True)]}
    session.output.emit(document, lambda out: _write_put(out, files, done))
    return OK


def get(
    context: typer.Context,
    name: Name,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Where to; else standard output."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Over another file, or onto a terminal.")
    ] = False,
    unverified: Annotated[
        bool,
        typer.Option("--unverified", help="Also a blob for whose bytes nothing vouches."),
    ] = False,
    fallback: Others = None,
    from_env: FromEnv = False,
) -> int:
    """Get one blob, verified: nothing is written before all of it is."""
    session = Session.of(context)
    if to is None and session.output.as_json:
        raise UsageError("standard output takes the blob or the JSON document, not both")
    if to is None and session.output.is_terminal and not force:
        raise UsageError(
            "standard output is a terminal, which obeys what may stand in a foreign file",
            hint="redirect it, or --to FILE; --force writes it all the same",
        )
    if to is not None and session.absolute(str(to)).exists() and not force:
        raise TargetTaken(f"{to} is there already", hint="--force replaces it")
    with tempfile.TemporaryDirectory(prefix="s3dash-") as scratch:
        target = session.absolute(str(to)) if to is not None else Path(scratch) / "blob"
        with (
            reading(session, fallback, from_env=from_env) as store,
            session.diagnostics.bytes_moved() as show,
        ):
            done = store.save(
                name, target, trusting=unverified, on_bytes=partial(_moved, show, name)
            )
        if to is None:
            with target.open("rb") as file:
                session.output.copy(file)
            return OK
    document = {"integrity": name, "to": str(to), "size": done.size, "sha256": done.sha256}
    session.output.emit(
        document, lambda out: out.line(f"{name}, {size(done.size)}: ", Cell(str(to), "strong"))
    )
    return OK


def has(
    context: typer.Context, name: Name, fallback: Others = None, from_env: FromEnv = False
) -> int:
    """Exit with 0 when the blob is there, else with 1. Its bytes are not looked at."""
    session = Session.of(context)
    with reading(session, fallback, from_env=from_env) as store:
        found = store.has(name)
    session.output.emit(
        {"integrity": name, "has": found},
        lambda out: out.line(Cell(name, "strong"), " is there" if found else " is missing"),
    )
    return OK if found else FAILED


def list_(context: typer.Context, from_env: FromEnv = False) -> int:
    """List the blobs. What lies between them and is none is passed over."""
    session = Session.of(context)
    with opened(session, writes=False, from_env=from_env) as store:
        if session.output.as_json:
            session.output.stream({}, "blobs", map(_listed, store.list()))
        else:
            _write_list(session.output, store.list())
    return OK


def delete(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="SRI…", help="The integrities.")],
    from_env: FromEnv = False,
) -> int:
    """Delete blobs. One that is not there is fine."""
    session = Session.of(context)
    with opened(session, writes=True, from_env=from_env) as store:
        for name in names:
            store.delete(name)
    session.output.emit({"deleted": names}, lambda out: _write_deleted(out, names))
    return OK


def _total(session: Session, files: "Sequence[str]") -> int | None:
    """Bytes of all files; None where one cannot be asked."""
    try:
        return sum(session.absolute(name).stat().st_size for name in files)
    except OSError:
        return None


def _moved(show: "Moved | None", what: str, moved: int) -> None:
    if show is not None:
        show(moved, what)


def _document(name: str, done: "Put") -> dict[str, object]:
    return {
        "file": name,
        "integrity": done.integrity,
        "key": done.key,
        "size": done.size,
        "outcome": done.outcome,
    }


def _listed(blob: "Blob") -> dict[str, object]:
    return {
        "integrity": blob.integrity,
        "size": blob.size,
        "etag": blob.etag,
        "last_modified": blob.last_modified,
    }


def _write_put(out: Output, files: "Sequence[str]", done: "Sequence[Put]") -> None:
    for name, one in zip(files, done, strict=True):
        look = Cell(one.outcome, _OUTCOMES.get(one.outcome, "dim"))
        out.line(look, "  ", Cell(one.integrity, "strong"), f"  {size(one.size)}  {name}")


def _write_list(out: Output, found: "Iterator[Blob]") -> None:
    number = 0
    for number, blob in enumerate(found, 1):  # noqa: B007 - how many there were
        when = f"{blob.last_modified:%Y-%m-%d %H:%M}" if blob.last_modified else ""
        out.line(
            Cell(f"{when:16}  {size_cell(blob.size).text:>9}  ", "dim"),
            Cell(blob.integrity, "strong"),
        )
    out.line(Cell(count(number, "blob") if number else "no blobs", "dim"))


def _write_deleted(out: Output, names: "Sequence[str]") -> None:
    for name in names:
        out.line("deleted ", Cell(name, "strong"))
