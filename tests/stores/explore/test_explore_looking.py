"""Levels of a bucket, and the first bytes of what lies there, on every store."""

import pytest

from s3dash.errors import PreconditionFailed
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.stores.explore.explored import explorer, fill, level

TREE = {
    "a.txt": b"hello\n",
    "sub/b.json": b'{"x":[1,2]}',
    "sub/deep/c": b"c",
    "sub/": b"",
    "x": b"file",
    "x/y": b"below it",
}


def test_a_level_has_directories_and_files_and_hides_its_own_marker(store: ObjectStore) -> None:
    fill(store, TREE)
    found = explorer(store)
    top = level(found)
    assert set(top) == {"a.txt", "sub/", "x", "x/"}
    assert top["sub/"].is_dir
    assert (top["a.txt"].key, top["a.txt"].size, top["a.txt"].kind) == ("a.txt", 6, "file")
    assert set(level(found, "sub/")) == {"b.json", "deep/"}
    assert set(level(found, "x/")) == {"y"}


def test_a_level_without_anything_is_empty(store: ObjectStore) -> None:
    assert level(explorer(store)) == {}
    assert level(explorer(store), "nowhere/") == {}


def test_names_of_every_kind_come_through(store: ObjectStore) -> None:
    names = ["with space", "a+b", "q?x", "h#x", "p%20x", "ïß.txt"]
    fill(store, {f"d/{name}": b"1" for name in names})
    assert set(level(explorer(store), "d/")) == set(names)


def test_the_first_page_does_not_wait_for_the_others() -> None:
    store = MemoryStore(MemoryBucket())
    fill(store, {f"many/{n:05}": b"" for n in range(2_500)})
    before = store.usage.requests
    pages = explorer(store, "keys").pages("many/", "keys")
    assert len(next(pages)) == 1000
    assert store.usage.requests == before + 1
    assert sum(map(len, pages)) == 1500


def test_a_look_fetches_no_more_than_it_shows(store: ObjectStore) -> None:
    fill(store, {"long.txt": b"0123456789\n" * 10_000})
    found = explorer(store)
    look = found.preview(level(found)["long.txt"], most=1100)
    assert (look.what, len(look.lines)) == ("text", 100)
    assert look.note == "the first 1.07 KiB of 107 KiB"


def test_an_empty_object_is_looked_at_without_a_request() -> None:
    store = MemoryStore(MemoryBucket())
    fill(store, {"empty": b""})
    found = explorer(store)
    entry = level(found)["empty"]
    before = store.usage.requests
    assert found.preview(entry).what == "empty"
    assert store.usage.requests == before


def test_what_was_replaced_since_it_was_listed_is_not_shown_as_that(store: ObjectStore) -> None:
    fill(store, {"k": b"one"})
    found = explorer(store)
    entry = level(found)["k"]
    store.put("k", b"two!")
    with pytest.raises(PreconditionFailed):
        found.preview(entry)
