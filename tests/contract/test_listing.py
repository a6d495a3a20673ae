"""Listings: whole, without repeats, page by page, and never short in silence."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from s3dash.objectstore.port import ObjectStore
from tests.contract.conftest import Backend

NAMES = ("a", "a-b", "a.b/c", "a/b", "a/c/d", "a0", "B", "z", "é")


def fill(store: ObjectStore, keys: tuple[str, ...]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, b"x"), keys))


def test_a_listing_is_sorted_by_the_bytes_of_the_keys(backend: Backend) -> None:
    store = backend.open()
    fill(store, NAMES)
    listed = [i.key for i in store.list()]
    by_key = sorted(NAMES, key=str.encode)
    by_segment = sorted(NAMES, key=lambda k: [s.encode() for s in k.split("/")])
    assert listed == (by_segment if backend.lacks("key-order") else by_key)


def test_a_listing_tells_sizes_versions_and_times(store: ObjectStore) -> None:
    etag = store.put("a", b"12345").etag
    (info,) = store.list()
    assert (info.key, info.size, info.etag) == ("a", 5, etag)
    assert info.last_modified is not None
    assert info.last_modified.utcoffset() is not None


def test_more_keys_than_a_page_are_all_listed_once(store: ObjectStore) -> None:
    keys = tuple(f"many/{i:04d}" for i in range(1105))
    fill(store, keys)
    before = store.usage.requests
    assert tuple(i.key for i in store.list("many/")) == keys
    assert store.usage.requests - before == 2
    fill(store, tuple(f"many/0500x/{i}" for i in range(3)))
    pages = list(store.levels("many/"))
    assert len(pages) == 2
    assert tuple(i.key for page in pages for i in page.objects) == keys
    assert [name for page in pages for name in page.dirs] == ["0500x"]


def test_a_listing_can_start_after_a_key(store: ObjectStore) -> None:
    fill(store, ("k1", "k2", "k3"))
    assert [i.key for i in store.list(start_after="k1")] == ["k2", "k3"]
    assert [i.key for i in store.list("k", start_after="k3")] == []


def test_pages_are_fetched_only_as_far_as_they_are_read(backend: Backend) -> None:
    store = backend.open(page_size=2) if backend.server else backend.open()
    fill(store, tuple(f"k{i}" for i in range(6)))
    before = store.usage.requests
    listing = store.list()
    assert next(listing).key == "k0"
    assert store.usage.requests - before == 1
    assert [i.key for i in listing] == [f"k{i}" for i in range(1, 6)]


def test_a_level_names_directories_and_objects_apart(store: ObjectStore) -> None:
    fill(store, ("d/a", "d/sub/x", "d/sub/y", "d/z", "dd", "e/f"))
    (level,) = store.levels("d/")
    assert level.dirs == ("sub",)
    assert [(i.key, i.size) for i in level.objects] == [("d/a", 1), ("d/z", 1)]
    (top,) = store.levels()
    assert (top.dirs, [i.key for i in top.objects]) == (("d", "e"), ["dd"])


def test_the_marker_of_a_directory_is_on_its_own_level(store: ObjectStore) -> None:
    store.put("m/", b"")
    (level,) = store.levels("m/")
    assert (level.dirs, [i.key for i in level.objects]) == ((), ["m/"])


def test_a_prefix_is_a_string_and_not_a_directory(store: ObjectStore) -> None:
    for key in ("ab", "ab/c", "abc", "b"):  # SeaweedFS loses one of the first two when both race
        store.put(key, b"x")
    assert sorted(i.key for i in store.list("ab")) == ["ab", "ab/c", "abc"]
    assert [i.key for i in store.list("ab/")] == ["ab/c"]
    assert list(store.list("nothing/")) == []


def test_directories_are_the_names_one_level_below(store: ObjectStore) -> None:
    fill(store, ("top", "x/1", "x/y/2", "w w/3", "é/4"))
    assert store.list_dirs() == ("w w", "x", "é")
    assert store.list_dirs("x/") == ("y",)
    assert store.list_dirs("none/") == ()


@pytest.mark.parametrize("key", ["a//b", "/lead", "back\\slash"])
def test_keys_that_are_no_paths_are_kept_or_bent_by_the_server(backend: Backend, key: str) -> None:
    store = backend.open()
    store.put(key, b"x")
    bent = key.replace("\\", "/").replace("//", "/").lstrip("/")
    assert [i.key for i in store.list()] == [bent if backend.lacks("any-key") else key]
    fetched = store.get(key)
    assert fetched is not None
    assert fetched.body == b"x"


def test_the_first_objects_take_one_small_request(store: ObjectStore) -> None:
    fill(store, ("d/a", "d/b", "d/c/x", "e"))
    before = store.usage.requests
    assert [i.key for i in store.first("d/")] == ["d/a"]
    assert [i.key for i in store.first("d/", most=2)] == ["d/a", "d/b"]
    assert store.first("nothing/") == ()
    assert store.usage.requests - before == 3
    store.delete("e")
    assert store.first("e") == ()


def test_a_directory_that_is_gone_has_no_first_object(store: ObjectStore) -> None:
    """SeaweedFS goes on naming it: this is how to tell."""
    store.put("d/only", b"x")
    store.delete("d/only")
    assert store.first("d/") == ()
    store.put("d/", b"")
    assert [(i.key, i.size) for i in store.first("d/")] == [("d/", 0)]
