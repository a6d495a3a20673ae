"""Where a local file goes that is replaced or deleted: nothing that exists once is destroyed.

Two files each: `<id>.json` tells what it was, `<id>.blob` is it. Ids sort by time.
"""

import errno
import re
import secrets
import stat as modes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from s3dash.clock import Clock, iso
from s3dash.errors import LocalChanged, LocalError
from s3dash.local import fsio
from s3dash.local.scan import FileStat, hash_file

_ID = re.compile(r"\d{8}T\d{9}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Trashed:
    """One file in the trash. `rel` is where it was, `at` the ISO time, `size` in bytes."""

    id: str
    rel: str
    sha256: str
    size: int
    at: str
    reason: str


_RECORD = msgspec.json.Decoder(Trashed)


class Trash:
    """The trash of one datastore. Any thread may call.

    Every method raises LocalError when the disk refuses, LocalChanged when the file was
    changed meanwhile; the file is then still where it was, or in the trash as well.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

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
            fsio.fsync_path(self._directory)
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
                fsio.link_or_copy(path, self._blob(trashed.id))
            if not FileStat.of(path.lstat()).same_content(stat):
                raise LocalChanged(f"{path} changed while it was kept")
            fsio.fsync_path(self._directory)
            return trashed

    def list(self) -> list[Trashed]:
        """Oldest first. A record that was lost in a crash is made up from its file."""
        with fsio.telling(f"{self._directory} cannot be read"):
            if not self._directory.is_dir():
                return []
            blobs = sorted(p for p in self._directory.glob("*.blob") if _ID.fullmatch(p.stem))
            return [self._read(blob) for blob in blobs]

    def path(self, id: str) -> Path:
        """The file itself, to read. Raises LocalError for an id that is not in the trash."""
        blob = self._blob(id)
        if not _ID.fullmatch(id) or not blob.is_file():
            raise LocalError(f"{id} is not in the trash", hint="`s3dash trash` lists the ids")
        return blob

    def restore(self, id: str, target: Path) -> None:
        """Move a file out of the trash. Raises LocalError when `target` exists."""
        blob = self.path(id)
        with fsio.telling(f"{target} cannot be restored"):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._move_out(blob, target)
            except FileExistsError as error:
                raise LocalError(
                    f"{target} exists, and is not overwritten", hint="move it away first"
                ) from error
            fsio.fsync_path(target.parent)
            self._drop(id)

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
        id = f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{secrets.token_hex(6)}"
        trashed = Trashed(id, rel, sha256, stat.size, iso(now), reason)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._directory / f"{id}.json").open("xb") as record:
            record.write(msgspec.json.encode(trashed))
        return trashed, stat

    @contextmanager
    def _no_idle_record(self, id: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if not self._blob(id).exists():
                self._drop(id)
            raise

    def _move_in(self, path: Path, trashed: Trashed, stat: FileStat) -> None:
        blob = self._blob(trashed.id)
        try:
            path.rename(blob)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            fsio.copy_new(path, blob)
            if FileStat.of(path.lstat()) != stat:
                raise LocalChanged(f"{path} changed while it was copied to the trash") from error
            path.unlink()
        else:
            self._put_back_if_other(path, trashed, stat)

    def _put_back_if_other(self, path: Path, trashed: Trashed, stat: FileStat) -> None:
        """Somebody may have replaced the file just before it was moved."""
        blob = self._blob(trashed.id)
        if FileStat.of(blob.lstat()).same_content(stat):
            return
        try:
            fsio.move_new(blob, path)
        except FileExistsError as error:
            raise LocalChanged(f"{path} changed twice; one version is in the trash") from error
        raise LocalChanged(f"{path} changed while it was moved to the trash")

    def _move_out(self, blob: Path, target: Path) -> None:
        try:
            fsio.move_new(blob, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            fsio.copy_new(blob, target)

    def _read(self, blob: Path) -> Trashed:
        try:
            return _RECORD.decode(blob.with_suffix(".json").read_bytes())
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
            found = blob.stat()
            return Trashed(blob.stem, "", "", found.st_size, "", "its record was lost")

    def _drop(self, id: str) -> None:
        self._blob(id).unlink(missing_ok=True)
        (self._directory / f"{id}.json").unlink(missing_ok=True)

    def _blob(self, id: str) -> Path:
        return self._directory / f"{id}.blob"
