"""Documents of others, kept as files: by the place that they are from, and by their version.

They are a mere cache: what is missing, damaged or old is fetched again. The name of a file holds
the SHA-256 of its bytes, so that a damaged one is never taken for what it was.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from s3dash.errors import LocalError
from s3dash.local import fsio

CHUNK = 1 << 18
Fetch = Callable[[BinaryIO], str]
"""Writes a document into an open file; its SHA-256, in hex."""


class Kept:
    """One version of each place, below `directory`; None keeps nothing. Any thread may call.

    Raises LocalError when the disk refuses.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    @contextmanager
    def opened(self, place: str, version: str, *, fetch: Fetch) -> Iterator[BinaryIO]:
        """This version from its first byte; fetched when it is not here, kept when it can be."""
        found = self._find(place, version)
        if found is not None:
            with found:
                yield found
            return
        with self._fresh() as file:
            sha256 = fetch(file)
            with fsio.telling("a document of the bucket cannot be kept"):
                file.flush()
                self._keep(file, place, version, sha256)
                file.seek(0)
            yield file

    def _find(self, place: str, version: str) -> BinaryIO | None:
        """One that still is what it was when it was kept, open."""
        if self._directory is None:
            return None
        for path in self._directory.glob(f"{_short(place)}.{_short(version)}.*"):
            with (
                fsio.telling(f"{path} cannot be read"),
                suppress(FileNotFoundError),  # replaced since: another thread had a newer version
                ExitStack() as opened,
            ):
                file = opened.enter_context(path.open("rb"))
                if hashlib.file_digest(file, "sha256").hexdigest() == path.suffix[1:]:
                    file.seek(0)
                    opened.pop_all()
                    return file
                path.unlink()
        return None

    @contextmanager
    def _fresh(self) -> Iterator[BinaryIO]:
        """A new file; it is gone afterwards unless it was kept."""
        if self._directory is None:
            with tempfile.TemporaryFile() as scratch:
                yield scratch
            return
        with fsio.telling(f"{self._directory} cannot be written"):
            fsio.make_dirs(self._directory, mode=0o700)
            file = fsio.new_file(self._directory)
        with file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)

    def _keep(self, file: BinaryIO, place: str, version: str, sha256: str) -> None:
        """In the place of its older versions. Whoever reads one of those goes on undisturbed."""
        if self._directory is None:
            return
        name = f"{_short(place)}.{_short(version)}.{sha256}"
        for old in self._directory.glob(f"{_short(place)}.*"):
            if old.name != name:
                old.unlink(missing_ok=True)
        Path(file.name).rename(self._directory / name)


def _short(text: str) -> str:
    """As a part of a file name: places and versions are foreign."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """What is left of a file, piece by piece."""
    while True:
        try:
            piece = file.read(CHUNK)
        except OSError as error:
            raise LocalError(f"a kept document cannot be read: {error.strerror}") from error
        if not piece:
            return
        yield piece
