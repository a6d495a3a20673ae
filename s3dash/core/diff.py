"""The three-way comparison of one path. Pure: it decides, it touches nothing."""

from enum import StrEnum

import msgspec


class Base(msgspec.Struct, frozen=True):
    """What we last knew both sides agreed on.

    `tag` is the remote entry's tag as it then was; `etag` the object's version, or None when
    it was never seen.
    """

    sha256: str
    size: int
    tag: str
    etag: str | None = None


class Local(msgspec.Struct, frozen=True):
    """A regular file in the cache. `sha256` is None when comparing sizes already told enough."""

    size: int
    sha256: str | None


class Remote(msgspec.Struct, frozen=True):
    """An entry of the remote index. `sha256` is None when its writer gave none."""

    size: int
    sha256: str | None
    tag: str


class Verdict(StrEnum):
    """What the comparison of one path says."""

    IN_SYNC = "in sync"
    CONVERGED = "same on both sides"
    LOCAL_ADDED = "new here"
    LOCAL_MODIFIED = "changed here"
    LOCAL_DELETED = "deleted here"
    LOCAL_REVIVED = "changed here, deleted in the bucket: the edit wins"
    REMOTE_ADDED = "new in the bucket"
    REMOTE_MODIFIED = "changed in the bucket"
    REMOTE_DELETED = "deleted in the bucket"
    CLOBBERED = "lost from the index, still in the bucket: put back"
    REMOTE_REVIVED = "deleted here, changed in the bucket: the edit wins"
    BOTH_DELETED = "deleted on both sides"
    BOTH_MODIFIED = "changed on both sides"
    BOTH_ADDED = "new on both sides, different"


def classify(base: Base | None, local: Local | None, remote: Remote | None) -> Verdict:
    """Compare the three versions of a path; None means that the side does not have it.

    CLOBBERED is never an answer: only a look at the object tells it from REMOTE_DELETED.

    The caller leaves out paths whose local side is unknown (unreadable, special, excluded).
    """
    if base is None:
        return _without_base(local, remote)
    if local is None:
        return _deleted_here(base, remote)
    changed_here = local.sha256 != base.sha256
    if remote is None:
        return Verdict.LOCAL_REVIVED if changed_here else Verdict.REMOTE_DELETED
    if remote.tag == base.tag:
        return Verdict.LOCAL_MODIFIED if changed_here else Verdict.IN_SYNC
    if _same(local, remote):
        return Verdict.CONVERGED
    if _unmoved(base, remote):
        return Verdict.LOCAL_MODIFIED
    return Verdict.BOTH_MODIFIED if changed_here else Verdict.REMOTE_MODIFIED


def _without_base(local: Local | None, remote: Remote | None) -> Verdict:
    if local is None:
        return Verdict.IN_SYNC if remote is None else Verdict.REMOTE_ADDED
    if remote is None:
        return Verdict.LOCAL_ADDED
    return Verdict.CONVERGED if _same(local, remote) else Verdict.BOTH_ADDED


def _deleted_here(base: Base, remote: Remote | None) -> Verdict:
    if remote is None:
        return Verdict.BOTH_DELETED
    return Verdict.LOCAL_DELETED if _unmoved(base, remote) else Verdict.REMOTE_REVIVED


def _unmoved(base: Base, remote: Remote) -> bool:
    """True when the content in the bucket is the base's, whatever its entry says beside it."""
    return remote.tag == base.tag or remote.sha256 == base.sha256


def _same(local: Local, remote: Remote) -> bool:
    return local.sha256 is not None and local.sha256 == remote.sha256


def wants_hash(size: int, base: Base | None, remote: Remote | None) -> bool:
    """True when the comparison cannot be decided by sizes alone."""
    return (base is not None and base.size == size) or (remote is not None and remote.size == size)
