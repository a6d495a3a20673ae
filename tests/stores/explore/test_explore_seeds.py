"""A bucket as each of the systems before us would have left it opens, and verifies."""

import pytest

from s3dash.objectstore.port import ObjectStore
from s3dash.stores.blobs import keys as blob_keys
from s3dash.stores.blobs import sri
from s3dash.stores.kv import ipfs
from tests.engine.world import golden_bucket
from tests.stores.explore.explored import explorer, fill, level, outcomes, verified

BLOCKS = (b"", b"hello", b"hello world", bytes(range(256)) * 100)


def test_a_flat_bucket_of_go_ds_s3(store: ObjectStore) -> None:
    """`<rootDirectory>/` and the multihash in base32."""
    fill(store, {f"ipfs/{ipfs.block_key(body)}": body for body in BLOCKS})
    found = explorer(store, "keys")
    assert {entry.kind for entry in level(found, "ipfs/").values()} == {"block"}
    told = verified(found, level(found).values())
    assert [v.outcome for v in told.values()] == ["verified"] * len(BLOCKS)


def test_a_flatfs_bucket_of_ipfs(store: ObjectStore) -> None:
    """`next-to-last/2`, beside the notes that flatfs keeps for itself."""
    names = [ipfs.block_key(body) for body in BLOCKS]
    fill(store, {f"{n[-3:-1]}/{n}.data": b for n, b in zip(names, BLOCKS, strict=True)})
    fill(store, {"SHARDING": b"/repo/flatfs/shard/v1/next-to-last/2\n", "_README": b"flatfs"})
    found = explorer(store, "keys")
    told = outcomes(verified(found, level(found).values()))
    assert told.pop("SHARDING") == told.pop("_README") == "unproved"
    assert list(told.values()) == ["verified"] * len(BLOCKS)


def test_a_bucket_of_the_dumont_vfs(store: ObjectStore) -> None:
    """Markers of empty directories, nested ones, a file that is a directory too."""
    held = {
        "": ["docs/", "photos/", "notes", "notes/"],
        "docs/": ["2025/", "empty/", "read me.txt"],
        "docs/2025/": ["jan.md"],
        "docs/empty/": [],
        "notes/": ["inner"],
    }
    fill(store, {"docs/": b"", "docs/empty/": b"", "docs/2025/": b"", "photos/": b""})
    fill(store, {"docs/2025/jan.md": b"# Jan", "docs/read me.txt": b"hi", "notes": b"n"})
    fill(store, {"notes/inner": b"i"})
    found = explorer(store)
    for prefix, names in held.items():
        assert sorted(level(found, prefix)) == sorted(names)
    told = verified(found, level(found).values())
    assert {v.outcome for v in told.values()} == {"unproved"}
    assert len(told) == 4


def test_a_blob_bucket_of_checkstack(store: ObjectStore) -> None:
    """`script-packages/blobs/` and the SRI's bytes in hex."""
    bodies = (b"left-pad", b"is-odd", b"")
    fill(store, {blob_keys.encode(sri.of(body)): body for body in bodies})
    found = explorer(store, "blobs")
    entries = level(found, "script-packages/blobs/")
    assert sorted(entries) == sorted(map(sri.of, bodies))
    assert {v.outcome for v in verified(found, level(found).values()).values()} == {"verified"}


@pytest.mark.parametrize(
    ("name", "namespace"),
    [("gold-solo-v1", None), ("gold-solo-v2", None), ("gold-ns", "infra"), ("gold-ns", None)],
)
def test_a_bucket_of_swamp_clients(store: ObjectStore, name: str, namespace: str | None) -> None:
    """Both layouts of the index, and a namespaced one; whichever namespace we work in."""
    fill(store, {k.removeprefix("team/"): v for k, v in golden_bucket(name).items()})
    found = explorer(store, "cache", namespace=namespace)
    told = verified(found, level(found).values())
    data = {key: v for key, v in told.items() if "own record" not in v.reason}
    assert len(data) >= 14
    assert {v.outcome for v in data.values()} == {"verified"}, data
