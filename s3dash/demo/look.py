"""Looking at what really is in the bucket and on the disk, past every engine."""

from collections.abc import Collection
from pathlib import Path

from s3dash.core import paths
from s3dash.core.index import decode_entries, decode_meta
from s3dash.core.keys import Keys
from s3dash.errors import NotFound, S3DashError
from s3dash.objectstore.port import ObjectStore


class Wrong(S3DashError):
    """Something was not as it must be."""


def need(holds: bool, wrong: str) -> None:
    """Raises Wrong unless `holds`."""
    if not holds:
        raise Wrong(wrong)


class Look:
    """One namespace in the bucket, read object by object."""

    def __init__(self, store: ObjectStore, namespace: str) -> None:
        self._store = store
        self._keys = Keys(namespace)

    def objects(self) -> dict[str, bytes]:
        """The data in the bucket, by path."""
        root = self._keys.root
        rels = [info.key[len(root) :] for info in self._store.list(root)]
        return {rel: self._body(self._keys.data(rel)) for rel in rels if paths.is_data(rel)}

    def index(self) -> dict[str, str | None]:
        """Path to SHA-256, from the shards as they are."""
        said: dict[str, str | None] = {}
        for info in self._store.list(self._keys.index_dir):
            if self._keys.partition_of(info.key) is not None:
                entries, bad = decode_entries(self._body(info.key), name=info.key)
                need(not bad, f"malformed entries in {info.key}")
                said |= {path: entry.sha256 for path, entry in entries.items()}
        return said

    def commit_seq(self) -> int:
        return decode_meta(self._body(self._keys.meta), name=self._keys.meta).commitSeq

    def versions(self, prefix: str) -> dict[str, str]:
        """ETags of everything below `prefix`, by key."""
        return {info.key: info.etag for info in self._store.list(prefix)}

    def is_there(self, key: str) -> bool:
        try:
            self._store.head(key)
        except NotFound:
            return False
        return True

    def _body(self, key: str) -> bytes:
        fetched = self._store.get(key)
        if fetched is None:
            raise Wrong(f"{key} has no body")
        return fetched.body


def local_files(root: Path) -> dict[str, bytes]:
    """The data on the disk, by path."""
    found = {p.relative_to(root).as_posix(): p for p in root.rglob("*") if p.is_file()}
    return {rel: path.read_bytes() for rel, path in found.items() if paths.is_data(rel)}


def some(names: Collection[str]) -> str:
    """The first few names, and how many more there are."""
    listed = sorted(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
