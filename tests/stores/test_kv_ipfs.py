"""Blocks of IPFS: keys, verification, layouts."""

import hashlib

import pytest

from s3dash.errors import Integrity, NotFound
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.stores.kv import ipfs
from s3dash.stores.kv.layouts import shard
from s3dash.stores.kv.query import ByKey, KeyBegins, KeyIs, Query
from s3dash.testing.datastore import example, fill
from tests.stores.opening import in_memory

HELLO = "CIQCZ4SNXJP3BIYOE3UDWKWFXHRJ4GYWDZOB7J2CLZZQIM3CSOFZQJA"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b"", "CIQOHMGEIKMPYHAUTL57JSEZN64SIJ5OIHSGJG4TJSSJLGI3PBJLQVI"),
        (b"hello", HELLO),
        (b"hello world", "CIQLSTJHXGJU2PQIUUXFFV62PWV7VREE57RXUU4A52IIR55M4LX432I"),
    ],
)
def test_the_key_of_a_block(body: bytes, key: str) -> None:
    assert ipfs.block_key(body) == key
    for name in (key, f"/blocks/{key}", f"{shard(key)}/{key}.data"):
        ipfs.verify(name, body)
        assert ipfs.is_block_key(name)


def test_the_key_of_a_cid() -> None:
    cid = "QmP63DkAFEnDYNjDYBpyNDfttu1fvUw99x1brscPzpqmmq"
    assert ipfs.key_of_cid(cid) == "CIQAWHLNSWVOD7E2KSWW5MMNS2FPEOZHYUP3M3MLYIOMTGPK54QIO2A"


def test_the_key_of_a_cid_of_version_1() -> None:
    """bafkrei… is raw bytes with SHA-256: the multihash alone makes the key."""
    multihash = bytes((0x12, 32)) + hashlib.sha256(b"hello").digest()
    cid = "b" + ipfs.key_of(bytes((1, 0x55)) + multihash).lower()
    assert cid.startswith("bafkrei")
    assert ipfs.key_of_cid(cid) == HELLO


@pytest.mark.parametrize("cid", ["", "hello", "Qm" + "1" * 44, "Qm0" + "1" * 43, "bafk", "z1"])
def test_what_is_no_cid_is_refused(cid: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ipfs.key_of_cid(cid)


def test_a_block_that_is_not_what_its_key_says() -> None:
    with pytest.raises(Integrity, match=f"expected {hashlib.sha256(b'hello').hexdigest()}, got "):
        ipfs.verify(HELLO, b"hellO")


@pytest.mark.parametrize(
    ("code", "digest"),
    [
        (0x00, b"hello"),
        (0x11, hashlib.sha1(b"hello", usedforsecurity=False).digest()),
        (0x13, hashlib.sha512(b"hello").digest()),
        (0x16, hashlib.sha3_256(b"hello").digest()),
        (0x12, hashlib.sha256(b"hello").digest()[:20]),
        (0xB220, hashlib.blake2b(b"hello", digest_size=32).digest()),
        (0xB260, hashlib.blake2s(b"hello", digest_size=32).digest()),
    ],
)
def test_other_hashes_are_verified_too(code: int, digest: bytes) -> None:
    number = (
        bytes((code,))
        if code < 0x80
        else bytes((code & 0x7F | 0x80, code >> 7 & 0x7F | 0x80, code >> 14))
    )
    key = ipfs.key_of(number + bytes((len(digest),)) + digest)
    ipfs.verify(key, b"hello")
    with pytest.raises(Integrity):
        ipfs.verify(key, b"other")


@pytest.mark.parametrize(
    "key",
    [
        "/local/filesroot",
        HELLO.lower(),
        HELLO[:-1],
        HELLO[:-1] + "B",
        "",
        ipfs.key_of(bytes((0x12, 4)) + b"1234"),
        ipfs.key_of(bytes((0x1E, 32)) + bytes(32)),
    ],
)
def test_nothing_is_said_of_what_is_no_block(key: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ipfs.verify(key, b"1234")


# --- layouts ----------------------------------------------------------------------------


def test_flat_and_flatfs_lay_blocks_out_as_ipfs_does() -> None:
    for layout, name in (("flat", HELLO), ("flatfs", f"QJ/{HELLO}.data")):
        store = MemoryStore(MemoryBucket(), "root")
        datastore = in_memory(store, layout=layout)
        datastore.put(HELLO, b"hello")
        assert [one.key for one in store.list()] == [name]
        assert list(store.bucket.objects()) == [f"root/{name}"]
        assert (datastore.get(HELLO), dict(datastore)) == (b"hello", {f"/{HELLO}": b"hello"})
        datastore.delete(HELLO)
        assert not datastore


@pytest.mark.parametrize(
    ("name", "directory"), [("ABCDE", "CD"), ("ABC", "AB"), ("AB", "_A"), ("A", "__")]
)
def test_the_directory_is_the_last_two_characters_but_one(name: str, directory: str) -> None:
    assert shard(name) == directory


@pytest.mark.parametrize("layout", ["flat", "flatfs"])
@pytest.mark.parametrize("key", ["/a", "/A/B", "/A.data", "/Ä"])
def test_other_keys_have_no_place_there(layout: str, key: str) -> None:
    datastore = in_memory(layout=layout)
    with pytest.raises(ValueError, match="no key of this layout"):
        datastore.put(key, b"x")
    with pytest.raises(NotFound):
        datastore.get(key)
    assert not datastore.has(key)
    datastore.delete(key)


def test_what_flatfs_keeps_for_itself_is_no_key() -> None:
    store = MemoryStore(MemoryBucket())
    for name in (
        "SHARDING",
        "_README",
        "diskUsage.cache",
        f"XX/{HELLO}.data",
        f"QJ/{HELLO}",
        "QJ/",
    ):
        store.put(name, b"x")
    assert list(in_memory(store, layout="flatfs")) == []


@pytest.mark.parametrize("layout", ["plain", "flat", "flatfs"])
def test_kv_04_a_prefix_is_strict_in_every_layout(layout: str) -> None:
    """Where names do not begin as keys do, all are listed, and looked through."""
    datastore = in_memory(layout=layout)
    fill(datastore, {"/ABC": b"1", "/ABD": b"2", "/B": b"3"})
    assert [one.key for one in datastore.query(Query(prefix="/AB"))] == []
    begins = Query(filters=[KeyBegins("/AB")], orders=[ByKey()])
    assert [one.key for one in datastore.query(begins)] == ["/ABC", "/ABD"]
    assert [one.key for one in datastore.query(Query(filters=[KeyIs("==", "/B")]))] == ["/B"]


def test_names_that_are_no_keys_are_passed_over() -> None:
    store = MemoryStore(MemoryBucket())
    for name in ("a//b", "dir/", "./c", "fine"):
        store.put(name, b"x")
    assert list(in_memory(store)) == ["/fine"]


def test_a_key_that_no_object_can_have_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        in_memory().put("/\ud800", b"x")
    with pytest.raises(TypeError):
        in_memory().put("/a", "text")  # type: ignore[arg-type]  # what it is about


def test_key_08_results_are_relative_to_the_root_directory() -> None:
    bucket = MemoryBucket()
    MemoryStore(bucket).put("outside", b"x")
    MemoryStore(bucket).put("root2/outside", b"x")
    datastore = in_memory(MemoryStore(bucket, "root"))
    fill(datastore, example(1))
    assert set(datastore) == set(example(1))
    assert [one.key for one in datastore.query(Query(prefix="root"))] == []
