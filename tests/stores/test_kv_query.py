"""What a query prints and asks for, and what it holds and reads."""

import itertools
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3dash.core.cancel import CancelToken
from s3dash.errors import Cancelled, ServerFault
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.stores.kv.datastore import Datastore
from s3dash.stores.kv.evaluate import Source, answers
from s3dash.stores.kv.query import (
    ByFunction,
    ByKey,
    ByValue,
    Entry,
    Filter,
    KeyBegins,
    KeyIs,
    Order,
    Query,
    ValueIs,
    Where,
)
from s3dash.stores.turns import MOST_BYTES, in_turn
from s3dash.testing.datastore import naive
from tests.stores.opening import in_memory, opened


def of(values: dict[str, bytes], *, told: list[str] | None = None) -> Source:
    """A source that writes down whose values are read."""

    def read(key: str) -> bytes:
        if told is not None:
            told.append(key)
        return values[key]

    def keys(begin: str) -> Iterator[Entry]:
        return (Entry(key, len(value)) for key, value in values.items() if key.startswith(begin))

    return Source(keys, read, 4, lambda: None)


def test_kv_15_prefix_filters_orders_offset_limit_in_this_order() -> None:
    values = {f"/a/{n}": bytes([9 - n]) for n in range(10)} | {"/b": b"z"}
    query = Query(prefix="/a", filters=[KeyIs(">", "/a/1")], orders=[ByValue()], offset=1, limit=2)
    assert [one.key for one in answers(query, of(values))] == ["/a/8", "/a/7"]


FILTERS: list[Filter] = [
    KeyIs("<", "/2"), KeyBegins("/1"), ValueIs(">=", b"\x80"),
    Where(lambda one: one.size % 2 == 0, needs_value=False),
]  # fmt: skip
ORDERS: list[Order] = [
    ByKey(), ByKey(descending=True), ByValue(), ByValue(descending=True),
    ByFunction(lambda a, b: a.size - b.size, needs_value=False),
]  # fmt: skip


@given(
    data=st.dictionaries(
        st.builds("/{}/{}".format, st.integers(0, 3), st.integers(0, 20)),
        st.binary(max_size=2),
        max_size=30,
    ),
    query=st.builds(
        Query,
        prefix=st.sampled_from(["", "/1", "/1/"]),
        filters=st.lists(st.sampled_from(FILTERS), max_size=2),
        orders=st.lists(st.sampled_from(ORDERS), min_size=1, max_size=3),
        offset=st.integers(0, 5),
        limit=st.integers(0, 5),
        keys_only=st.booleans(),
    ),
)
@settings(max_examples=100, deadline=None)
def test_kv_15_any_query_is_answered_as_the_naive_way_does(
    data: dict[str, bytes], query: Query
) -> None:
    assert list(answers(query, of(data))) == naive(data, query)


def test_kv_17_a_query_prints() -> None:
    query = Query(
        prefix="/foo",
        filters=[KeyIs(">", "/a")],
        orders=[ByValue(), ByKey()],
        offset=10,
        limit=10,
    )
    assert str(query) == (
        'SELECT keys,vals FROM "/foo" FILTER [KEY > "/a"] ORDER [VALUE, KEY] OFFSET 10 LIMIT 10'
    )
    assert str(Query(keys_only=True)) == "SELECT keys"
    other = Query(
        filters=[KeyBegins("/a"), ValueIs("!=", b'"'), Where(bool)],
        orders=[ByKey(descending=True), ByValue(descending=True), ByFunction(lambda _a, _b: 0)],
    )
    assert str(other) == (
        'SELECT keys,vals FILTER [PREFIX("/a"), VALUE != "\\"", FN] '
        "ORDER [desc(KEY), desc(VALUE), FN]"
    )


def test_a_negative_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Query(offset=-1)


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        (Query(keys_only=True, filters=[KeyIs("<", "/3")], orders=[ByKey()]), 0),
        (Query(offset=3, limit=2), 2),
        (Query(filters=[KeyIs("==", "/4")]), 1),
        (Query(orders=[ByKey(descending=True)], limit=3), 3),
        (Query(keys_only=True, orders=[ByValue()], limit=1), 10),
    ],
    ids=str,
)
def test_no_value_is_read_that_is_not_needed(query: Query, reads: int) -> None:
    told: list[str] = []
    found = list(answers(query, of({f"/{n}": b"x" for n in range(10)}, told=told)))
    assert len(told) == reads
    assert all((one.value is None) == query.keys_only for one in found)


