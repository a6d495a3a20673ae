"""Objects held against what was promised of them: an index, an SRI, a multihash."""

import base64
import hashlib
import json

import pytest

from s3dash.errors import AccessDenied, Cancelled
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from s3dash.stores.blobs import keys as blob_keys
from s3dash.stores.blobs import sri
from s3dash.stores.explore.job import Job
from s3dash.stores.kv import ipfs
from tests.stores.explore.explored import explorer, fill, level, outcomes, verified

BODY = b"what was meant"


def test_plain_files_promise_nothing_and_their_sha256_is_told(store: ObjectStore) -> None:
    fill(store, {"a": BODY})
    found = explorer(store)
    (verdict,) = verified(found, level(found).values()).values()
    assert verdict.outcome == "unproved"
    assert verdict.actual == hashlib.sha256(BODY).hexdigest()


def test_blobs_are_held_against_their_own_names(store: ObjectStore) -> None:
    good, bad = blob_keys.encode(sri.of(BODY)), blob_keys.encode(sri.of(b"something else"))
    fill(store, {good: BODY, bad: BODY, "script-packages/blobs/readme": b"no blob"})
    found = explorer(store, "blobs")
    entries = level(found, "script-packages/blobs/")
    assert {entry.kind for entry in entries.values()} == {"blob", "foreign"}
    assert sri.of(BODY) in entries
    told = verified(found, entries.values())
    assert outcomes(told) == {
        good: "verified",
        bad: "damaged",
        "script-packages/blobs/readme": "unproved",
    }
    digest = base64.b64encode(hashlib.sha512(BODY).digest()).decode()
    assert told[bad].actual == f"sha512-{digest}"
    assert told[bad].expected == sri.of(b"something else")
    assert told[good].by == "SRI of its key"


def test_blocks_are_held_against_their_own_names(store: ObjectStore) -> None:
    good, bad = ipfs.block_key(BODY), ipfs.block_key(b"something else")
    fill(store, {good: BODY, f"QQ/{bad}.data": BODY, "plain": BODY})
    found = explorer(store, "keys")
    told = verified(found, level(found).values())
    assert outcomes(told) == {good: "verified", f"QQ/{bad}.data": "damaged", "plain": "unproved"}


def _index(**hashes: str | None) -> bytes:
    entries = {
        path: {"key": path, "size": len(BODY), **({"sha256": h} if h else {})}
        for path, h in hashes.items()
    }
    return json.dumps({"version": 1, "entries": entries}).encode()


@pytest.mark.parametrize("namespace", [None, "infra"])
def test_a_cache_is_held_against_its_index(namespace: str | None) -> None:
    store = MemoryStore(MemoryBucket())
    root = f"{namespace}/" if namespace else ""
    right = hashlib.sha256(BODY).hexdigest()
    fill(
        store,
        {
            f"{root}_index/_meta.json": b'{"version":2,"partitions":["_root","files"]}',
            f"{root}_index/_root.json": _index(good=right, bad="0" * 64, bare=None),
            **{f"{root}{name}": BODY for name in ("good", "bad", "bare", "unknown")},
        },
    )
    found = explorer(store, "cache", namespace=namespace)
    told = verified(found, [e for e in level(found, root).values() if not e.is_dir])
    assert {key.removeprefix(root): v.outcome for key, v in told.items()} == {
        "good": "verified",
        "bad": "damaged",
        "bare": "unproved",
        "unknown": "unproved",
    }
    assert told[f"{root}bad"].expected == "0" * 64
    assert told[f"{root}unknown"].reason == "no index names it"
    own = verified(found, level(found, f"{root}_index/").values())
    assert {v.reason for v in own.values()} == {"the datastore's own record: no index names those"}


def test_an_index_that_cannot_be_read_proves_nothing_and_says_so() -> None:
    store = MemoryStore(MemoryBucket())
    fill(store, {"_index/_meta.json": b"{", "a": BODY})
    found = explorer(store, "cache")
    verdict = verified(found, [level(found)["a"]])["a"]
    assert verdict.outcome == "unproved"
    assert "_meta.json" in verdict.reason


def test_what_was_replaced_or_deleted_meanwhile_is_not_called_damaged(store: ObjectStore) -> None:
    fill(store, {"a": b"1", "b": b"2"})
    found = explorer(store)
    entries = list(level(found).values())
    store.put("a", b"another")
    store.delete("b")
    told = verified(found, entries)
    assert outcomes(told) == {"a": "unproved", "b": "unproved"}
    assert "replaced" in told["a"].reason
    assert "gone" in told["b"].reason


def test_bytes_that_were_damaged_on_their_way_are_read_again() -> None:
    bucket, reads = MemoryBucket(), list[str]()
    key = blob_keys.encode(sri.of(BODY))
    real = MemoryStore(bucket)
    fill(real, {key: BODY})
    etag = real.head(key).etag

    def bent(op: str, _: str) -> None:
        if op != "download":
            return
        reads.append(op)
        kept = bucket.objects()[key]
        body = b"bent on its way" if len(reads) == 1 else BODY
        bucket._objects[key] = type(kept)(body, etag, kept.last_modified, kept.content_type)

    found = explorer(MemoryStore(bucket, before=bent), "blobs")
    told = verified(found, [level(found, "script-packages/blobs/")[sri.of(BODY)]])
    assert outcomes(told) == {key: "verified"}
    assert len(reads) == 2


def test_one_that_cannot_be_read_stops_no_other() -> None:
    def away(op: str, key: str) -> None:
        if (op, key) == ("download", "a"):
            raise AccessDenied("not yours")

    bucket = MemoryBucket()
    fill(MemoryStore(bucket), {"a": b"1", "b": b"2"})
    found = explorer(MemoryStore(bucket, before=away))
    told = verified(found, level(found).values())
    assert told["a"].reason == "not yours"
    assert told["b"].actual


def test_it_can_be_stopped() -> None:
    store = MemoryStore(MemoryBucket())
    fill(store, {f"{n:03}": BODY for n in range(100)})
    found, job = explorer(store), Job("verifying")
    told = found.verify(level(found).values(), "files", job)
    next(told)
    job.cancel.cancel()
    with pytest.raises(Cancelled):
        list(told)
