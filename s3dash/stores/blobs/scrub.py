"""Reading every blob to its end, to see whether it still is what its name promises."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec

from s3dash.engine.jobs import each
from s3dash.errors import Cancelled, Integrity, NotFound, S3DashError, Unverifiable
from s3dash.stores.blobs import control
from s3dash.stores.blobs.model import Blob, Failed
from s3dash.stores.blobs.store import BlobStore

NAMED = 1000
"""Keys of one kind that are told by name; more are only counted."""

OnBytes = Callable[[int, str], None]
"""Told how many bytes were read just now, and of which blob; one call at a time."""


class Damaged(msgspec.Struct, frozen=True):
    """A blob with other bytes than its name promises; both as integrities."""

    integrity: str
    key: str
    expected: str
    actual: str


class Scrubbed(msgspec.Struct, kw_only=True):
    """What was found: `verified` of `blobs`, and the bytes that were read.

    `unverifiable` blobs have a name that is no digest, and no SHA-256 beside it. `foreign` objects
    lie below the prefix and are none of ours. `failed` could not be read.
    """

    blobs: int = 0
    bytes: int = 0
    verified: int = 0
    damaged: list[Damaged] = []
    unverifiable: int = 0
    unverifiable_names: list[str] = []
    foreign: int = 0
    foreign_keys: list[str] = []
    failed: list[Failed] = []


def scrub(blobs: BlobStore, *, on_bytes: OnBytes | None = None) -> Scrubbed:
    """Verify all blobs side by side, holding none of them. Nothing is changed."""
    found, opened = Scrubbed(), blobs.opened
    told = threading.Lock()

    def verify(blob: Blob) -> int:
        def moved(moved_bytes: int) -> None:
            if on_bytes is not None:
                with told:
                    on_bytes(moved_bytes, blob.integrity)

        return blobs.verify(blob.integrity, on_bytes=moved).size

    jobs = each(
        verify,
        _blobs(blobs, found),
        workers=opened.settings.pull_concurrency,
        cancel=opened.patience.cancel,
        name="s3dash-scrub",
    )
    with closing(jobs):
        for blob, outcome in jobs:
            _note(found, blob, outcome)
    opened.patience.cancel.check()
    return found


def _blobs(blobs: BlobStore, found: Scrubbed) -> Iterator[Blob]:
    for one in blobs.scan():
        if isinstance(one, Blob):
            yield one
        elif not one.key.startswith(control.PLACE):
            found.foreign += 1
            if len(found.foreign_keys) < NAMED:
                found.foreign_keys.append(one.key)


def _note(found: Scrubbed, blob: Blob, outcome: int | S3DashError) -> None:
    if isinstance(outcome, Cancelled):
        raise outcome
    if isinstance(outcome, NotFound):
        return  # deleted while we looked
    found.blobs += 1
    if isinstance(outcome, int):
        found.verified += 1
        found.bytes += outcome
    elif isinstance(outcome, Unverifiable):
        found.unverifiable += 1
        if len(found.unverifiable_names) < NAMED:
            found.unverifiable_names.append(blob.integrity)
    elif isinstance(outcome, Integrity) and outcome.actual:
        damaged = Damaged(blob.integrity, blob.key, outcome.expected, outcome.actual)
        found.damaged.append(damaged)
    else:
        found.failed.append(Failed(blob.integrity, outcome.message))
