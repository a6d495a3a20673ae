"""How keys read as files, as keys and as blobs: what each of them is, and what it is called."""

from s3dash.clock import iso
from s3dash.core.settings import Datastore
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.blobs import keys as blob_keys
from s3dash.stores.explore.entry import Entry, Shape
from s3dash.stores.kv import ipfs


def shape_of(settings: Datastore) -> Shape:
    """As what a datastore is looked at unless the user says otherwise; a cache has files."""
    return "files" if settings.kind == "cache" else settings.kind


def home(settings: Datastore) -> str:
    """The prefix where a datastore is entered."""
    return blob_keys.below(settings.blob_prefix) if settings.kind == "blobs" else ""


def refusal(settings: Datastore, shape: Shape) -> str:
    """Why nothing can be written here, as a clause; empty when it can."""
    if settings.kind == "cache":
        return "a shared cache is written by push alone: anything else would go round its index"
    if settings.readonly:
        return "opened to look only (readonly)"
    if settings.kind != shape:
        return f"it holds {settings.kind}, and is looked at as {shape}"
    return ""


class Naming:
    """What the objects of a datastore are, looked at as one shape."""

    def __init__(self, settings: Datastore, shape: Shape) -> None:
        self._blobs = settings.blob_prefix
        self._called = {"files": _file, "keys": _key, "blobs": self._blob}[shape]

    def entry(self, info: ObjectInfo, prefix: str) -> Entry:
        """An object of the level `prefix`."""
        kind, name = self._called(info.key, info.key[len(prefix) :])
        modified = iso(info.last_modified) if info.last_modified else ""
        return Entry(
            key=info.key, name=name, kind=kind, size=info.size, etag=info.etag, modified=modified
        )

    def _blob(self, key: str, name: str) -> tuple[str, str]:
        integrity = blob_keys.decode(key, self._blobs)
        return ("blob", integrity) if integrity else ("foreign", name)


def dir_of(name: str, prefix: str) -> Entry:
    return Entry(key=f"{prefix}{name}/", name=f"{name}/", kind="dir")


def _file(key: str, name: str) -> tuple[str, str]:
    return ("marker", name) if key.endswith("/") else ("file", name)


def _key(key: str, name: str) -> tuple[str, str]:
    return ("block" if ipfs.is_block_key(key) else "key"), name
