"""`s3dash fs`: files and directories in a bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec.structs import replace

from s3dash.cli import fs_copy
from s3dash.cli.diagnostics import OK
from s3dash.cli.fs_paths import Remote, remote
from s3dash.cli.output import Cell, Output
from s3dash.cli.session import Session
from s3dash.core.text import count, size
from s3dash.errors import GuardTripped, UsageError

if TYPE_CHECKING:
    from s3dash.stores.files.files import Files
    from s3dash.stores.files.model import FileInfo, Tried

SHOWN_MOST = 8 << 20
"""Bytes that go into a JSON document, or onto a terminal."""

Path_ = Annotated[str, typer.Argument(metavar="PATH", help="In the datastore: PATH or NAME:PATH.")]
Paths = Annotated[
    list[str], typer.Argument(metavar="PATH…", help="In the datastore: PATH or NAME:PATH.")
]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="And all that is below.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.callback()(fs)
    for command in (ls, cat, stat, mkdir, rmdir, rm):
        group.command()(command)
    fs_copy.register(group)
    group.command()(caps)
    app.add_typer(group, name="fs")


def fs() -> None:
    """Files and directories in a bucket.

    A PATH lies in the datastore that is meant; NAME:PATH in the one of that name, :PATH where a
    path of this machine could be meant, too.
    """


@contextmanager
def opened(session: Session, where: Remote, *, writes: bool) -> "Iterator[Files]":
    """The files of the datastore that a path names."""
    from s3dash.stores.files.files import Files

    options = session.options
    if where.name:
        options = replace(options, datastore=where.name)
    with session.store("files", writes=writes, options=options) as found:
        yield Files(found)


def ls(
    context: typer.Context,
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="In the datastore; else its root.")
    ] = "",
    recursive: Recursive = False,
) -> int:
    """List a directory: size, time and name. Directories end with a slash."""
    session, where = Session.of(context), remote(path)
    with opened(session, where, writes=False) as files:
        found = _listed(files, where.path, recursive=recursive)
        if session.output.as_json:
            entries = [described(one) for one in found]
            session.output.document({"path": where.path, "entries": entries})
        else:
            _write_ls(session.output, found, where.path)
    return OK


def cat(
    context: typer.Context,
    path: Path_,
    offset: Annotated[int, typer.Option(help="Begin at this byte; negative: from the end.")] = 0,
    length: Annotated[int | None, typer.Option(help="At most so many bytes.")] = None,
) -> int:
    """Write a file to standard output, as it is; on a terminal as harmless lines."""
    session, where = Session.of(context), remote(path)
    if length is not None and length < 0:
        raise UsageError("--length is a number of bytes")
    with opened(session, where, writes=False) as files, files.open(where.path) as file:
        total = file.seek(0, 2)
        start = max(0, total + offset) if offset < 0 else min(offset, total)
        most = total - start if length is None else min(length, total - start)
        file.seek(start)
        if not session.output.as_json and not session.output.is_terminal:
            for piece in _pieces(file, most):
                session.output.content(piece)
            return OK
        if most > SHOWN_MOST:
            raise UsageError(
                f"{size(most)} are too much for here", hint="redirect it, or --length BYTES"
            )
        body = b"".join(_pieces(file, most))
    document = {"path": where.path, "size": total, "offset": start, **_text_or_base64(body)}
    session.output.emit(document, lambda out: out.content(body))
    return OK


def stat(context: typer.Context, paths: Paths) -> int:
    """What is known of files and directories."""
    session = Session.of(context)
    found: list[FileInfo] = []
    for path in paths:
        where = remote(path)
        with opened(session, where, writes=False) as files:
            found.append(files.info(where.path))
    session.output.emit(
        {"entries": [described(one) for one in found]}, lambda out: _write_stat(out, found)
    )
    return OK


def mkdir(
    context: typer.Context,
    paths: Paths,
    parents: Annotated[
        bool, typer.Option("--parents", "-p", help="And those above; fine where it is.")
    ] = False,
) -> int:
    """Make directories, which stay when they are empty."""
    session = Session.of(context)
    for path in paths:
        where = remote(path)
        with opened(session, where, writes=True) as files:
            files.mkdir(where.path, parents=parents, exist_ok=parents)
    session.output.emit({"made": paths}, lambda out: _write_done(out, "made ", paths))
    return OK


def rmdir(context: typer.Context, paths: Paths) -> int:
    """Remove empty directories."""
    session = Session.of(context)
    for path in paths:
        where = remote(path)
        with opened(session, where, writes=True) as files:
            files.rmdir(where.path)
    session.output.emit({"removed": paths}, lambda out: _write_done(out, "removed ", paths))
    return OK


def rm(
    context: typer.Context,
    paths: Paths,
    recursive: Recursive = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also directories that are not empty.")
    ] = False,
) -> int:
    """Remove files; with -r directories, and with --yes all that is in them."""
    session = Session.of(context)
    gone = 0
    with session.diagnostics.steps() as show:

        def told(path: str) -> None:
            nonlocal gone
            gone += 1
            if show is not None:
                show(gone, gone, path)

        for path in paths:
            where = remote(path)
            with opened(session, where, writes=True) as files:
                if recursive and not yes:
                    _guard(files, where)
                files.remove(where.path, recursive=recursive, on_file=told)
    session.output.emit(
        {"removed": paths, "objects": gone}, lambda out: _write_done(out, "removed ", paths)
    )
    return OK


def caps(
    context: typer.Context,
    path: Annotated[
        str, typer.Argument(metavar="[NAME:]", help="The datastore; else the one that is meant.")
    ] = "",
) -> int:
    """What the endpoint does natively: each claim is tried, on small files of its own."""
    import uuid

    from s3dash.stores.files.caps import prove

    session, where = Session.of(context), remote(path)
    with opened(session, where, writes=True) as files:
        proved, tried = prove(files, nonce=uuid.uuid4().hex)
        endpoint = files.settings.address
    document = {"endpoint": endpoint, "caps": proved, "tried": tried}
    session.output.emit(document, lambda out: _write_caps(out, endpoint, tried))
    return OK


# --- how ------------------------------------------------------------------------------------


def _guard(files: "Files", where: Remote) -> None:
    """Raises GuardTripped for a directory that holds something."""
    number = total = 0
    for one in files.tree(where.path):
        number, total = number + 1, total + one.size
    if number:
        raise GuardTripped(
            f"{where.as_given} holds {count(number, 'file')}, {size(total)}; nothing of it was "
            "removed",
            hint="--yes removes them all",
        )


def _listed(files: "Files", path: str, *, recursive: bool) -> "Iterator[FileInfo]":
    """As it comes, so that a directory of a million files begins at once."""
    if not recursive:
        for page in files.pages(path):
            yield from page
    elif files.info(path).is_dir:
        yield from files.tree(path, dirs=True)
    else:
        yield files.info(path)


def _pieces(file: Any, most: int) -> Iterator[bytes]:
    while most > 0 and (piece := file.read(min(most, 1 << 20))):
        most -= len(piece)
        yield piece


def _text_or_base64(body: bytes) -> dict[str, str]:
    import base64

    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def described(one: "FileInfo") -> dict[str, Any]:
    """`{path, name, kind, size, mtime, etag}` as JSON values."""
    return {
        "path": one.path,
        "name": one.name,
        "kind": one.kind,
        "size": one.size,
        "mtime": one.mtime.isoformat() if one.mtime else None,
        "etag": one.etag or None,
    }


def _write_ls(out: Output, found: "Iterator[FileInfo]", path: str) -> None:
    base = path.rstrip("/")
    for one in found:
        name = one.path[len(base) :].lstrip("/") if one.path != base else one.name
        when = f"{one.mtime:%Y-%m-%d %H:%M}" if one.mtime else ""
        amount = "" if one.is_dir else size(one.size)
        out.line(
            Cell(f"{when:16}  {amount:>9}  ", "dim"),
            Cell(f"{name}/" if one.is_dir else name, "strong" if one.is_dir else "plain"),
        )


def _write_stat(out: Output, found: "list[FileInfo]") -> None:
    for one in found:
        out.line(Cell(one.path or "/", "strong"))
        when = f"{one.mtime:%Y-%m-%d %H:%M:%S %Z}" if one.mtime else ""
        facts = (one.kind, "" if one.is_dir else f"{one.size:,} bytes", when, one.etag)
        out.line("  ", Cell(", ".join(fact for fact in facts if fact), "dim"))


def _write_done(out: Output, verb: str, paths: "list[str]") -> None:
    for path in paths:
        out.line(verb, Cell(path, "strong"))


def _write_caps(out: Output, endpoint: str, tried: "list[Tried]") -> None:
    out.line(Cell(endpoint, "strong"))
    out.table(
        [
            [
                Cell("yes", "good") if one.native else Cell("no", "warn"),
                one.name.replace("_", " "),
                Cell(one.seen, "dim"),
            ]
            for one in tried
        ]
    )
