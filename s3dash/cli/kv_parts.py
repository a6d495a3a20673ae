"""What the commands of `s3dash kv` work with: the datastore, files, and bytes that move."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from s3dash.cli.session import Session
from s3dash.errors import LocalError

T = TypeVar("T")

if TYPE_CHECKING:
    from s3dash.cli.diagnostics import Moved
    from s3dash.core.cancel import CancelToken
    from s3dash.objectstore.port import OnBytes
    from s3dash.stores.kv.contract import KeyStore

    Job = Callable[[KeyStore, CancelToken], T]

STDIN = "-"


def reading(session: Session, kubo: Path | None, job: "Job[T]") -> T:
    """Do `job` with the datastore that is meant: kubo's, or that of our configuration."""
    return _work(session, kubo, job, writes=False)


def writing(session: Session, kubo: Path | None, job: "Job[T]") -> T:
    """As `reading`, where the datastore may be written. Raises UsageError for other kinds."""
    return _work(session, kubo, job, writes=True)


def _work(session: Session, kubo: Path | None, job: "Job[T]", *, writes: bool) -> T:
    from s3dash.stores.kv.datastore import Datastore

    if kubo is not None:
        return session.apart(lambda cancel: _with_kubo(session, kubo, cancel, job, writes=writes))
    with session.store("keys", writes=writes) as opened:
        return job(Datastore(opened), opened.patience.cancel)


def _with_kubo(
    session: Session, kubo: Path, cancel: "CancelToken", job: "Job[T]", *, writes: bool
) -> T:
    from s3dash.cli.wiring import hush_libraries
    from s3dash.objectstore.patience import Patience
    from s3dash.stores.kv.kubo import open_file

    hush_libraries()
    patience = Patience()
    patience.begin(cancel)
    with open_file(
        session.absolute(str(kubo)),
        patience=patience,
        readonly=session.options.readonly or not writes,
        note=session.diagnostics.detail,
    ) as store:
        return job(store, cancel)


@contextmanager
def moving(session: Session, what: str, total: int | None = None) -> "Iterator[OnBytes | None]":
    """Something to tell bytes to, where somebody watches."""
    with session.diagnostics.bytes_moved(total) as show:
        yield None if show is None else partial(_moved, show, what)


def _moved(show: "Moved", what: str, count: int) -> None:
    show(count, what)


@contextmanager
def file_of(session: Session, source: str) -> Iterator[Path]:
    """The file that is meant; standard input becomes one for a while."""
    if source != STDIN:
        path = session.absolute(source)
        if not path.is_file() or not os.access(path, os.R_OK):
            raise LocalError(f"{source} is no file that can be read")
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="s3dash-") as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool, 1 << 20)
        spool.flush()
        yield Path(spool.name)


def save(to: Path, value: "IO[bytes]") -> None:
    try:
        with to.open("wb") as file:
            shutil.copyfileobj(value, file, 1 << 20)
    except OSError as error:
        raise LocalError(f"{to} cannot be written: {error.strerror}") from error
