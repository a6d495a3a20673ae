"""Where a local file goes that is replaced or deleted: nothing that exists once is destroyed.

Two files each: `<id>.json` tells what it was, `<id>.blob` is it. Ids sort by time. Both are
durable before a method returns, so that whoever replaces the file afterwards destroys nothing.
What may leave the trash unasked, and when, is `trash_limits`'s to say.
"""

import errno
import re
import secrets
import stat as modes
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec.structs import replace

from s3dash.clock import Clock, iso
from s3dash.errors import LocalChanged, LocalError
from s3dash.local import fsio
from s3dash.local.scan import FileStat, hash_file

STAMP = "%Y%m%dT%H%M%S"
_ID = re.compile(r"\d{8}T\d{9}-[0-9a-f]{12}")


class Reason(StrEnum):
    """Why a file is in the trash."""

    REPLACED = "replaced by a pull"
    """It was the version that both sides had, and the bucket got another one."""
    DELETED = "deleted in the bucket"
    """It was the version that both sides had, and somebody deleted it."""
    LOST = "lost to the bucket's version"
    """It was a local edit; the user, or a policy, took the other side of a conflict."""
    OVERWRITTEN = "replaced in the bucket by the local one"
    """It was an object; the user, or a policy, took the local side of a conflict."""
    UNDONE = "put away when a decision was undone"
    """It was what a decision had put in the file's place, until the user took that back."""
    UNKNOWN = "its record was lost"


SETTLED = frozenset({Reason.REPLACED, Reason.DELETED})
"""Somebody went on from it knowingly; any other reason leaves bytes that nobody judged."""


class Trashed(msgspec.Struct, frozen=True):
    """One file in the trash. `rel` is where it was, `at` the ISO time, `size` in bytes.

    `rel` and `sha256` are empty when the record was lost. `namespace` is the one of `rel`.
    """

    id: str
    rel: str
    sha256: str
    size: int
    at: str
    reason: str
    namespace: str | None = None

    @property
    def settled(self) -> bool:
        """True when its age or its size is reason enough to drop it."""
        return self.reason in SETTLED


_RECORD = msgspec.json.Decoder(Trashed)


