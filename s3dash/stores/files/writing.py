"""Files that are read and written: at once, from and to the disk, and open."""

import mimetypes
import re
import threading
import uuid
from functools import partial
from pathlib import Path
from typing import IO

from s3dash.errors import (
    BadPath,
    BucketNotFound,
    Conflict,
    FileThere,
    IsDirectory,
    NotFound,
    NotSupported,
    PreconditionFailed,
)
from s3dash.objectstore.examination import Joining
from s3dash.objectstore.port import Downloaded, OnBytes
from s3dash.objectstore.probe import special_probe
from s3dash.stores.files import names, reading
from s3dash.stores.files.looking import Looking
from s3dash.stores.files.model import FileInfo
from s3dash.stores.files.staged import Spool, StagedFile
from s3dash.stores.opened import Opened

IN_MEMORY = 8 << 20
NAME = 80
"""Characters of the name of a copy that is kept."""
READ, WRITE, APPEND, NEW = "r", "w", "a", "x"


class Writing(Looking):
    """The part of `Files` that works on one file."""

    def __init__(
        self, opened: Opened, *, emulate: bool = False, in_memory: int = IN_MEMORY
    ) -> None:
        super().__init__(opened)
        self.emulate = emulate
        self._in_memory = in_memory
        self._steady = opened.steady
        self._proving = threading.Lock()
        self._proved = False

    # --- whole files --------------------------------------------------------------------

    def write(self, path: str, body: bytes, *, exclusive: bool = False) -> str:
        """Write a file at once; its ETag. Raises FileThere where it is to be `exclusive`."""
        key = file_path(path)
        if len(body) > self._in_memory:
            with self.open(path, "xb" if exclusive else "wb") as file:
                file.write(body)
            return self._need_file(path).etag
        try:
            return self._steady.put(
                key, body, if_none_match=exclusive, content_type=_kind(key)
            ).etag
        except PreconditionFailed as error:
            raise taken(path) from error

    def upload(
        self, path: str, source: Path, *, exclusive: bool = False, on_bytes: OnBytes | None = None
    ) -> str:
        """Send a local file, large ones in parts; its ETag. Raises FileThere, LocalError."""
        key = file_path(path)
        try:
            self._prove_parts(conditional=exclusive)
            return self._steady.upload(
                key, source, if_none_match=exclusive, content_type=_kind(key), on_bytes=on_bytes
            ).etag
        except PreconditionFailed as error:
            raise taken(path) from error

    def download(
        self, path: str, sink: IO[bytes], *, etag: str = "", on_bytes: OnBytes | None = None
    ) -> Downloaded:
        """Stream a file into `sink`, whose errors are raised as they are. Raises IsDirectory."""
        key = file_path(path)
        try:
            return self.store.download(key, sink, if_match=etag or None, on_bytes=on_bytes)  # type: ignore[arg-type] # binary
        except (NotFound, BucketNotFound) as error:
            raise self.no_file(path) from error

    def copy(self, source: str | FileInfo, target: str) -> FileInfo:
        """Copy a file on the server, over one that may be there; what was copied.

        Of a file that was looked up already the version that it had. Raises Conflict when that
        went meanwhile.
        """
        found = self._need_file(source) if isinstance(source, str) else source
        key = file_path(target)
        if key == found.path:
            raise BadPath(f"{key!r} and {key!r} are the same file")
        try:
            self.store.copy(found.path, key, if_match=found.etag, size=found.size)
        except (NotFound, PreconditionFailed) as error:
            raise changed(found.path) from error
        return found

    # --- open files ---------------------------------------------------------------------

    def open(
        self, path: str, mode: str = "rb", *, emulate: bool | None = None, autocommit: bool = True
    ) -> IO[bytes]:
        """A binary file. What is written is there once it is closed, as a whole, or not at all.

        `rb`; `wb`, and `xb` for one that must not be there (FileThere, now or at the end). With
        `emulate` also `r+b`, `w+b`, `ab` and their like, on a copy that is sent when it was
        written to: Conflict at the end when somebody else wrote meanwhile; theirs stays, and the
        message names where the copy is kept. Without it: NotSupported. Of a file that is read all
        is of one version: PreconditionFailed when another one came.
        """
        action, plus = _parsed(mode)
        key = file_path(path)
        if action == READ and not plus:
            found = self._need_file(path)
            fetch = partial(self._fetch, found)
            return reading.opened(key, found.size, fetch)
        emulated = self.emulate if emulate is None else emulate
        if not emulated and (plus or action == APPEND):
            raise NotSupported(
                f"{path!r}: S3 cannot do {mode!r} to an object", hint="open it with emulate"
            )
        return self._staged(key, mode, emulated=emulated, autocommit=autocommit)  # type: ignore[return-value] # io's base classes are no IO

    def truncate(self, path: str, size: int, *, emulate: bool | None = None) -> None:
        """Cut a file, or fill it up with NULs. Raises NotSupported unless emulated; Conflict."""
        emulated = self.emulate if emulate is None else emulate
        if not emulated:
            raise NotSupported(f"{path!r} cannot be truncated", hint="use emulate")
        with self.open(path, "r+b", emulate=True) as file:
            file.truncate(size)

    def _staged(self, key: str, mode: str, *, emulated: bool, autocommit: bool) -> StagedFile:
        action, plus = _parsed(mode)
        there = None if action == WRITE and not emulated else self._file(key)
        if action == NEW and there is not None:
            raise taken(key)
        if action == READ and there is None:
            raise self.no_file(key)
        spool = Spool(key, limit=self._in_memory)
        if there is not None and action in (READ, APPEND):
            self._fill(spool, there)
        pinned = emulated and (plus or action == APPEND)
        return StagedFile(
            key,
            mode,
            spool,
            partial(self._send, key, there, pinned=pinned, new=action == NEW),
            readable=plus,
            appends=action == APPEND,
            resizes=emulated,
            dirty=action in (WRITE, NEW) or there is None,
            autocommit=autocommit,
        )

    def _fill(self, spool: Spool, found: FileInfo) -> None:
        try:
            self.store.download(found.path, spool, if_match=found.etag)  # type: ignore[arg-type] # only written
        except (NotFound, PreconditionFailed) as error:
            spool.drop()
            raise changed(found.path) from error
        spool.file.seek(0)

    def _send(
        self, key: str, there: FileInfo | None, spool: Spool, *, pinned: bool, new: bool
    ) -> None:
        """`pinned`: only onto the version that was there, or onto none; `new`: onto none."""
        etag = there.etag if pinned and there is not None else None
        absent = new or (pinned and there is None)
        try:
            if spool.path is None:
                self._steady.put(
                    key, spool.body, if_match=etag, if_none_match=absent, content_type=_kind(key)
                )
            else:
                self._prove_parts(conditional=absent or etag is not None)
                self._steady.upload(
                    key,
                    spool.path,
                    if_match=etag,
                    if_none_match=absent,
                    content_type=_kind(key),
                )
        except (PreconditionFailed, NotFound) as error:
            if new:
                raise taken(key) from error
            if not pinned:
                raise
            kept = spool.keep(self.settings.state_dir / "kept", _local_name(key))
            raise Conflict(
                f"{key!r} was changed meanwhile: theirs stays, yours is kept as {kept}",
                hint="look at both, and write the file again",
            ) from error

    def _prove_parts(self, *, conditional: bool) -> None:
        """Find out, once, whether the endpoint heeds conditions on what comes in parts; where it
        does not, such a file goes in one request."""
        with self._proving:
            if conditional and not self._proved and isinstance(self.store, Joining):
                nonce = uuid.uuid4().hex
                self.store.joins_on_condition = special_probe(self.store, "complete", nonce=nonce)
                self._proved = True

    def _fetch(self, found: FileInfo, start: int, length: int) -> bytes:
        return self.store.get_range(found.path, start=start, length=length, if_match=found.etag)

    def _need_file(self, path: str) -> FileInfo:
        found = self._file(file_path(path))
        if found is None:
            raise self.no_file(path)
        return found


def file_path(path: str) -> str:
    """The key of a file. Raises BadPath, IsDirectory."""
    key = names.checked(path)
    if not key or path.endswith(names.SLASH):
        raise IsDirectory(f"{path!r} is a directory")
    return key


def _parsed(mode: str) -> tuple[str, bool]:
    """What is to be done, and whether the file is both read and written. Raises ValueError."""
    plain = mode.replace("b", "")
    action, plus = plain.replace("+", ""), "+" in plain
    if action not in (READ, WRITE, APPEND, NEW) or len(plain) - plus != 1:
        raise ValueError(f"invalid mode: {mode!r}")
    return action, plus


def _kind(key: str) -> str:
    return mimetypes.guess_type(key, strict=False)[0] or "application/octet-stream"


def _local_name(key: str) -> str:
    """A name for the disk: it begins with no dot, and has no character that a shell obeys."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", names.name_of(key))[-NAME:]


def taken(path: str) -> FileThere:
    return FileThere(f"{path!r} is there already")


def changed(path: str) -> Conflict:
    return Conflict(f"{path!r} was changed or removed meanwhile", hint="try again")
