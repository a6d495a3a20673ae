"""Single objects: every store reads, writes, lists and deletes them in the same way."""

from datetime import UTC, datetime, timedelta

import pytest

from s3dash.errors import NotFound, PreconditionFailed, StoreError
from s3dash.objectstore.port import ObjectStore
from tests.contract.conftest import Backend

ODD_KEYS = (
    "a b",
    "a+b",
    "a%2Fb",
    "50%",
    "naïve/ü",
    "e\u0301",
    "\u00e9",
    "a#b",
    "a?b=c&d",
    "quo'te\"s",
    "<tag>&amp;",
    "..hidden/...",
    "emoji \U0001f600",
    "s" * 200 + "/deep",
)


def test_an_object_comes_back_with_its_bytes_version_and_times(store: ObjectStore) -> None:
    stored = store.put("dir/a", b"hello", content_type="text/plain")
    fetched = store.get("dir/a")
    assert fetched is not None
    assert fetched.body == b"hello"
    assert fetched.info.key == "dir/a"
    assert fetched.info.size == 5
    assert fetched.info.etag == stored.etag
    assert '"' not in stored.etag
    assert fetched.info.last_modified is not None
    assert fetched.info.server_time is not None
    assert abs(fetched.info.server_time - fetched.info.last_modified) < timedelta(seconds=30)


def test_head_tells_the_same_as_get(store: ObjectStore) -> None:
    store.put("a", b"hello")
    head, fetched = store.head("a"), store.get("a")
    assert fetched is not None
    assert (head.key, head.size, head.etag) == ("a", 5, fetched.info.etag)
    assert head.last_modified == fetched.info.last_modified


def test_a_missing_object_is_not_found(store: ObjectStore) -> None:
    store.put("there", b"")
    for look in (store.head, store.get):
        with pytest.raises(NotFound, match="missing"):
            look("missing")
    with pytest.raises(NotFound):
        store.get("missing", if_match="0" * 32)
    with pytest.raises(NotFound):
        store.get_range("missing", start=0, length=1)


def test_equal_bytes_have_an_equal_etag(store: ObjectStore) -> None:
    assert store.put("a", b"same").etag == store.put("b", b"same").etag
    assert store.put("a", b"other").etag != store.head("b").etag


def test_a_creation_never_touches_what_is_there(store: ObjectStore) -> None:
    store.put("a", b"first", if_none_match=True)
    with pytest.raises(PreconditionFailed, match="a"):
        store.put("a", b"second", if_none_match=True)
    fetched = store.get("a")
    assert fetched is not None
    assert fetched.body == b"first"


def test_a_replacement_needs_the_current_version(store: ObjectStore) -> None:
    old = store.put("a", b"1").etag
    new = store.put("a", b"2", if_match=old).etag
    for stale in (old, "0" * 32):
        with pytest.raises(PreconditionFailed):
            store.put("a", b"3", if_match=stale)
    assert store.head("a").etag == new


def test_a_replacement_of_a_missing_object_fails_and_makes_none(store: ObjectStore) -> None:
    with pytest.raises(PreconditionFailed):
        store.put("missing", b"x", if_match="0" * 32)
    with pytest.raises(NotFound):
        store.head("missing")


def test_an_unchanged_object_is_not_fetched_again(store: ObjectStore) -> None:
    etag = store.put("a", b"1").etag
    assert store.get("a", if_none_match=etag) is None
    store.put("a", b"2")
    fetched = store.get("a", if_none_match=etag)
    assert fetched is not None
    assert fetched.body == b"2"


def test_a_pinned_read_refuses_another_version(store: ObjectStore) -> None:
    old = store.put("a", b"1").etag
    assert store.get("a", if_match=old) is not None
    store.put("a", b"2")
    with pytest.raises(PreconditionFailed):
        store.get("a", if_match=old)
    with pytest.raises(PreconditionFailed):
        store.get_range("a", start=0, length=1, if_match=old)


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 5, b"hello"),
        (6, 5, b"world"),
        (6, 999, b"world"),
        (4, 0, b""),
        (11, 5, b""),
        (99, 5, b""),
    ],
)
def test_a_range_gives_those_bytes_and_no_more(
    store: ObjectStore, start: int, length: int, expected: bytes
) -> None:
    store.put("a", b"hello world")
    assert store.get_range("a", start=start, length=length) == expected


def test_deleting_is_idempotent(store: ObjectStore) -> None:
    store.put("a", b"1")
    store.delete("a")
    store.delete("a")
    with pytest.raises(NotFound):
        store.head("a")


