"""What fsspec's users hold: files for reading with its caches, and writers around a staged file.

A writer whose `with` block ends by an exception leaves nothing, whatever it is wrapped in.
"""

import io
import sys
from types import TracebackType
from typing import IO, Any

from fsspec.core import OpenFile, OpenFiles
from fsspec.spec import AbstractBufferedFile

from s3dash.stores.files.files import Files
from s3dash.stores.files.model import FileInfo
from s3dash.stores.files.staged import Buffer, StagedFile

_EXITS = (OpenFile.__exit__.__code__, OpenFiles.__exit__.__code__)


class ReadFile(AbstractBufferedFile):  # type: ignore[misc] # fsspec has no types
    """One version of a file, read in blocks through one of fsspec's caches."""

    def __init__(self, fs: Any, path: str, files: Files, found: FileInfo, **options: Any) -> None:
        super().__init__(fs, path, "rb", size=found.size, **options)
        self._files = files
        self._found = found

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self._files.read(self._found.path, start, end, etag=self._found.etag)


class Text(io.TextIOWrapper):
    """A text file; what it wraps is discarded where the block fails."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and isinstance(self.buffer, StagedFile | Compressed):
            self.buffer.discard()
        self.close()


class Compressed(io.BufferedIOBase):
    """A compressor over a staged file: closing it closes both, which compressors do not."""

    def __init__(self, compressor: IO[bytes], staged: StagedFile) -> None:
        super().__init__()
        self._compressor = compressor
        self._staged = staged

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:  # type: ignore[override] # any buffer, as of io's own
        self._compressor.write(data)
        return memoryview(data).nbytes

    def close(self) -> None:
        if not self.closed:
            try:
                self._compressor.close()
                self._staged.close()
            finally:
                super().close()

    def discard(self) -> None:
        """Forget what was written; nothing was sent."""
        self._staged.autocommit = False
        self._compressor.close()
        self._staged.discard()
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


def block_failed() -> bool:
    """Whether the file is closed because a `with fsspec.open(…)` block ended by an exception.

    fsspec's own object then closes what it opened as if all were well, and tells nobody why.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code in _EXITS:
            return bool(frame.f_locals["args"]) and frame.f_locals["args"][0] is not None
    return False
