"""Objects brought to this machine: each whole or not at all, and never over another file."""

from pathlib import Path

import msgspec

from s3dash.core import paths
from s3dash.engine.jobs import retrying
from s3dash.errors import Cancelled, Integrity, LocalError, PathBlocked, S3DashError, TargetTaken
from s3dash.local import deliver, fsio
from s3dash.local.scan import FileStat
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.explore.job import Job
from s3dash.stores.opened import Opened


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What arrived; `failed` has a sentence for each object that did not."""

    files: int
    bytes: int
    failed: tuple[str, ...] = ()


def fetch_file(opened: Opened, info: ObjectInfo, to: Path, job: Job, *, replace: bool) -> Fetched:
    """One object as the file `to`. Raises TargetTaken unless `replace`, what the store raises."""
    old = deliver.stat_of(to)
    if old is not None and not replace:
        raise TargetTaken(f"{to} is there already; it was not touched")
    job.begin(info.key)
    size = retrying(
        lambda _attempt: _bring(opened, info, to, job, old),
        patience=opened.patience,
        once_more=(Integrity,),
    )
    job.finished()
    return Fetched(files=1, bytes=size)


def fetch_tree(opened: Opened, prefix: str, to: Path, job: Job) -> Fetched:
    """All objects below a prefix as files below `to`, a directory that is made by this.

    One that can be no file here is left out and told, and so is one that fails; the others come.
    """
    with fsio.telling(f"{to} cannot be made"):
        try:
            to.mkdir()
        except FileExistsError as error:
            raise TargetTaken(f"{to} is there already; it was not touched") from error
    files, size, failed = 0, 0, list[str]()
    for info in opened.store.list(prefix):
        rel = info.key[len(prefix) :]
        if not rel or rel.endswith("/"):
            continue  # a directory's marker
        try:
            target = _place(to, rel)
            done = fetch_file(opened, info, target, job, replace=False)
        except Cancelled:
            raise
        except S3DashError as error:
            failed.append(f"{rel}: {error.message}")
        else:
            files, size = files + done.files, size + done.bytes
    return Fetched(files=files, bytes=size, failed=tuple(failed))


def _place(root: Path, rel: str) -> Path:
    """Where a file below a new directory goes; its directories are there then."""
    if reason := paths.blocked_reason(rel):
        raise PathBlocked(f"it can be no file here: {reason}")
    target = root / rel
    with fsio.telling(f"{target.parent} cannot be made"):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise LocalError(f"{target.parent} is a file here") from error
    return target


def _bring(opened: Opened, info: ObjectInfo, to: Path, job: Job, old: FileStat | None) -> int:
    with deliver.beside(to) as temp:
        got = opened.store.download(info.key, temp, if_match=info.etag, on_bytes=job.moved)
        deliver.deliver(temp, to, over=old)
        return got.size