def test_a_stale_delete_deletes_nothing(store: ObjectStore) -> None:
    old = store.put("a", b"1").etag
    new = store.put("a", b"2").etag
    with pytest.raises(PreconditionFailed):
        store.delete("a", if_match=old)
    assert store.head("a").etag == new
    store.delete("a", if_match=new)
    with pytest.raises(NotFound):
        store.head("a")


def test_a_conditional_delete_of_a_missing_object_is_fine(store: ObjectStore) -> None:
    store.put("other", b"x")
    store.delete("missing", if_match="0" * 32)
    assert [info.key for info in store.list()] == ["other"]


def test_many_are_deleted_with_or_without_being_there(backend: Backend) -> None:
    store = backend.open(page_size=3) if backend.server else backend.open()
    keys = [f"d/{i}" for i in range(7)] + ["d/sp ace", "d/ctrl\x01"]
    for key in keys:
        store.put(key, b"x")
    store.put("e", b"stays")
    store.delete_many([*keys, "d/missing"])
    assert [i.key for i in store.list()] == ["e"]
    store.delete_many([])


def test_a_copy_has_the_source_s_bytes(store: ObjectStore) -> None:
    etag = store.put("a", b"content").etag
    copied = store.copy("a", "dir/b c", if_match=etag)
    fetched = store.get("dir/b c")
    assert fetched is not None
    assert (fetched.body, fetched.info.etag) == (b"content", copied.etag)


def test_a_copy_of_a_missing_source_makes_nothing(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        store.copy("missing", "b")
    with pytest.raises(NotFound):
        store.head("b")


def test_a_copy_onto_itself_is_refused(store: ObjectStore) -> None:
    store.put("a", b"1")
    with pytest.raises(StoreError):
        store.copy("a", "a")


def test_a_copy_that_wants_its_target_absent_overwrites_nothing(backend: Backend) -> None:
    store = backend.open()
    store.put("a", b"one")
    store.put("b", b"there")
    if backend.lacks("copy-if-match"):
        store.copy("a", "b", if_none_match=True)
        assert store.get_range("b", start=0, length=9) == b"one"
        return
    with pytest.raises(PreconditionFailed):
        store.copy("a", "b", if_none_match=True)
    assert store.get_range("b", start=0, length=9) == b"there"
    copied = store.copy("a", "c", if_none_match=True)
    assert store.head("c").etag == copied.etag
    assert store.get_range("c", start=0, length=9) == b"one"


def test_a_copy_of_a_stale_version_is_refused(backend: Backend) -> None:
    store = backend.open()
    old = store.put("a", b"1").etag
    store.put("a", b"2")
    if backend.lacks("copy-if-match"):
        store.copy("a", "b", if_match=old)
        assert store.head("b").size == 1
        return
    with pytest.raises(PreconditionFailed):
        store.copy("a", "b", if_match=old)
    with pytest.raises(NotFound):
        store.head("b")


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put("empty", b"")
    fetched = store.get("empty")
    assert fetched is not None
    assert fetched.body == b""
    assert [(i.key, i.size) for i in store.list()] == [("empty", 0)]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_survive_every_call(store: ObjectStore, key: str) -> None:
    body = key.encode()
    etag = store.put(key, body, if_none_match=True).etag
    fetched = store.get(key)
    assert fetched is not None
    assert fetched.body == body
    assert store.head(key).etag == etag
    assert [i.key for i in store.list()] == [key]
    store.copy(key, key + ".copy")
    assert store.head(key + ".copy").size == len(body)
    store.delete(key, if_match=etag)
    store.delete_many([key + ".copy"])
    assert list(store.list()) == []


def test_the_prefix_hides_everything_else(backend: Backend) -> None:
    if backend.server is None:
        return
    outside = backend.server.client()
    outside.put_object(Bucket=backend.bucket, Key=backend.prefix + "-sibling/a", Body=b"x")
    store = backend.open()
    store.put("a", b"y")
    assert [i.key for i in store.list()] == ["a"]
    found = outside.get_object(Bucket=backend.bucket, Key=f"{backend.prefix}/a")
    assert found["Body"].read() == b"y"


def test_usage_counts_requests_and_bytes(store: ObjectStore) -> None:
    assert store.usage.requests == 0
    store.put("a", b"12345")
    store.get("a")
    store.head("a")
    usage = store.usage
    assert (usage.requests, usage.bytes_up, usage.bytes_down) == (3, 5, 5)
    store.delete("a")
    assert store.usage.requests == 4


def test_the_server_s_clock_is_known_after_the_first_answer(store: ObjectStore) -> None:
    assert store.server_time() is None
    stored = store.put("a", b"")
    now = store.server_time()
    assert now is not None
    assert now == stored.server_time
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
