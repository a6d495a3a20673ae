"""What the demo's Explorer shows: the shared caches, and files, keys and blobs beside them."""

import json
import random
import struct
import zlib

from msgspec.structs import replace

from s3dash.core.settings import Datastore, Kind
from s3dash.demo import content
from s3dash.demo.world import YOU, World
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.patience import Patience
from s3dash.stores.blobs import keys as blob_keys
from s3dash.stores.blobs import sri
from s3dash.stores.kv import ipfs
from s3dash.stores.opened import Opened
from s3dash.tui.shelves import Shelves

_RNG_SEED = "shelves"
_NAMES: dict[str, Kind] = {"acme-docs": "files", "acme-blocks": "keys", "acme-packages": "blobs"}


def stock(world: World) -> None:
    """Write what lies on the shelves: a few small objects each."""
    for settings, objects in zip(_own(world), (_docs(), _blocks(), _packages()), strict=True):
        store = open_store(settings, world.credentials)
        try:
            for key, body in objects.items():
                store.put(key, body)
        finally:
            store.close()


def shelves(world: World, *, readonly: bool) -> Shelves:
    """The datastores that the Explorer shows."""
    caches = [world.settings(YOU, namespace) for namespace in content.NAMESPACES]

    def opened(settings: Datastore) -> Opened:
        patience = Patience()
        closed = replace(settings, readonly=settings.readonly or settings.kind == "cache")
        return Opened(settings, open_store(closed, world.credentials, patience=patience), patience)

    own = (replace(settings, readonly=readonly) for settings in _own(world))
    return Shelves(stores=(*caches, *own), open=opened)


def _own(world: World) -> list[Datastore]:
    """Those beside the caches, in the order of what lies on them."""
    like = world.settings(YOU, content.NAMESPACES[0])
    return [
        replace(like, name=name, kind=kind, prefix=name, namespace=None)
        for name, kind in _NAMES.items()
    ]


def _docs() -> dict[str, bytes]:
    rng = random.Random(_RNG_SEED)  # noqa: S311 - plausible text, no secret in it
    people = {"oncall": ["ann", "you"], "phones": {"ann": "+49 30 1234", "you": None}}
    return {
        "archive/": b"",
        "runbooks/failover.md": b"# Failover\n\n" + content.text(rng, 12),
        "runbooks/people.json": json.dumps(people).encode(),
        "notes/2026-11-22.txt": content.text(rng, 30),
        "README.md": b"# What the team wrote down\n",
        "logo.bin": bytes(range(256)),
        "logo.png": _logo(),
    }


def _logo(side: int = 24) -> bytes:
    """A small PNG: a disc on a dark ground."""
    rows = b"".join(b"\0" + b"".join(_pixel(x, y, side) for x in range(side)) for y in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _pixel(x: int, y: int, side: int) -> bytes:
    middle = (side - 1) / 2
    far = ((x - middle) ** 2 + (y - middle) ** 2) ** 0.5 / middle
    return bytes((80 + x * 6, 200 - y * 5, 190)) if far < 0.9 else bytes((14, 20, 28))


def _blocks() -> dict[str, bytes]:
    """Blocks of IPFS as go-ds-s3 leaves them; one is not what its name says."""
    bodies = (b"hello", b"hello world", b"a block of somebody's file")
    held = {f"blocks/{ipfs.block_key(body)}": body for body in bodies}
    held[f"blocks/{ipfs.block_key(b'lost')}"] = b"other bytes than the name says"
    return {**held, "config/version": b"12", "config/datastore_spec": b'{"type":"mount"}'}


def _packages() -> dict[str, bytes]:
    """Blobs under their own integrity; one was tampered with."""
    bodies = (b"module.exports = pad\n", b"export const odd = n => n % 2\n")
    held = {blob_keys.encode(sri.of(body)): body for body in bodies}
    return {**held, blob_keys.encode(sri.of(b"as it was built")): b"as somebody changed it"}
