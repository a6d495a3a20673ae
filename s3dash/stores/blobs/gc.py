"""Collecting garbage: blobs that no manifest names, and that nobody put for a while.

Marking comes first, then the sweep, which looks at each blob's time once more right before it
deletes it. All times are the server's, and what is old is settled before the manifests are read:
whoever puts a blob after that finds it old, and renews it.
"""

import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import msgspec

from s3dash.core.text import count
from s3dash.engine.context import identify
from s3dash.engine.jobs import each, retrying
from s3dash.engine.lease import Lease, Timing
from s3dash.errors import (
    Cancelled,
    GuardTripped,
    LockLost,
    NotFound,
    PreconditionFailed,
    S3DashError,
    UnsafeEndpoint,
)
from s3dash.objectstore.port import Capabilities
from s3dash.objectstore.probe import quick_probe
from s3dash.stores.blobs import control
from s3dash.stores.blobs.manifests import keeps
from s3dash.stores.blobs.model import Blob, Failed
from s3dash.stores.blobs.store import BlobStore
from s3dash.stores.opened import Opened

NAMED = 1000
"""Candidates that are told by name; more are only counted."""
MAX_REQUEST_S = 10.0

Fate = Literal["retained", "within grace", "candidate"]
OnStep = Callable[[int, int, str], None]
"""Told how many of how many blobs are done with, and which was the latest."""


class Collected(msgspec.Struct, kw_only=True):
    """What a collection found and did; `bytes` is what it freed, or would free when `dry_run`.

    `kept_within_grace` counts those that are young, or were put again while it ran. `names` are
    the first candidates.
    """

    dry_run: bool
    candidates: int = 0
    deleted: int = 0
    retained: int = 0
    kept_within_grace: int = 0
    bytes: int = 0
    failed: list[Failed] = []
    names: list[str] = []


def collect(
    blobs: BlobStore,
    retained: Callable[[], Collection[str]],
    *,
    grace_s: float | None = None,
    dry_run: bool = False,
    force: bool = False,
    on_step: OnStep | None = None,
) -> Collected:
    """Delete what `retained` does not name and is older than `grace_s`, else that of the store.

    It runs under a lock of its own, and one deletion that fails stops no other. Raises
    GuardTripped when no blob at all is named, which is rather the wrong manifest, unless `force`;
    LockHeld when another collection runs; UnsafeEndpoint where no lock can be trusted.
    """
    grace = timedelta(seconds=blobs.grace_s if grace_s is None else grace_s)
    if dry_run:
        return _Collection(blobs, grace, retained).mark(dry_run=True)
    can = trusted(blobs.opened)
    with _lease(blobs.opened, can) as lease:
        collection = _Collection(blobs, grace, retained)
        done = collection.mark(dry_run=False)
        if done.candidates and not done.retained and not force:
            raise GuardTripped(
                f"none of the {count(done.candidates + done.kept_within_grace, 'blob')} here is "
                "named by a manifest; nothing was deleted",
                hint="are these the manifests? --dry-run shows what would go, --force lets it",
            )
        collection.sweep(done, partial(_delete, blobs, lease, can, collection), on_step)
    blobs.opened.patience.cancel.check()
    return done


def trusted(opened: Opened) -> Capabilities:
    """What the endpoint was just proved to do; raises UnsafeEndpoint when that is too little."""
    can = quick_probe(opened.store, nonce=uuid.uuid4().hex, also=())
    if not can.safe and opened.settings.locking == "safe":
        raise UnsafeEndpoint(
            f"{opened.settings.address} does not honour conditional writes, so no lock on it holds",
            hint='`s3dash doctor` shows more; to go on all the same set `locking = "unsafe"`',
        )
    return can


class _Collection:
    """One run: what is named, and since when a blob must not have been put to be old."""

    def __init__(
        self, blobs: BlobStore, grace: timedelta, retained: Callable[[], Collection[str]]
    ) -> None:
        self._blobs = blobs
        self._before = _server_time(blobs.opened) - grace
        self._names = retained()

    def fate(self, blob: Blob) -> Fate:
        if keeps(self._names, blob.integrity):
            return "retained"
        return "candidate" if self.is_old(blob.last_modified) else "within grace"

    def is_old(self, put_at: datetime | None) -> bool:
        """In whole seconds, which is all that a HEAD tells; a blob of no known age is young."""
        return put_at is not None and put_at.replace(microsecond=0) <= self._before

    def mark(self, *, dry_run: bool) -> Collected:
        found = Collected(dry_run=dry_run)
        for blob in self._blobs.list():
            fate = self.fate(blob)
            found.retained += fate == "retained"
            found.kept_within_grace += fate == "within grace"
            if fate == "candidate":
                found.candidates += 1
                found.bytes += blob.size if dry_run else 0
                if len(found.names) < NAMED:
                    found.names.append(blob.integrity)
        return found

    def sweep(
        self, done: Collected, delete: Callable[[Blob], bool], on_step: OnStep | None
    ) -> None:
        opened, total = self._blobs.opened, done.candidates
        jobs = each(
            delete,
            self._candidates(),
            workers=opened.settings.push_concurrency,
            cancel=opened.patience.cancel,
            name="s3dash-collect",
        )
        with closing(jobs):  # no deletion is on its way any more when the lock is let go
            for ended, (blob, outcome) in enumerate(jobs, 1):
                _note(done, blob, outcome)
                if on_step is not None:
                    on_step(ended, max(total, ended), blob.integrity)

    def _candidates(self) -> Iterator[Blob]:
        return (blob for blob in self._blobs.list() if self.fate(blob) == "candidate")


def _note(done: Collected, blob: Blob, outcome: bool | S3DashError) -> None:
    if isinstance(outcome, LockLost | Cancelled):
        raise outcome
    if isinstance(outcome, S3DashError):
        done.failed.append(Failed(blob.integrity, outcome.message))
    elif outcome:
        done.deleted += 1
        done.bytes += blob.size
    else:
        done.kept_within_grace += 1


def _delete(
    blobs: BlobStore, lease: Lease, can: Capabilities, run: _Collection, blob: Blob
) -> bool:
    """False when it was put again meanwhile. One that somebody else deleted is gone as well."""

    def once(_: int) -> bool:
        lease.guard()
        found = blobs.look(blob.integrity)
        if found is None:
            return True
        if not run.is_old(found.last_modified):
            return False
        lease.guard()
        version = found.etag if can.delete else None
        blobs.opened.store.delete(blob.key, if_match=version)
        return True

    try:
        return retrying(once, patience=blobs.opened.patience)
    except PreconditionFailed:
        return False


def _lease(opened: Opened, can: Capabilities) -> Lease:
    settings = opened.settings
    return Lease(
        opened.store,
        control.LOCK,
        nonce=str(uuid.uuid4()),
        identity=identify(),
        capabilities=can,
        clock=opened.patience.clock,
        cancel=opened.patience.cancel,
        timing=Timing(
            wait_s=settings.lock_timeout_ms / 1000,
            request_s=min(settings.request_timeout_ms / 1000, MAX_REQUEST_S),
        ),
    )


def _server_time(opened: Opened) -> datetime:
    with suppress(NotFound):
        retrying(lambda _: opened.store.head(control.LOCK), patience=opened.patience)
    found = opened.store.server_time()
    if found is None:
        raise UnsafeEndpoint("the endpoint does not tell its time, so no blob's age is known")
    return found
