"""What the Explorer changes in a bucket: never over what it did not show, never more than that."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from s3dash.core import paths
from s3dash.engine.jobs import each
from s3dash.errors import NotFound, PathBlocked, PreconditionFailed, S3DashError, TargetTaken
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.explore.entry import Doomed, Entry, Removed
from s3dash.stores.explore.job import Job
from s3dash.stores.opened import Opened

DOOMED_MOST = 10_000
"""Objects that one deletion lists and shows; more are the command line's."""


def key_for(settings_prefix: str, typed: str, prefix: str) -> str:
    """The key that a typed name means: below `prefix`, from the top when it begins with `/`.

    Raises PathBlocked for one that no store should hold.
    """
    given = typed.strip()
    if not given:
        raise PathBlocked("an empty name is none")
    key = given[1:] if given.startswith("/") else prefix + given
    lead = f"{settings_prefix}/" if settings_prefix else ""
    if reason := paths.blocked_reason(key.removesuffix("/"), key_prefix_bytes=len(lead.encode())):
        raise PathBlocked(f"{given!r} is no name for it: {reason}")
    return key


def found(opened: Opened, key: str) -> ObjectInfo | None:
    """What is there under a key."""
    try:
        return opened.store.head(key)
    except NotFound:
        return None


def send(opened: Opened, source: Path, key: str, job: Job, *, over: ObjectInfo | None) -> None:
    """A file under a key that is free, or over exactly this version. Raises TargetTaken."""
    etag = over.etag if over is not None else None
    job.begin(key)
    try:
        opened.store.upload(
            key, source, if_match=etag, if_none_match=over is None, on_bytes=job.moved
        )
    except PreconditionFailed as error:
        raise TargetTaken(f"{key} was written meanwhile by somebody; it stays as it is") from error
    job.finished()


def copy(opened: Opened, entry: Entry, target: str) -> None:
    """Copy an object on the server, the version that was listed, to a name that is free.

    The copy is looked for before and after, as few endpoints heed a condition on it. Raises
    TargetTaken, PreconditionFailed when the source was replaced.
    """
    if found(opened, target) is not None:
        raise TargetTaken(f"{target} is there already; nothing was changed")
    opened.store.copy(entry.key, target, if_match=entry.etag, if_none_match=True, size=entry.size)
    made = found(opened, target)
    if made is None or made.size != entry.size:
        raise TargetTaken(f"{target} is not the copy that was asked for; nothing was deleted")


def rename(opened: Opened, entry: Entry, target: str) -> None:
    """As `copy`; the source goes when the copy is there, and only the version that was copied."""
    copy(opened, entry, target)
    opened.steady.delete(entry.key, if_match=entry.etag)


def doomed(opened: Opened, entries: Sequence[Entry], *, most: int = DOOMED_MOST) -> Doomed:
    """All objects that deleting these entries would take, with the versions they have now."""
    objects: dict[str, ObjectInfo] = {}
    for entry in entries:
        if not entry.is_dir:
            objects[entry.key] = ObjectInfo(entry.key, entry.size, entry.etag)
            continue
        for info in opened.store.list(entry.key):
            if len(objects) >= most:
                return _doomed(objects, more=True)
            opened.patience.cancel.check()
            objects[info.key] = info
    return _doomed(objects, more=False)


def _doomed(objects: dict[str, ObjectInfo], *, more: bool) -> Doomed:
    total = sum(info.size for info in objects.values())
    return Doomed(objects=tuple(objects.values()), bytes=total, more=more)


def remove(opened: Opened, doomed: Doomed, job: Job) -> Removed:
    """Delete exactly these versions; one that was replaced since stays and is told.

    A directory's marker goes after what lies in it. Raises Cancelled; what is gone stays gone.
    """
    job.of = len(doomed.objects)
    order = sorted(doomed.objects, key=lambda info: info.key.endswith("/"))
    delete = partial(_delete, opened, job)
    failed: list[str] = []
    workers = max(1, opened.settings.push_concurrency)
    for info, outcome in each(delete, order, workers=workers, cancel=job.cancel, name="s3dash-rm"):
        if isinstance(outcome, S3DashError):
            failed.append(f"{info.key}: {outcome.message}")
    job.cancel.check()
    return Removed(done=len(order) - len(failed), failed=tuple(failed))


def _delete(opened: Opened, job: Job, info: ObjectInfo) -> None:
    job.begin(info.key)
    try:
        opened.steady.delete(info.key, if_match=info.etag)
    except NotFound:
        pass  # it is gone: that was wanted
    except PreconditionFailed as error:
        if found(opened, info.key) is not None:
            raise PreconditionFailed("it was replaced since it was listed, and stays") from error
    job.finished()
