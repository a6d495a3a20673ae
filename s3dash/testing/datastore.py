"""The contract of a datastore of keys, as tests: subclass `DatastoreTests` and give a datastore.

    class TestMine(DatastoreTests):
        @pytest.fixture
        def datastore(self) -> Iterator[KeyStore]:
            with open_an_empty_one() as found:
                yield found

Numbers in the names are those of the scenarios that s3dash builds; the cases are those of IPFS's
go-datastore, and what its stores on S3 get wrong.
"""

import io
import itertools
import os
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from s3dash.errors import NotFound
from s3dash.stores.kv.contract import KeyStore
from s3dash.stores.kv.keys import Key
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

COUNT = 100
"""Entries of each of the four kinds; four times as many are stored."""

OFFSETS = (0, COUNT // 10, COUNT - 5, COUNT)
LIMITS = (0, 1, COUNT // 10, COUNT)
PREFIXES = ("", "/prefix", "/0")
LENGTHS = (0, 1, COUNT)
FILTERS: tuple[tuple[Filter, ...], ...] = ((KeyIs("==", "/0key0"),), (KeyIs("<", "/2"),))


def _by_value(a: Entry, b: Entry) -> int:
    return (a.body > b.body) - (a.body < b.body)


ORDERS: tuple[tuple[Order, ...], ...] = (
    (ByKey(),),
    (ByKey(descending=True),),
    (ByValue(), ByKey()),
    (ByFunction(_by_value),),
)

Data = dict[str, bytes]


def example(count: int) -> Data:
    """`count` entries each of four kinds, with 64 random bytes."""
    kinds = ("/{0}key{0}", "/prefix/{0}key{0}", "/prefix/sub/{0}key{0}", "/capital/{0}KEY{0}")
    made = random.Random(count)  # noqa: S311 - no secret in it
    return {kind.format(i): made.randbytes(64) for i in range(count) for kind in kinds}


DATA = example(COUNT)


def naive(data: Data, query: Query) -> list[Entry]:
    """What a query answers, worked out the simple way: on everything, in memory."""
    below = query.root.below
    found = [Entry(k, len(v), v) for k, v in data.items() if k.startswith(below)]
    found = [one for one in found if all(each.holds(one) for each in query.filters)]
    found.sort(key=lambda one: one.key)
    for order in reversed(query.orders):
        found.sort(key=order.sort_key)
    found = found[query.offset :]
    found = found[: query.limit] if query.limit else found
    return [Entry(one.key, one.size) for one in found] if query.keys_only else found


def check(datastore: KeyStore, data: Data, query: Query) -> None:
    """The answer is the naive one, twice; without an order it may come in any."""
    expected = naive(data, query)
    for _ in range(2):
        found = list(datastore.query(query))
        if query.orders:
            assert found == expected, str(query)
        else:
            assert len(found) == len(expected), str(query)
            assert all(one in naive(data, Query(keys_only=query.keys_only)) for one in found)
    with closing(datastore.query(query)) as cut:
        assert len(list(itertools.islice(cut, 1))) == min(1, len(expected))
        cut.close()
        assert list(cut) == []


def fill(datastore: KeyStore, data: Data) -> None:
    with datastore.batch() as batch:
        for key, value in data.items():
            batch.put(key, value)


def permutations() -> Iterator[Query]:
    """All that go-datastore tries together."""
    for offset, limit, filters, orders, prefix in itertools.product(
        OFFSETS, LIMITS, FILTERS, ORDERS, PREFIXES
    ):
        yield Query(offset=offset, limit=limit, filters=filters, orders=orders, prefix=prefix)


class DatastoreTests:
    """Give a fixture `datastore`: a new and empty KeyStore for each test.

    `full` is one that holds `DATA`, and stays as it is: it may be shared by the tests.
    """

    @pytest.fixture
    def datastore(self) -> KeyStore:
        raise NotImplementedError("give a fixture `datastore`")

    @pytest.fixture
    def full(self, datastore: KeyStore) -> KeyStore:
        fill(datastore, DATA)
        return datastore

    def unchanged(self, datastore: KeyStore) -> KeyStore:
        """A view for the many queries on data that stays as it is: it may remember answers."""
        return datastore

    # --- single values ------------------------------------------------------------------

    def test_kv_01_put_has_size_get_delete(self, datastore: KeyStore) -> None:
        datastore.put("foo", b"a value")
        assert datastore.has("foo")
        assert datastore.get_size("foo") == 7
        assert datastore.get("/foo") == b"a value"
        datastore.put("foo", b"")
        assert (datastore.get("foo"), datastore.get_size("foo")) == (b"", 0)
        datastore.delete("foo")
        assert not datastore.has("foo")

    def test_kv_01_values_by_file(self, datastore: KeyStore, tmp_path: Path) -> None:
        source, sink = tmp_path / "source", io.BytesIO()
        source.write_bytes(bytes(range(256)) * 100)
        assert datastore.upload("/a/b", source) == 25_600
        assert datastore.download("/a/b", sink) == 25_600
        assert sink.getvalue() == datastore.get("/a/b") == source.read_bytes()
        with pytest.raises(NotFound):
            datastore.download("/missing", sink)
        with pytest.raises(ValueError, match="/"):
            datastore.upload("/", source)
        assert len(sink.getvalue()) == 25_600

    def test_kv_02_a_missing_key(self, datastore: KeyStore) -> None:
        with pytest.raises(NotFound):
            datastore.get("missing")
        with pytest.raises(NotFound):
            datastore.get_size("missing")
        assert not datastore.has("missing")
        datastore.delete("missing")

    def test_kv_02_it_is_a_mapping(self, datastore: KeyStore) -> None:
        with pytest.raises(KeyError):
            datastore["missing"]
        with pytest.raises(KeyError):
            del datastore["missing"]
        assert datastore.get("missing", None) is None
        assert not datastore
        datastore["a/b"] = b"1"
        assert (dict(datastore), len(datastore), bool(datastore)) == ({"/a/b": b"1"}, 1, True)
        assert "a/b" in datastore
        assert datastore.has(Key("a/b"))
        del datastore["a/b"]
        assert "a/b" not in datastore

    def test_key_08_the_root_has_no_value(self, datastore: KeyStore) -> None:
        with pytest.raises(ValueError, match="/"):
            datastore.put("/", b"x")
        with pytest.raises(ValueError, match="/"):
            datastore.batch().put("/", b"x")
        assert not datastore.has("/")
        datastore.delete("/")

    def test_kv_09_sync_and_a_key_beside_its_child(self, datastore: KeyStore) -> None:
        datastore.sync("prefix")
        datastore.put("/prefix", b"foo")
        datastore.sync("/prefix")
        datastore.put("/prefix/sub", b"bar")
        datastore.sync("/prefix")
        datastore.sync("/prefix/sub")
        datastore.sync("")
        assert datastore.get("/prefix") == b"foo"
        assert datastore.get("/prefix/sub") == b"bar"
        assert [one.key for one in datastore.query(Query(prefix="/prefix"))] == ["/prefix/sub"]

    # --- queries ------------------------------------------------------------------------

    def test_kv_03_every_entry_with_its_value(self, full: KeyStore) -> None:
        check(full, DATA, Query())
        assert {one.key: one.value for one in full.query()} == DATA

    def test_kv_03_keys_only(self, full: KeyStore) -> None:
        check(full, DATA, Query(keys_only=True, orders=[ByKey()]))

    @pytest.mark.parametrize(
        ("prefix", "count"),
        [
            *((prefix, 4 * COUNT) for prefix in ("", "/", "/./", "/prefix/../")),
            *((prefix, 2 * COUNT) for prefix in ("/prefix", "/prefix/")),
            ("/prefix/sub/", COUNT),
            *((prefix, 0) for prefix in ("/0/", "/bad/", "/0")),
        ],
    )
    def test_kv_04_a_prefix_is_strict(self, full: KeyStore, prefix: str, count: int) -> None:
        query = Query(prefix=prefix, keys_only=True)
        assert sum(1 for _ in full.query(query)) == count
        check(full, DATA, query)

    def test_kv_05_offset_and_limit(self, full: KeyStore) -> None:
        counts = {}
        for offset, limit in (
            (0, 10), (0, 0), (10, 0), (10, 10), (99, 20), (200, 0), (99, 0),
        ):  # fmt: skip
            query = Query(offset=offset, limit=limit, orders=[ByKey()], keys_only=True)
            check(full, DATA, query)
            counts[offset, limit] = len(list(full.query(query)))
        assert [*counts.values()] == [10, 4 * COUNT, 390, 10, 20, 200, 301]

    @pytest.mark.parametrize(
        "orders",
        [
            [ByKey()],
            [ByKey(descending=True)],
            [ByValue()],
            [ByValue(descending=True)],
            [ByValue(), ByKey()],
            [ByFunction(_by_value)],
            [ByFunction(lambda a, b: len(a.key) - len(b.key), needs_value=False)],
        ],
        ids=lambda orders: ",".join(map(str, orders)),
    )
    def test_kv_06_orders(self, full: KeyStore, orders: list[Order]) -> None:
        check(full, DATA, Query(orders=orders, prefix="/prefix/sub"))

    def test_key_06_results_come_in_plain_string_order(self, datastore: KeyStore) -> None:
        fill(datastore, dict.fromkeys(["/b", "/a/b", "/a", "/a-b", "/a/b/c", "/B"], b""))
        found = [one.key for one in datastore.query(Query(orders=[ByKey()]))]
        assert found == ["/B", "/a", "/a-b", "/a/b", "/a/b/c", "/b"]
        assert sorted(found, key=Key) == ["/B", "/a", "/a/b", "/a/b/c", "/a-b", "/b"]

    def test_kv_06_ties_go_by_key(self, datastore: KeyStore) -> None:
        data = {f"/{i}": b"same" for i in random.sample(range(20), 20)}
        fill(datastore, data)
        for order in (ByValue(), ByValue(descending=True), ByFunction(lambda _a, _b: 0)):
            found = [one.key for one in datastore.query(Query(orders=[order]))]
            assert found == sorted(data)

    @pytest.mark.parametrize(
        "filters",
        [
            [KeyIs("==", "/0key0")],
            [KeyIs("!=", "/0key0")],
            [KeyIs("<", "/2")],
            [KeyIs(">=", "/prefix/5"), KeyIs("<=", "/prefix/7")],
            [KeyBegins("/0key0")],
            [KeyBegins("/prefix/sub/1")],
            [ValueIs("<", b"\x40")],
            [ValueIs(">", b"\x80"), KeyBegins("/1")],
            [Where(lambda one: len(one.key) % 2 == 0, needs_value=False)],
            [Where(lambda one: one.body[0] % 2 == 0)],
        ],
        ids=lambda filters: ",".join(map(str, filters)),
    )
    @pytest.mark.parametrize("keys_only", [True, False])
    def test_kv_07_filters(self, full: KeyStore, filters: list[Filter], keys_only: bool) -> None:
        query = Query(filters=filters, orders=[ByKey()], limit=20, keys_only=keys_only)
        check(full, DATA, query)

    def test_kv_08_keys_only_and_sizes(self, datastore: KeyStore) -> None:
        data = {f"/{size}": bytes(size) for size in (0, 1, 1000)}
        fill(datastore, data)
        only = list(datastore.query(Query(keys_only=True, returns_sizes=True)))
        assert all(one.value is None for one in only)
        assert {one.key: one.size for one in only} == {"/0": 0, "/1": 1, "/1000": 1000}

    def test_kv_10_every_combination(self, datastore: KeyStore) -> None:
        for length in LENGTHS:
            data = example(length)
            fill(datastore, data)
            view = self.unchanged(datastore)
            for query in permutations():
                assert list(view.query(query)) == naive(data, query), f"{length}: {query}"
            datastore.clear()
            assert list(datastore) == []

    # --- batches ------------------------------------------------------------------------

    def test_kv_11_a_batch_of_puts(self, datastore: KeyStore) -> None:
        blocks = [os.urandom(256 << 10) for _ in range(20)]
        data = {f"/block={n}==": block for n, block in enumerate(blocks)}
        batch = datastore.batch()
        for key, value in data.items():
            batch.put(key, value)
        assert not any(datastore.has(key) for key in data)
        batch.commit()
        assert all(datastore.get(key) == value for key, value in data.items())

    def test_kv_12_a_batch_of_deletions(self, datastore: KeyStore) -> None:
        data = {f"/{n}": b"x" for n in range(20)}
        fill(datastore, data)
        batch = datastore.batch()
        for key in data:
            batch.delete(key)
        assert all(datastore.has(key) for key in data)
        batch.commit()
        assert list(datastore) == []

    def test_kv_13_the_last_operation_wins(self, datastore: KeyStore) -> None:
        datastore.put("/there", b"old")
        batch = datastore.batch()
        for value in (b"1", b"2"):
            batch.put("/twice", value)
        batch.put("/deleted", b"x")
        batch.delete("/deleted")
        batch.delete("/there")
        batch.put("/there", b"new")
        batch.commit()
        assert dict(datastore) == {"/twice": b"2", "/there": b"new"}

    def test_kv_13_a_committed_batch_is_over(self, datastore: KeyStore) -> None:
        batch = datastore.batch()
        batch.put("/a", b"x")
        batch.commit()
        for again in (
            batch.commit,
            lambda: batch.put("/b", b"x"),
            lambda: batch.delete("/a"),
        ):
            with pytest.raises(ValueError, match="committed"):
                again()
        assert list(datastore) == ["/a"]

    def test_kv_16_what_it_can_do_is_told(self, datastore: KeyStore) -> None:
        assert datastore.features <= {"batching", "persistent", "checked"}

    @pytest.mark.parametrize("puts", [0, 3])
    @pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
    def test_kv_20_a_batch_deletes_all_and_nothing_else(
        self, datastore: KeyStore, count: int, puts: int
    ) -> None:
        """Of many that are to go, those at the ends of requests are there, and some between."""
        kept = {"/kept": b"x", "/doomed": b"x", "/doomed-": b"x"}
        new = {f"/new/{n}": b"new" for n in range(puts)}
        doomed = [f"/doomed/{n}" for n in range(count)]
        present = {*doomed[::50], *doomed[998:1002], *doomed[1998:2002], *doomed[-2:]}
        fill(datastore, {**kept, **dict.fromkeys(present, b"")})
        with datastore.batch() as batch:
            for key in doomed:
                batch.delete(key)
            for key, value in new.items():
                batch.put(key, value)
        assert {one.key for one in datastore.query(Query(keys_only=True))} == {*kept, *new}