def test_kv_04_a_source_may_list_what_was_not_asked_for() -> None:
    values = {"/a": b"", "/a/b": b"", "/ab": b"", "/c": b""}
    every = Source(lambda _: of(values).keys("/"), values.__getitem__, 4, lambda: None)
    assert [one.key for one in answers(Query(prefix="/a"), every)] == ["/a/b"]


@pytest.mark.parametrize("query", [Query(keys_only=True), Query(keys_only=True, limit=5)], ids=str)
def test_without_an_order_entries_come_as_they_are_listed(query: Query) -> None:
    """A million keys are never held: the listing is asked for the next when it is wanted."""
    listed = []

    def keys(_begin: str) -> Iterator[Entry]:
        for n in itertools.count():
            listed.append(n)
            yield Entry(f"/{n}", 0)

    source = Source(keys, lambda _: b"", 4, lambda: None)
    with closing(answers(query, source)) as found:
        assert [one.key for one in itertools.islice(found, 5)] == [f"/{n}" for n in range(5)]
    assert len(listed) == 5


def test_a_limit_bounds_what_an_order_holds() -> None:
    values = {f"/{n}": b"%d" % n for n in range(1000)}
    query = Query(orders=[ByValue(descending=True)], limit=2, keys_only=True)
    assert [one.key for one in answers(query, of(values))] == ["/999", "/998"]


def test_a_value_that_is_gone_when_it_is_read_is_no_entry() -> None:
    store = MemoryStore(MemoryBucket())
    datastore = in_memory(store)
    for n in range(4):
        datastore.put(f"/{n}", b"x")
    other = MemoryStore(store.bucket)
    store.before = lambda op, key: other.delete("1") if (op, key) == ("get", "1") else None
    assert [one.key for one in datastore.query(Query(limit=3))] == ["/0", "/2", "/3"]


def test_kv_19_an_error_in_the_middle_of_a_listing_is_raised() -> None:
    pages = []

    def fail(op: str, _key: str) -> None:
        if op == "list":
            pages.append(op)
            if len(pages) == 2:
                raise ServerFault("503")

    bucket = MemoryBucket()
    datastore = in_memory(MemoryStore(bucket))
    with datastore.batch() as batch:
        for n in range(1500):
            batch.put(f"/{n}", b"")
    failing = in_memory(MemoryStore(bucket, before=fail))
    with pytest.raises(ServerFault):
        list(failing.query(Query(keys_only=True)))
    pages.clear()
    with pytest.raises(ServerFault):
        list(failing.query(Query(keys_only=True, orders=[ByKey()], limit=3)))


def test_kv_19_an_error_of_a_value_is_raised() -> None:
    def fail(op: str, key: str) -> None:
        if (op, key) == ("get", "2"):
            raise ServerFault("503")

    store = MemoryStore(MemoryBucket())
    datastore = in_memory(store)
    for n in range(4):
        datastore.put(f"/{n}", b"x")
    store.before = fail
    with pytest.raises(ServerFault):
        list(datastore.query())


def test_a_cancel_ends_a_query_between_two_entries() -> None:
    found = opened(MemoryStore(MemoryBucket()))
    datastore = Datastore(found)
    for n in range(4):
        datastore.put(f"/{n}", b"x")
    cancel = CancelToken()
    found.patience.begin(cancel)
    running = datastore.query(Query(keys_only=True))
    next(running)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(running)


class Noting:
    """Answers what it is asked, and writes it down."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, number: int) -> int:
        self.asked.append(number)
        return number


def test_answers_come_in_turn_and_bounded() -> None:
    noting = Noting()
    got = in_turn(range(100), noting, at_a_time=4, check=lambda: None)
    assert [next(got) for _ in range(3)] == [0, 1, 2]
    assert len(noting.asked) <= 3 + 4


def test_large_values_go_alone() -> None:
    noting = Noting()
    got = in_turn(range(9), noting, at_a_time=4, check=lambda: None, weight=lambda _: MOST_BYTES)
    assert [next(got), next(got)] == [0, 1]
    assert len(noting.asked) == 2
    assert list(got) == list(range(2, 9))
