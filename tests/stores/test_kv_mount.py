"""Several datastores as one."""

import itertools
from collections.abc import Iterator

import pytest

from s3dash.errors import MountFailed, NoMount, NotFound, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.stores.kv.contract import KeyStore
from s3dash.stores.kv.keys import Key
from s3dash.stores.kv.mount import Mount
from s3dash.stores.kv.namespace import Namespace
from s3dash.stores.kv.query import ByKey, ByValue, KeyIs, Query
from s3dash.testing.datastore import DatastoreTests
from tests.stores.opening import in_memory


class TestMountedAtTheRoot(DatastoreTests):
    @pytest.fixture
    def datastore(self) -> KeyStore:
        return Mount({"/": in_memory(), "/prefix/sub": in_memory(), "/capital": in_memory()})


class Synced(Namespace):
    """Writes down what it is told to sync."""

    def __init__(self, told: list[tuple[str, str]], name: str) -> None:
        super().__init__(in_memory(), "/")
        self.told = told
        self.name = name

    def sync(self, prefix: str | Key = "") -> None:
        self.told.append((self.name, str(prefix)))


def keys(store: KeyStore, **fields: object) -> list[str]:
    return [one.key for one in store.query(Query(**fields))]  # type: ignore[arg-type]  # a test's


@pytest.mark.parametrize("order", [*itertools.permutations(["/", "/a", "/a/b"])])
def test_mt_01_the_nearest_strict_ancestor_holds_a_key(order: tuple[str, ...]) -> None:
    stores = {at: in_memory() for at in order}
    mount = Mount(stores)
    for key in ("/x", "/a", "/ab", "/a/x", "/a/b", "/a/b/x"):
        mount.put(key, key.encode())
    assert sorted(stores["/"]) == ["/a", "/ab", "/x"]
    assert sorted(stores["/a"]) == ["/b", "/x"]
    assert sorted(stores["/a/b"]) == ["/x"]


def test_mt_02_a_mounted_datastore_sees_keys_from_its_own_root() -> None:
    blocks = in_memory()
    mount = Mount({"/blocks": blocks})
    mount.put("/blocks/CIQ", b"x")
    assert blocks.get("/CIQ") == b"x"
    assert (mount.get("/blocks/CIQ"), mount.get_size("/blocks/CIQ")) == (b"x", 1)
    mount.delete("/blocks/CIQ")
    assert not blocks


def test_mt_03_where_nothing_is_mounted() -> None:
    mount = Mount({"/a": in_memory()})
    with pytest.raises(NoMount):
        mount.put("/b", b"x")
    with pytest.raises(NoMount):
        mount.put("/a", b"x")
    with pytest.raises(NotFound):
        mount.get("/b")
    assert not mount.has("/b")
    assert keys(mount, prefix="/b") == []
    mount.delete("/b")
    batch = mount.batch()
    with pytest.raises(NoMount):
        batch.put("/b", b"x")
    batch.delete("/b")
    batch.commit()


def test_mt_04_a_query_spans_mounts() -> None:
    mount = Mount({"/": in_memory(), "/a/b": in_memory(), "/c": in_memory()})
    every = ["/a/b/1", "/a/x", "/c/1", "/d"]
    for key in every:
        mount.put(key, b"")
    assert sorted(keys(mount)) == every
    assert sorted(keys(mount, prefix="/a")) == ["/a/b/1", "/a/x"]
    assert keys(mount, prefix="/a/b") == ["/a/b/1"]
    assert keys(mount, prefix="/c") == ["/c/1"]


def test_mt_05_results_are_merged_then_cut() -> None:
    mount = Mount({"/a": in_memory(), "/b": in_memory()})
    for n in range(10):
        mount.put(f"/{'ab'[n % 2]}/{n}", bytes([n]))
    assert keys(mount, orders=[ByValue()], offset=3, limit=3) == ["/b/3", "/a/4", "/b/5"]
    newest = keys(mount, orders=[ByValue(descending=True)], filters=[KeyIs("<", "/b")], limit=2)
    assert newest == ["/a/8", "/a/6"]
    assert keys(mount, orders=[ByKey()], offset=4, limit=2) == ["/a/8", "/b/1"]


def test_mt_07_sync_reaches_the_mounts_below_and_the_one_above() -> None:
    told: list[tuple[str, str]] = []
    mount = Mount({at: Synced(told, at) for at in ("/", "/a", "/a/b", "/c")})
    mount.sync("/a/x")
    assert told == [("/a", "/x")]
    told.clear()
    mount.sync("/a")
    assert sorted(told) == [("/a", "/"), ("/a/b", "/")]
    told.clear()
    mount.sync()
    assert {at for at, _ in told} == {"/", "/a", "/a/b", "/c"}


def broken(op_that_fails: str) -> MemoryStore:
    def fail(op: str, _key: str) -> None:
        if op == op_that_fails:
            raise Unreachable("no answer", hint="look at the cable")

    return MemoryStore(MemoryBucket(), before=fail)


@pytest.mark.parametrize("what", ["list", "get"])
def test_mt_08_an_error_fails_the_query_and_names_the_mount(what: str) -> None:
    store = broken(what)
    MemoryStore(store.bucket).put("x", b"")
    mount = Mount({"/": in_memory(), "/blocks": in_memory(store)})
    mount.put("/fine", b"")
    with pytest.raises(MountFailed, match="/blocks: no answer") as failed:
        list(mount.query())
    assert failed.value.hint == "look at the cable"
    assert isinstance(failed.value.__cause__, Unreachable)


def test_mt_09_a_mount_masks_what_lies_below_it() -> None:
    below = in_memory()
    below.put("/a/old", b"")
    below.put("/b", b"")
    mount = Mount({"/": below, "/a": in_memory()})
    mount.put("/a/new", b"")
    for keys_only in (True, False):
        assert sorted(keys(mount, keys_only=keys_only)) == ["/a/new", "/b"]
        assert keys(mount, prefix="/a", keys_only=keys_only) == ["/a/new"]
    assert not mount.has("/a/old")


def test_a_batch_reaches_every_mount() -> None:
    stores: dict[str, KeyStore] = {"/": in_memory(), "/a": in_memory()}
    mount = Mount(stores)
    with mount.batch() as batch:
        batch.put("/a/1", b"1")
        batch.put("/2", b"2")
    assert (dict(stores["/a"]), dict(stores["/"])) == ({"/1": b"1"}, {"/2": b"2"})


def test_two_mounts_at_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="same key"):
        Mount({"/a": in_memory(), "a/": in_memory()})


def test_closing_closes_every_mount() -> None:
    closed: list[str] = []

    class Closing(Synced):
        def close(self) -> None:
            closed.append(self.name)

    def mounts() -> Iterator[tuple[str, KeyStore]]:
        for at in ("/", "/a"):
            yield at, Closing([], at)

    with Mount(dict(mounts())):
        pass
    assert sorted(closed) == ["/", "/a"]
