"""`s3dash fs cp` and `mv`: between this machine and a datastore, or two datastores."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec.structs import replace

from s3dash.cli import lists
from s3dash.cli.diagnostics import OK, PARTLY
from s3dash.cli.fs_paths import Remote, parsed, remote
from s3dash.cli.output import Cell, Output
from s3dash.cli.session import Session
from s3dash.core.text import count, size
from s3dash.errors import BadPath, IsDirectory, NoSuchFile, UsageError

if TYPE_CHECKING:
    from s3dash.cli.diagnostics import Moved
    from s3dash.stores.files.files import Files
    from s3dash.stores.files.transfer import Copied, OnPiece

Either = Remote | Path


def register(group: typer.Typer) -> None:
    group.command()(cp)
    group.command()(mv)


def cp(
    context: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE…", help="PATH of this machine, or :PATH, or NAME:PATH."),
    ],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The same; one of both is in a datastore.")
    ],
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Directories, with all that is below.")
    ] = False,
) -> int:
    """Copy files: up, down, or from one place of a datastore to another.

    Into a directory that is there, or whose name ends with a slash; else to that very name. Files
    that are there are replaced. A local file is there once it is whole.
    """
    session = Session.of(context)
    goal = _either(session, target)
    with ExitStack() as closing, session.diagnostics.bytes_moved() as show:
        work = _Work(session, closing, recursive=recursive, show=show)
        many = len(sources) > 1
        if many and not work.is_dir(goal) and not _slashed(target):
            raise UsageError(f"{target} is no directory", hint="several files go into one")
        done = [
            work.copy(_either(session, source), goal, into=many or _slashed(target))
            for source in sources
        ]
    total = _together(done)
    document = {"files": total.files, "bytes": total.bytes}
    document |= {"failed": total.failed, "blocked": total.blocked}  # type: ignore[dict-item] # a document
    session.output.emit(document, lambda out: _write_cp(out, total))
    return OK if total.complete else PARTLY


def mv(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="[SOURCE]", help="In the datastore.")] = "",
    target: Annotated[str, typer.Argument(metavar="[TARGET]", help="In the same.")] = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish what was cut short on this machine.")
    ] = False,
) -> int:
    """Rename a file or a directory, on the server; into a directory that is there.

    A directory's rename that was cut short goes on when it is asked for again.
    """
    session = Session.of(context)
    if resume == bool(source and target):
        raise UsageError("what is to be moved?", hint="SOURCE TARGET, or --resume")
    where, goal = remote(source), remote(target or ":")
    if goal.name not in ("", where.name):
        raise UsageError("both must be in one datastore", hint="cp, and rm what was copied")
    with ExitStack() as closing, session.diagnostics.bytes_moved() as show:
        files = _Work(session, closing, recursive=True, show=show).files(where, writes=True)
        tell = _Tell(show)
        if resume:
            moves = files.unfinished()
            done = [files.resume(move, on_moved=tell.moved) for move in moves]
            pairs = [(move.source, move.target) for move in moves]
        else:
            path = goal.path
            if _slashed(path) or not path or files.is_dir(path):
                path = _joined(path, _name(where.path))
            done = [files.rename(where.path, path, on_moved=tell.moved)]
            pairs = [(where.path, path)]
    document = {
        "moved": [{"source": a, "target": b} for a, b in pairs],
        "objects": sum(one.files for one in done),
        "bytes": sum(one.size for one in done),
    }
    session.output.emit(document, lambda out: _write_mv(out, pairs))
    return OK


class _Tell:
    """Turns totals into pieces for a line that shows bytes."""

    def __init__(self, show: "Moved | None") -> None:
        self._show = show
        self._last = 0

    def moved(self, files: int, total: int) -> None:
        if self._show is not None:
            self._show(total - self._last, count(files, "object"))
        self._last = total


class _Work:
    """The datastores of one command, each opened once."""

    def __init__(
        self, session: Session, closing: ExitStack, *, recursive: bool, show: "Moved | None"
    ) -> None:
        self._session = session
        self._closing = closing
        self._recursive = recursive
        self._show = show
        self._opened: dict[tuple[str, bool], Files] = {}

    def files(self, where: Remote, *, writes: bool) -> "Files":
        from s3dash.stores.files.files import Files

        key = (where.name, writes)
        if key not in self._opened:
            options = self._session.options
            if where.name:
                options = replace(options, datastore=where.name)
            store = self._session.store("files", writes=writes, options=options)
            self._opened[key] = Files(self._closing.enter_context(store))
        return self._opened[key]

    def is_dir(self, where: Either) -> bool:
        if isinstance(where, Path):
            return where.is_dir()
        return self.files(where, writes=False).is_dir(where.path)

    def copy(self, source: Either, target: Either, *, into: bool) -> "Copied":
        """`into`: the target is a directory. Raises UsageError, NoSuchFile, IsDirectory."""
        name = source.name if isinstance(source, Path) else _name(source.path)
        if into or self.is_dir(target):
            if not name:
                raise BadPath("the root has no name to be copied under", hint="name a new one")
            target = _within(target, name)
        tree = self._is_tree(source)
        return self._way(source, target, tree=tree)(on_piece=self._piece)

    def _is_tree(self, source: Either) -> bool:
        if isinstance(source, Path):
            if not source.exists():
                raise NoSuchFile(f"there is no {str(source)!r}")
            tree = source.is_dir()
        else:
            tree = self.files(source, writes=False).info(source.path).is_dir
        if tree and not self._recursive:
            name = str(source) if isinstance(source, Path) else source.as_given
            raise IsDirectory(f"{name} is a directory", hint="-r copies it")
        return tree

    def _way(self, source: Either, target: Either, *, tree: bool) -> "Callable[..., Copied]":
        from s3dash.stores.files import transfer

        if isinstance(source, Path):
            if isinstance(target, Path):
                raise UsageError(
                    "neither path is in a datastore", hint=":PATH or NAME:PATH is in one"
                )
            files = self.files(target, writes=True)
            if tree:
                return partial(transfer.upload_tree, files, source, target.path)
            return _single(partial(transfer.upload, files, source, target.path))
        files = self.files(source, writes=False)
        if isinstance(target, Path):
            if tree:
                return partial(transfer.download_tree, files, source.path, target)
            return _single(partial(transfer.download, files, source.path, target))
        other = self.files(target, writes=True)
        if source.name == target.name:
            return partial(_on_server, other, source.path, target.path, tree=tree)
        if tree:
            return partial(transfer.across_tree, files, source.path, other, target.path)
        return _single(partial(transfer.across, files, source.path, other, target.path))

    def _piece(self, moved: int, path: str) -> None:
        if self._show is not None:
            self._show(moved, path)


def _single(run: "Callable[..., int]") -> "Callable[..., Copied]":
    from s3dash.stores.files.transfer import Copied

    return lambda *, on_piece: Copied(1, run(on_piece=on_piece), [], [])


def _on_server(
    files: "Files", source: str, target: str, *, tree: bool, on_piece: "OnPiece"
) -> "Copied":
    from s3dash.stores.files.transfer import Copied

    if tree:
        moved = files.copy_tree(source, target, on_file=lambda path: on_piece(0, path))
        return Copied(moved.files, moved.size, [], [])
    return Copied(1, files.copy(source, target).size, [], [])


def _either(session: Session, text: str) -> Either:
    return parsed(text) or session.absolute(text)


def _within(where: Either, name: str) -> Either:
    if isinstance(where, Path):
        return where / name
    return msgspec.structs.replace(where, path=_joined(where.path, name))


def _joined(path: str, name: str) -> str:
    plain = path.rstrip("/")
    return f"{plain}/{name}" if plain else name


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _slashed(text: str) -> bool:
    return text.endswith(("/", ":"))


def _together(done: "list[Copied]") -> "Copied":
    from s3dash.stores.files.transfer import Copied

    return Copied(
        sum(one.files for one in done),
        sum(one.bytes for one in done),
        [failed for one in done for failed in one.failed],
        [blocked for one in done for blocked in one.blocked],
    )


def _write_cp(out: Output, total: "Copied") -> None:
    out.line("copied ", Cell(count(total.files, "file"), "strong"), f", {size(total.bytes)}")
    for title, rows in (
        ("failed", lists.failed_rows(total.failed)),
        ("must not be written", lists.blocked_rows(total.blocked)),
    ):
        if rows:
            out.heading(title, len(rows))
            lists.some(out, rows, more="--json")


def _write_mv(out: Output, pairs: "list[tuple[str, str]]") -> None:
    for source, target in pairs:
        out.line("moved ", Cell(source, "strong"), " to ", Cell(target, "strong"))
    if not pairs:
        out.line(Cell("nothing was cut short", "dim"))
