"""A file that is being written: kept here until it is closed, so that nobody sees half of it."""

import io
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from s3dash.errors import NotSupported
from s3dash.local import fsio

CHUNK = 1 << 20
_FAILED = "the staged copy of {} cannot be written"

Buffer = bytes | bytearray | memoryview
Commit = Callable[["Spool"], None]


class Spool:
    """Bytes in memory, beyond `limit` of them in a temporary file."""

    def __init__(self, path: str, *, limit: int) -> None:
        self._told = _FAILED.format(repr(path))
        self._limit = limit
        self.file: BinaryIO = io.BytesIO()
        self.path: Path | None = None

    @property
    def body(self) -> bytes:
        """All of it, where it is in memory."""
        assert isinstance(self.file, io.BytesIO)
        return self.file.getvalue()

    def write(self, data: Buffer) -> int:
        with fsio.telling(self._told):
            if self.path is None and self.file.tell() + len(data) > self._limit:
                self._roll_over()
            return self.file.write(data)

    def truncate(self, size: int) -> int:
        """To exactly `size` bytes; NULs fill what is added. The position stays."""
        at = self.file.tell()
        with fsio.telling(self._told):
            if self.path is None and size > self._limit:
                self._roll_over()
            end = self.file.seek(0, os.SEEK_END)
            if self.path is None and size > end:
                self.file.write(bytes(size - end))
            self.file.truncate(size)
        self.file.seek(at)
        return size

    def settle(self) -> None:
        """All that was written is in the file, for whoever opens it by its path."""
        with fsio.telling(self._told):
            self.file.flush()

    def keep(self, directory: Path, name: str) -> Path:
        """Move it to where it stays until somebody takes it away."""
        with fsio.telling(f"{directory} cannot be written"):
            fsio.make_dirs(directory, mode=0o700)
            with fsio.new_file(directory) as kept:
                self.file.seek(0)
                shutil.copyfileobj(self.file, kept, CHUNK)
                kept.flush()
                fsio.fsync(kept.fileno(), Path(kept.name))
            target = Path(f"{kept.name}-{name}")
            Path(kept.name).rename(target)
            fsio.fsync_path(directory)
        return target

    def drop(self) -> None:
        self.file.close()
        if self.path is not None:
            with suppress(FileNotFoundError):  # somebody tidied the temporary directory up
                self.path.unlink()

    def _roll_over(self) -> None:
        handle, path = tempfile.mkstemp(prefix="s3dash-")
        self.path = Path(path)
        memory, at = self.body, self.file.tell()
        self.file = os.fdopen(handle, "w+b", CHUNK)
        self.file.write(memory)
        self.file.seek(at)


class StagedFile(io.BufferedIOBase):
    """A binary file for writing. `close` sends it, unless the `with` block ended by an exception.

    `readable`: what is there can be read, too. `appends`: all writing goes to the end. `resizes`:
    it can be truncated. `dirty`: it is sent even when nothing is written. With `autocommit` off it
    is sent by `commit` only. One that nobody closes is never sent.
    """

    def __init__(
        self,
        path: str,
        mode: str,
        spool: Spool,
        commit: Commit,
        *,
        readable: bool,
        appends: bool,
        resizes: bool,
        dirty: bool,
        autocommit: bool = True,
    ) -> None:
        super().__init__()
        self.path = path
        self.mode = mode
        self.autocommit = autocommit
        self._spool = spool
        self._commit = commit
        self._readable = readable
        self._appends = appends
        self._resizes = resizes
        self._dirty = dirty
        self._over = False
        self.failed: Callable[[], bool] = lambda: False
        """Whether what it was opened for failed, as far as the one who closes it cannot tell."""
        if appends:
            spool.file.seek(0, os.SEEK_END)

    # --- what a file can do -------------------------------------------------------------

    def readable(self) -> bool:
        return self._readable

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:  # type: ignore[override] # any buffer, as of io's own
        self._check_open()
        view = memoryview(data).cast("B")
        if self._appends:
            self._spool.file.seek(0, os.SEEK_END)
        self._dirty = True
        return self._spool.write(view)

    def read(self, size: int | None = -1) -> bytes:
        self._check_open()
        if not self._readable:
            raise io.UnsupportedOperation("not readable")
        return self._spool.file.read(-1 if size is None else size)

    def read1(self, size: int = -1) -> bytes:
        return self.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._check_open()
        return self._spool.file.seek(offset, whence)

    def tell(self) -> int:
        self._check_open()
        return self._spool.file.tell()

    def truncate(self, size: int | None = None) -> int:
        """Raises NotSupported unless it was opened to be emulated."""
        self._check_open()
        if not self._resizes:
            raise NotSupported(f"{self.path!r} cannot be truncated", hint="open it with emulate")
        self._dirty = True
        return self._spool.truncate(self.tell() if size is None else size)

    # --- the end ------------------------------------------------------------------------

    def close(self) -> None:
        """Send it. Raises what sending raises; it is closed in any case."""
        if not self.closed:
            try:
                if self.failed():
                    self.discard()
                elif self.autocommit:
                    self.commit()
            finally:
                super().close()

    def commit(self) -> None:
        """Send what was written, once."""
        if self._over:
            return
        self._over = True
        try:
            if self._dirty:
                self._spool.settle()
                self._commit(self._spool)
        finally:
            self._spool.drop()

    def discard(self) -> None:
        """Forget what was written; nothing was sent."""
        if not self._over:
            self._over = True
            self._spool.drop()
        super().close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.discard()
        self.close()

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __del__(self) -> None:
        if not getattr(self, "_over", True):
            self.discard()
            warnings.warn(
                f"{self.path!r} was never closed: not sent", ResourceWarning, stacklevel=2
            )

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
