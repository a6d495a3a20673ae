"""Moving to another store: copy, read back, compare; then a record says that all of it is there.

What flips is the configuration of whoever reads: point it at the target once the record is
written, and read over both (`Fallback`) until then. It can be stopped at any time, and goes on
where it was: what the target has already is compared as well, not copied again.
"""

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from s3dash.clock import iso
from s3dash.engine.context import identify
from s3dash.engine.jobs import each
from s3dash.errors import Cancelled, Integrity, NotFound, S3DashError, UsageError
from s3dash.stores.blobs import control, sri
from s3dash.stores.blobs.model import Blob, Failed
from s3dash.stores.blobs.store import BlobStore

OnBytes = Callable[[int, str], None]
"""Told how many bytes moved just now, and of which blob; one call at a time."""


class Migrated(msgspec.Struct, kw_only=True):
    """What was done: of `blobs` in the source `copied` ones, and those that were `there` and the
    same; `mended` ones were there with other bytes. `bytes` is the size of all that are there now.

    `complete`: every blob is in the target, and `record` is the key of what says so.
    """

    blobs: int = 0
    copied: int = 0
    there: int = 0
    mended: int = 0
    bytes: int = 0
    failed: list[Failed] = []
    complete: bool = False
    record: str = ""


class Record(msgspec.Struct, frozen=True):
    """In the target: whose blobs are all there, how many, of how many bytes, and since when."""

    endpoint: str
    bucket: str
    prefix: str
    blobs: int
    bytes: int
    completed_at: str
    client: str


def migrate(
    source: BlobStore,
    target: BlobStore,
    *,
    staging: Path | None = None,
    on_bytes: OnBytes | None = None,
) -> Migrated:
    """Copy all blobs that the target lacks, and compare all of them. The source is only read.

    One blob that fails stops no other, and leaves `complete` False. What is put into the source
    while this runs is copied in a last look. Raises UsageError when both are the same place.
    """
    if _place(source) == _place(target):
        raise UsageError("the blobs are there already: both are the same place")
    done = Migrated()
    with tempfile.TemporaryDirectory(prefix="s3dash-blobs-", dir=staging) as scratch:
        moving = _Moving(source, target, Path(scratch), done, on_bytes)
        moving.all(source.list())
        if not done.failed:
            moving.all(_lacking(source, target))
    source.opened.patience.cancel.check()
    if not done.failed:
        _record(source, target, done)
    return done


class _Moving:
    """Carries blobs over, several at a time."""

    def __init__(
        self,
        source: BlobStore,
        target: BlobStore,
        scratch: Path,
        done: Migrated,
        on_bytes: OnBytes | None,
    ) -> None:
        self._source = source
        self._target = target
        self._scratch = scratch
        self._done = done
        self._on_bytes = on_bytes
        self._telling = threading.Lock()

    def all(self, blobs: Iterator[Blob]) -> None:
        jobs = each(
            self._carry,
            blobs,
            workers=self._target.opened.settings.push_concurrency,
            cancel=self._source.opened.patience.cancel,
            name="s3dash-migrate",
        )
        with closing(jobs):  # nothing is on its way any more when its scratch files go
            for blob, outcome in jobs:
                self._note(blob, outcome)

    def _note(self, blob: Blob, outcome: str | S3DashError) -> None:
        done = self._done
        if isinstance(outcome, Cancelled):
            raise outcome
        if outcome == "gone":
            return
        done.blobs += 1
        if isinstance(outcome, S3DashError):
            done.failed.append(Failed(blob.integrity, outcome.message))
            return
        done.bytes += blob.size
        done.copied += outcome == "copied"
        done.there += outcome == "there"
        done.mended += outcome == "mended"

    def _carry(self, blob: Blob) -> str:
        """What was done: `copied`, `there`, `mended`, or `gone` when the source has it no more."""
        found = self._target.look(blob.integrity)
        if found is not None and self._is_same(blob):
            return "there"
        with tempfile.TemporaryDirectory(dir=self._scratch) as room:
            path = Path(room) / "blob"
            try:
                came = self._source.save(
                    blob.integrity, path, trusting=True, on_bytes=self._moved(blob)
                )
            except NotFound:
                return "gone"
            if found is not None:  # damaged, by its own name: what is right is at hand
                self._target.opened.steady.delete(found.key, if_match=found.etag)
            self._target.put_file(path, blob.integrity, opaque=True)
        there = self._target.verify(blob.integrity, on_bytes=self._moved(blob))
        if there.sha256 != came.sha256:
            raise sri.mismatch(f"sha256:{came.sha256}", f"sha256:{there.sha256}")
        return "copied" if found is None else "mended"

    def _is_same(self, blob: Blob) -> bool:
        """False when the target's copy is damaged, which only a name that is a digest can tell.

        Raises Integrity when both stores have other bytes under a name that is none.
        """
        moved, named = self._moved(blob), bool(sri.parse(blob.integrity))
        try:
            there = self._target.verify(blob.integrity, trusting=True, on_bytes=moved)
        except Integrity:
            if named:
                return False
            raise
        if not named:
            here = self._source.verify(blob.integrity, trusting=True, on_bytes=moved)
            if here.sha256 != there.sha256:
                raise sri.mismatch(f"sha256:{here.sha256}", f"sha256:{there.sha256}")
        return True

    def _moved(self, blob: Blob) -> Callable[[int], None]:
        def moved(count: int) -> None:
            if self._on_bytes is not None:
                with self._telling:
                    self._on_bytes(count, blob.integrity)

        return moved


def _lacking(source: BlobStore, target: BlobStore) -> Iterator[Blob]:
    """What the source has and the target has not, by their listings, which have one order."""
    there = target.list()
    at = next(there, None)
    for blob in source.list():
        name = blob.integrity.encode().hex()
        while at is not None and at.integrity.encode().hex() < name:
            at = next(there, None)
        if at is None or at.integrity != blob.integrity:
            yield blob


def _record(source: BlobStore, target: BlobStore, done: Migrated) -> None:
    settings, clock = source.opened.settings, target.opened.patience.clock
    record = Record(
        endpoint=settings.address,
        bucket=settings.bucket,
        prefix=_place(source)[2],
        blobs=done.blobs,
        bytes=done.bytes,
        completed_at=iso(clock.now()),
        client=identify().client,
    )
    body = msgspec.json.format(msgspec.json.encode(record), indent=2)
    target.opened.steady.put(control.MIGRATED, body, content_type="application/json")
    done.complete, done.record = True, control.MIGRATED


def _place(blobs: BlobStore) -> tuple[str, str, str]:
    settings = blobs.opened.settings
    whole = "/".join(part for part in (settings.prefix, blobs.prefix) if part)
    return settings.address, settings.bucket, whole
