"""The two files at the top of a cache that plain clients keep too: sidecar and index copy."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from s3dash.core import sidecar as wire
from s3dash.core.index import Document, Entry, decode_entries
from s3dash.core.paths import INDEX_FILE, SIDECAR_FILE
from s3dash.core.sidecar import Sidecar
from s3dash.errors import IndexCorrupt, LocalError
from s3dash.local import fsio

_TRIES = 5


class SidecarFile:
    """Reads and writes both files of the cache `root`, or those in a directory of it, `below`.

    While that is missing nothing is written: whoever finds a sidecar takes what is missing beside
    it for deleted. Any thread may call. Every method raises LocalError when the disk refuses.
    """

    def __init__(self, root: Path, *, below: str | None = None) -> None:
        self._folder = root / below if below else None
        self._sidecar = (self._folder or root) / SIDECAR_FILE
        self._index = (self._folder or root) / INDEX_FILE
        self._lock = threading.Lock()

    def exists(self) -> bool:
        """True once anybody has synced this cache: it goes when the cache is emptied."""
        with fsio.telling(f"{self._sidecar} cannot be looked at"):
            return self._sidecar.exists()

    def read(self) -> Sidecar:
        """A missing or broken sidecar is `LOST`: walk everything."""
        raw = _bytes(self._sidecar)
        return wire.LOST if raw is None else wire.decode(raw)

    def update(self, change: Callable[[Sidecar], Sidecar]) -> Sidecar:
        """Change the sidecar as it is now; the result. Nothing is written when nothing changes.

        `change` must be pure: when a plain client wrote meanwhile, it is asked again.
        """
        with self._lock:
            for _ in range(_TRIES):
                raw = _bytes(self._sidecar)
                before = wire.LOST if raw is None else wire.decode(raw)
                after = change(before)
                if after == before or self._is_gone():
                    return before
                if _bytes(self._sidecar) == raw:
                    fsio.write_atomic(self._sidecar, wire.encode(after))
                    return after
        raise LocalError(f"{self._sidecar} keeps changing", hint="another client writes to it")

    def read_index(self) -> dict[str, Entry]:
        """The cache's copy of the index; a missing or broken one is empty."""
        raw = _bytes(self._index)
        if raw is None:
            return {}
        try:
            return decode_entries(raw, name=INDEX_FILE)[0]
        except IndexCorrupt:
            return {}

    def index_version(self) -> str:
        """What tells the copy as it is from another one; empty when there is none."""
        with fsio.telling(f"{self._index} cannot be looked at"):
            try:
                stat = self._index.stat()
            except FileNotFoundError:
                return ""
        return f"{stat.st_ino}.{stat.st_size}.{stat.st_mtime_ns}.{stat.st_ctime_ns}"

    def write_index(self, entries: Mapping[str, Entry], last_pulled: str) -> None:
        """Replace the copy. `last_pulled` is an ISO time; fields that we do not know stay."""
        with self._lock:
            if self._is_gone():
                return
            document = self._document()
            for rel in [rel for rel in document.rels() if rel not in entries]:
                document.remove(rel)
            for rel, entry in entries.items():
                if document.get(rel) != entry:
                    document.put(rel, entry)
            document.set("version", 1)
            document.set("lastPulled", last_pulled)
            data = msgspec.json.format(document.encode(), indent=2)
            fsio.write_atomic(self._index, data)

    def _is_gone(self) -> bool:
        return self._folder is not None and not self._folder.is_dir()

    def _document(self) -> Document:
        """The copy as it is, or an empty one in the field order of the peers."""
        fresh = Document.empty()
        fresh.set("lastPulled", "")
        raw = _bytes(self._index)
        if raw is None:
            return fresh
        try:
            return Document.decode(raw, name=INDEX_FILE)
        except IndexCorrupt:
            return fresh


def _bytes(path: Path) -> bytes | None:
    with fsio.telling(f"{path} cannot be read"):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