class Trash:
    """The trash of one cache, seen from one namespace. Any thread may call.

    Every method raises LocalError when the disk refuses, LocalChanged when the file was
    changed meanwhile; the file is then still where it was, or in the trash as well.
    """

    def __init__(self, directory: Path, clock: Clock, *, namespace: str | None = None) -> None:
        self._directory = directory
        self._clock = clock
        self._namespace = namespace

    def keep(
        self,
        path: Path,
        rel: str,
        reason: str,
        *,
        sha256: str | None = None,
        expected: FileStat | None = None,
    ) -> Trashed:
        """Move a file into the trash.

        `sha256` spares reading it; with `expected` it is moved only while it is that file.
        """
        with fsio.telling(f"{path} cannot be moved to the trash"):
            trashed, stat = self._record(path, rel, reason, sha256, expected)
            with self._no_idle_record(trashed.id):
                self._move_in(path, trashed, stat)
            self._make_durable(trashed.id)
            return trashed

    def preserve(
        self,
        path: Path,
        rel: str,
        reason: str,
        *,
        sha256: str | None = None,
        expected: FileStat | None = None,
    ) -> Trashed:
        """As `keep`, but the file stays: a second link to it, or a copy on another disk."""
        with fsio.telling(f"{path} cannot be kept in the trash"):
            trashed, stat = self._record(path, rel, reason, sha256, expected)
            with self._no_idle_record(trashed.id):
                self._copy_in(path, trashed.id)
            if not FileStat.of(path.lstat()).same_content(stat):
                raise LocalChanged(f"{path} changed while it was kept")
            self._make_durable(trashed.id)
            return trashed

    def list(self) -> list[Trashed]:
        """What was in this namespace, and what lost its record; oldest first."""
        found = (self.record(id) for id in self.sizes())
        return [t for t in found if t and (t.namespace == self._namespace or not t.rel)]

    def record(self, id: str) -> Trashed | None:
        """What is known of one file, made up where its record was lost; None: it has gone."""
        with fsio.telling(f"{self._directory} cannot be read"):
            try:
                size = self._blob(id).lstat().st_size
                return _RECORD.decode(self._file(id, "json").read_bytes())
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return _unknown(id, size)
            except FileNotFoundError:
                return _unknown(id, size) if self._blob(id).exists() else None

    def sizes(self) -> dict[str, int]:
        """Every file in the trash of the cache, whatever its namespace: id to bytes, by age."""
        with fsio.telling(f"{self._directory} cannot be read"):
            if not self._directory.is_dir():
                return {}
            found = sorted(p for p in self._directory.glob("*.blob") if _ID.fullmatch(p.stem))
            return {blob.stem: blob.lstat().st_size for blob in found}

    def path(self, id: str) -> Path:
        """The file itself, to read. Raises LocalError for an id that is not in the trash."""
        blob = self._blob(id)
        if not _ID.fullmatch(id) or not blob.is_file():
            raise LocalError(f"{id} is not in the trash", hint="`s3dash trash` lists the ids")
        return blob

    def drop(self, id: str) -> None:
        """Destroy a file in the trash. Raises LocalError for an id that is not there."""
        blob = self.path(id)
        with fsio.telling(f"{blob} cannot be removed"):
            blob.unlink(missing_ok=True)
            self._file(id, "json").unlink(missing_ok=True)

    def hand_over(self, namespace: str | None) -> None:
        """What was in this namespace is in another one from now on, and can be restored there."""
        with fsio.telling(f"{self._directory} cannot be written"):
            for trashed in self.list():
                if trashed.rel:
                    part = self._file(trashed.id, "part")
                    moved = replace(trashed, namespace=namespace)
                    part.write_bytes(msgspec.json.encode(moved))
                    fsio.fsync_path(part)
                    part.replace(self._file(trashed.id, "json"))

    def sweep(self) -> None:
        """Remove what a crash left of files that never got here. For the owner only."""
        with fsio.telling(f"{self._directory} cannot be swept"):
            if not self._directory.is_dir():
                return
            for part in self._directory.glob("*.part"):
                part.unlink()
            for record in self._directory.glob("*.json"):
                if not record.with_suffix(".blob").exists():
                    record.unlink()

    # --- the two files ------------------------------------------------------------------

    def _record(
        self, path: Path, rel: str, reason: str, sha256: str | None, expected: FileStat | None
    ) -> tuple[Trashed, FileStat]:
        """Write the record, before the file moves; also the stat that it is about."""
        found = path.lstat()
        stat = FileStat.of(found)
        if not modes.S_ISREG(found.st_mode):
            raise LocalError(f"{path} is no regular file")
        if expected is not None and stat != expected:
            raise LocalChanged(f"{path} changed meanwhile")
        if sha256 is None:
            sha256, stat = hash_file(path)
            if expected is not None and stat != expected:
                raise LocalChanged(f"{path} changed meanwhile")
        now = self._clock.now()
        id = f"{now:{STAMP}}{now.microsecond // 1000:03d}-{secrets.token_hex(6)}"
        trashed = Trashed(id, rel, sha256, stat.size, iso(now), reason, self._namespace)
        fsio.make_dirs(self._directory, mode=0o700)
        with self._file(id, "json").open("xb") as record:
            record.write(msgspec.json.encode(trashed))
        fsio.fsync_path(self._file(id, "json"))
        return trashed, stat

    @contextmanager
    def _no_idle_record(self, id: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._file(id, "part").unlink(missing_ok=True)
            if not self._blob(id).exists():
                self._file(id, "json").unlink(missing_ok=True)
            raise

    def _make_durable(self, id: str) -> None:
        fsio.fsync_path(self._blob(id))
        fsio.fsync_path(self._directory)

    def _copy_in(self, path: Path, id: str) -> None:
        """Under its name in the trash there is the whole of a file or none."""
        part = self._file(id, "part")
        fsio.link_or_copy(path, part)
        part.rename(self._blob(id))

    def _move_in(self, path: Path, trashed: Trashed, stat: FileStat) -> None:
        try:
            path.rename(self._blob(trashed.id))
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy_in(path, trashed.id)
            away = path.with_name(f"{fsio.BESIDE}{trashed.id}")
            path.rename(away)  # whatever is there now: an edit is never unlinked
            _put_back_if_other(away, path, stat)
            away.unlink()
        else:
            _put_back_if_other(self._blob(trashed.id), path, stat)

    def _blob(self, id: str) -> Path:
        return self._file(id, "blob")

    def _file(self, id: str, suffix: str) -> Path:
        return self._directory / f"{id}.{suffix}"


def _unknown(id: str, size: int) -> Trashed:
    return Trashed(id, "", "", size, "", Reason.UNKNOWN)


def _put_back_if_other(taken: Path, path: Path, stat: FileStat) -> None:
    """Somebody may have replaced the file just before it was moved."""
    if FileStat.of(taken.lstat()).same_content(stat):
        return
    try:
        fsio.move_new(taken, path)
    except FileExistsError as error:
        raise LocalChanged(f"{path} changed twice; one version is {taken}") from error
    raise LocalChanged(f"{path} changed while it was moved to the trash")
