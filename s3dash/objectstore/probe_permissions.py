"""Which permissions these credentials have, found by using each once, below the probe's root."""

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from s3dash.errors import (
    AccessDenied,
    NotFound,
    PreconditionFailed,
    S3DashError,
    StoreError,
)
from s3dash.objectstore.examination import Examination
from s3dash.objectstore.probe_base import Probe

Granted = Literal["granted", "denied", "unknown"]


class Permission(msgspec.Struct, frozen=True):
    """One permission. `detail`: what it is for, or what fails without it, or why it is unknown."""

    name: str
    needed: bool
    granted: Granted
    detail: str


class _Asked(msgspec.Struct, frozen=True):
    name: str
    needed: bool
    purpose: str
    without: str
    call: Callable[[], object]


def permissions(probe: Probe, *, prefixed: bool) -> list[Permission]:
    """Raises nothing that the endpoint can do. `prefixed`: the store has a prefix of its own."""
    return [_tried(asked) for asked in _all(probe, prefixed)]


def _all(probe: Probe, prefixed: bool) -> Iterator[_Asked]:
    yield from _objects(probe)
    examination = probe.examination
    if examination is not None:
        if prefixed:
            yield _whole_bucket(examination)
        yield from _uploads(probe, examination)
        yield from _bucket(examination)


def _objects(probe: Probe) -> Iterator[_Asked]:
    store, key = probe.store, probe.key("permission")
    yield _Asked(
        "s3:ListBucket",
        True,
        "lists what is below the prefix",
        "nothing works: the index cannot be found",
        lambda: next(iter(store.list(probe.root)), None),
    )
    yield _Asked(
        "s3:PutObject",
        True,
        "writes objects, the index and locks",
        "push fails; pull works",
        lambda: probe.write(key, b"may I?"),
    )
    yield _Asked(
        "s3:GetObject",
        True,
        "reads objects and the index",
        "nothing works: nothing can be read",
        lambda: _unless_missing(lambda: store.get(key)),
    )
    yield _Asked(
        "s3:ListBucket, for missing keys",
        True,
        "a missing key is answered with 404",
        "a missing key is answered with 403, so that what is not there looks forbidden; "
        "let s3:ListBucket hold for the keys below the prefix",
        lambda: _unless_missing(lambda: store.head(probe.root + "missing")),
    )
    yield _Asked(
        "s3:DeleteObject",
        True,
        "deletes objects and releases locks",
        "a push leaves its lock behind, and deletions fail",
        lambda: probe.remove(key),
    )


def _whole_bucket(examination: Examination) -> _Asked:
    return _Asked(
        "s3:ListBucket, whole bucket",
        False,
        "more than s3dash uses: it lists below its prefix only",
        "nothing",
        examination.list_whole_bucket,
    )


def _uploads(probe: Probe, examination: Examination) -> Iterator[_Asked]:
    store, key, begun = probe.store, probe.key("permission-parts"), list[str]()

    def upload() -> str:
        if not begun:
            try:
                begun.append(examination.begin_upload(key))
            except AccessDenied as error:
                raise StoreError("not tried: no upload may be begun to try it on") from error
        return begun[0]

    yield _Asked(
        "s3:ListMultipartUploadParts",
        True,
        "finds the parts of an upload that was broken off",
        "a large upload that was broken off starts anew",
        lambda: next(iter(store.list_parts(key, upload())), None),
    )
    yield _Asked(
        "s3:ListBucketMultipartUploads",
        True,
        "finds unfinished uploads",
        "unfinished uploads cannot be found, and go on costing",
        lambda: next(iter(store.list_uploads(probe.root)), None),
    )
    yield _Asked(
        "s3:AbortMultipartUpload",
        True,
        "takes back a large upload that failed",
        "the parts of failed uploads stay, and cost, until a lifecycle rule aborts them; "
        f"so do those of this examination, below {probe.root}",
        lambda: store.abort_upload(key, upload()),
    )


def _bucket(examination: Examination) -> Iterator[_Asked]:
    yield _Asked(
        "s3:GetBucketVersioning",
        False,
        "tells whether overwritten versions can be had back",
        "only this examination knows less",
        examination.versioning,
    )
    yield _Asked(
        "s3:GetLifecycleConfiguration",
        False,
        "tells whether a rule deletes objects of ours",
        "only this examination knows less",
        examination.lifecycle,
    )
    yield _Asked(
        "s3:GetBucketLocation",
        False,
        "tells the bucket's region",
        "nothing: the region is in the configuration",
        examination.location,
    )


def _unless_missing(call: Callable[[], object]) -> None:
    """A 404 is an answer of somebody who may ask."""
    try:
        call()
    except NotFound:
        return


def _tried(asked: _Asked) -> Permission:
    granted: Granted = "granted"
    detail = asked.purpose
    try:
        asked.call()
    except AccessDenied:
        granted, detail = "denied", f"without it: {asked.without}"
    except PreconditionFailed:
        detail = f"{asked.purpose}; another write was under way"
    except S3DashError as error:
        granted, detail = "unknown", error.message
    return Permission(asked.name, asked.needed, granted, detail)
