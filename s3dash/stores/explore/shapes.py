"""How keys read as files, as keys and as blobs: what each of them is, and what it is called."""

from collections.abc import Callable

from s3dash.clock import iso
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.blobs import keys as blob_keys
from s3dash.stores.explore.entry import Entry, Shape
from s3dash.stores.kv import ipfs

Called = tuple[str, str]
"""What an object is, and its name."""


def entry_of(info: ObjectInfo, prefix: str, shape: Shape) -> Entry:
    """An object of the level `prefix`."""
    kind, name = _CALLED[shape](info.key, info.key[len(prefix) :])
    modified = iso(info.last_modified) if info.last_modified else ""
    return Entry(
        key=info.key, name=name, kind=kind, size=info.size, etag=info.etag, modified=modified
    )


def dir_of(name: str, prefix: str) -> Entry:
    return Entry(key=f"{prefix}{name}/", name=f"{name}/", kind="dir")


def integrity_of(key: str) -> str:
    """The SRI text that a key of a blob stands for, empty for any other key."""
    return blob_keys.decode(key) or ""


def _file(key: str, name: str) -> Called:
    return ("marker", name) if key.endswith("/") else ("file", name)


def _key(key: str, name: str) -> Called:
    return ("block" if ipfs.is_block_key(key) else "key"), name


def _blob(key: str, name: str) -> Called:
    integrity = integrity_of(key)
    return ("blob", integrity) if integrity else ("foreign", name)


_CALLED: dict[Shape, Callable[[str, str], Called]] = {"files": _file, "keys": _key, "blobs": _blob}
