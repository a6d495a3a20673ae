"""The exception tree of s3dash.

Every class says whether trying the same thing again can help (`retryable`) and which exit
code the command line ends with (`exit_code`). Messages never carry the value of a secret.
"""

import errno
from typing import ClassVar


class S3DashError(Exception):
    """Base of every error that s3dash raises on purpose.

    `hint` is one sentence on what the user can do, or empty. `brief` is the error in a few words
    for a status line, for example `503 SlowDown from the endpoint`.
    """

    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", brief: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.brief = brief or type(self).__name__

    def document(self) -> dict[str, dict[str, str]]:
        """The error as the command line prints it with `--json`."""
        return {"error": {"type": type(self).__name__, "message": self.message, "hint": self.hint}}


class UsageError(S3DashError):
    """The command was called with arguments that make no sense."""

    exit_code = 2


class TargetTaken(UsageError):
    """What was to be written would replace another file, or be pushed; it has to be insisted on."""


class ConfigError(S3DashError):
    """The configuration or the credentials are missing, partial or wrong."""

    exit_code = 2


class NotConfigured(ConfigError):
    """Nothing says which datastore is meant: no file was named, and none is there."""


class ReadOnly(S3DashError):
    """This datastore was opened to look only, by `readonly` in the configuration or on the line."""

    exit_code = 2


class Cancelled(S3DashError):
    """The user stopped the operation; what was not finished was not begun either."""

    exit_code = 130


class SyncTimedOut(S3DashError):
    """A push, pull or sync took longer than it may; it was stopped as if the user had."""


class TransferCancelled(Cancelled):
    """The user stopped this one transfer; the operation goes on without it."""


class TransferPaused(Cancelled):
    """The user paused this one transfer; it lets go of all that it holds, and goes on later."""


# --- the bucket -------------------------------------------------------------------------


class StoreError(S3DashError):
    """The object store refused or failed.

    `action` is the permission that was asked for (`s3:GetObject`) and `resource` what for
    (`bucket/key`), where the adapter knows.
    """

    action: str = ""
    resource: str = ""


class NotFound(StoreError):
    """No object has this key."""


class BucketNotFound(StoreError):
    """The bucket does not exist, or this identity may not see it."""


class KeyNotFound(NotFound, KeyError):
    """No value has this key; as a mapping says it, too."""

    __str__ = S3DashError.__str__


class NoMount(StoreError):
    """No datastore is mounted where this key lies."""


class MountFailed(StoreError):
    """One of the datastores that are mounted failed; the message names where it is mounted."""


class PreconditionFailed(StoreError):
    """If-Match or If-None-Match did not hold: someone else was there first."""


class AccessDenied(StoreError):
    """The credentials are wrong or lack a permission."""


class CredentialsExpired(AccessDenied):
    """The temporary credentials ran out, and where they came from there are no newer ones."""


class Integrity(StoreError):
    """The bytes are not the bytes that were promised (length, SHA-256 or checksum).

    `expected` and `actual` name both, where they have names.
    """

    expected: str = ""
    actual: str = ""


class Unverifiable(Integrity):
    """Nothing says which bytes these should be."""


class NotImplementedByEndpoint(StoreError):
    """The endpoint answers that it does not know this request or condition."""


class InvalidResponse(StoreError):
    """A success status with a body that is no S3 answer (HTML, empty, or an error document)."""


class Unreachable(StoreError):
    """No answer: connection refused, reset, DNS failure or time-out."""

    retryable = True


class Throttled(StoreError):
    """503 SlowDown or 429."""

    retryable = True


class ServerFault(StoreError):
    """Any other 5xx answer."""

    retryable = True


class OtherDatastore(StoreError):
    """The bucket is not the one that this cache was synced with; nothing was changed."""

    exit_code = 3


# --- the shared datastore ---------------------------------------------------------------


class NamespaceTaken(S3DashError):
    """The namespace is registered for another repository, whose id the message names."""


class IndexCorrupt(S3DashError):
    """The remote index cannot be read; nothing was changed on either side."""


class LockHeld(S3DashError):
    """Somebody else holds the lock, and it is alive."""

    exit_code = 4


class LockLost(S3DashError):
    """The lease ran out or was taken over; no further write was issued."""

    exit_code = 4


class UnsafeEndpoint(S3DashError):
    """The endpoint does not honour conditional writes, so no lock on it can be trusted."""

    exit_code = 4


class CacheBusy(S3DashError):
    """Another s3dash owns this cache; this one may only read."""

    exit_code = 4


class OwnerGone(S3DashError):
    """The process that owns the cache ended, or let go of us, while it worked for us."""

    retryable = True


class CommitConflict(S3DashError):
    """The index kept moving while we tried to commit."""

    exit_code = 3
    retryable = True


class ForeignVersion(CommitConflict):
    """An object that no index names is where ours should go; it was not overwritten."""

    retryable = False


class GuardTripped(S3DashError):
    """More deletions than the delete guard lets pass without being asked."""

    exit_code = 3


# --- the local side ---------------------------------------------------------------------


class LocalError(S3DashError):
    """A local file or directory could not be read or written."""


class DiskFull(LocalError):
    """No room is left, or the quota is used up."""


class LocalChanged(LocalError):
    """A local file changed while it was being transferred; it stays dirty."""

    retryable = True


class PathBlocked(LocalError):
    """This path cannot exist on this disk or must not be written; nothing was."""


# --- files in a bucket ------------------------------------------------------------------


class FileError(S3DashError, OSError):
    """Base of what a file system refuses: an OSError with its number, as programs expect it."""

    number: ClassVar[int] = errno.EIO

    def __init__(self, message: str, *, hint: str = "", brief: str = "") -> None:
        super().__init__(message, hint=hint, brief=brief)
        self.errno = self.number


class NoSuchFile(FileError, FileNotFoundError):
    """Neither a file nor a directory has this path."""

    number = errno.ENOENT


class FileThere(FileError, FileExistsError):
    """The path is taken already."""

    number = errno.EEXIST


class IsDirectory(FileError, IsADirectoryError):
    """A file is needed, and this is a directory."""

    number = errno.EISDIR


class NoDirectory(FileError, NotADirectoryError):
    """A directory is needed, and this is a file."""

    number = errno.ENOTDIR


class NotEmpty(FileError):
    """The directory holds something."""

    number = errno.ENOTEMPTY


class BadPath(FileError):
    """No file can have this path, or not be moved there."""

    number = errno.EINVAL


class NotSupported(FileError):
    """An object store cannot do this to an object, and was not told to emulate it."""

    number = errno.ENOTSUP


class Conflict(FileError):
    """Somebody else changed the file meanwhile; theirs was kept."""

    number = errno.ESTALE
    exit_code = 3
