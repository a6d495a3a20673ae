"""Measure, Namespace and Autobatch."""

import pytest

from s3dash.errors import NotFound, ServerFault
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.stores.kv.autobatch import Autobatch
from s3dash.stores.kv.contract import KeyStore
from s3dash.stores.kv.measure import Figures, Measure
from s3dash.stores.kv.namespace import Namespace
from s3dash.stores.kv.query import Query
from s3dash.testing.datastore import DatastoreTests
from tests.engine.clocks import TestClock
from tests.stores.opening import in_memory


class TestMeasured(DatastoreTests):
    @pytest.fixture
    def datastore(self) -> KeyStore:
        return Measure(in_memory())


class TestInANamespace(DatastoreTests):
    @pytest.fixture
    def datastore(self) -> KeyStore:
        outer = in_memory()
        outer.put("/beside", b"x")
        outer.put("/name", b"x")
        outer.put("/name-2/x", b"x")
        return Namespace(outer, "/name")


class TestAutobatched(DatastoreTests):
    """Only what it keeps back on purpose is another one's to test."""

    @pytest.fixture
    def datastore(self) -> KeyStore:
        return Autobatch(in_memory(), size=7)


# --- measure ----------------------------------------------------------------------------


def test_me_01_calls_are_counted_timed_and_sized() -> None:
    clock = TestClock()
    store = MemoryStore(MemoryBucket(), before=lambda _op, _key: clock.advance(0.5))
    measure = Measure(in_memory(store), prefix="s3.datastore", clock=clock)
    measure.put("/a", b"12345")
    measure.put("/b", b"123")
    assert measure.get("/a") == b"12345"
    measure.get_size("/a")
    measure.delete("/b")
    with measure.batch() as batch:
        batch.put("/c", b"12")
    found = measure.figures()
    assert found["put"] == Figures(calls=2, seconds=1.0, bytes=8)
    assert found["get"] == Figures(calls=1, seconds=0.5, bytes=5)
    assert found["get_size"] == Figures(calls=1, seconds=0.5)
    assert found["delete"] == Figures(calls=1, seconds=0.5)
    assert (found["batch"].calls, found["batch"].bytes, found["batch"].rows) == (1, 2, 1)
    assert measure.prefix == "s3.datastore"


def test_me_01_a_missing_key_is_no_error() -> None:
    measure = Measure(in_memory())
    with pytest.raises(NotFound):
        measure.get("/missing")
    assert not measure.has("/missing")
    assert measure.figures()["get"] == Figures(calls=1, seconds=measure.figures()["get"].seconds)
    assert measure.figures()["get_size"].errors == 0


def test_me_01_an_error_is_one() -> None:
    def fail(_op: str, _key: str) -> None:
        raise ServerFault("503")

    measure = Measure(in_memory(MemoryStore(MemoryBucket(), before=fail)))
    for ask in (lambda: measure.put("/a", b""), lambda: list(measure.query())):
        with pytest.raises(ServerFault):
            ask()
    assert (measure.figures()["put"].errors, measure.figures()["query"].errors) == (1, 1)


def test_me_01_a_query_is_measured_to_its_end() -> None:
    clock = TestClock()
    store = MemoryStore(MemoryBucket())
    measure = Measure(in_memory(store), clock=clock)
    for n in range(3):
        measure.put(f"/{n}", b"12")
    store.before = lambda _op, _key: clock.advance(1.0)
    for one in measure.query(Query(keys_only=True)):
        clock.advance(100.0)  # what the caller does is not the datastore's time
        assert "query" not in measure.figures(), one
    assert measure.figures()["query"] == Figures(calls=1, seconds=1.0, rows=3)
    running = measure.query()
    next(running)
    running.close()
    assert (measure.figures()["query"].calls, measure.figures()["query"].rows) == (2, 4)


# --- namespace --------------------------------------------------------------------------


def test_ns_01_keys_are_prefixed_and_stripped() -> None:
    outer = in_memory()
    inner = Namespace(outer, "/ns")
    inner.put("/a/b", b"x")
    assert list(outer) == ["/ns/a/b"]
    assert list(inner) == ["/a/b"]
    assert [one.key for one in inner.query(Query(prefix="/a"))] == ["/a/b"]
    with pytest.raises(NotFound, match=r"there is no /c$"):
        inner.get("/c")


def test_ns_02_a_key_that_begins_like_the_namespace_is_prefixed_too() -> None:
    outer = in_memory()
    inner = Namespace(outer, "/ns")
    inner.put("/ns/a", b"x")
    with inner.batch() as batch:
        batch.put("/ns", b"y")
    assert sorted(outer) == ["/ns/ns", "/ns/ns/a"]
    assert sorted(inner) == ["/ns", "/ns/a"]


# --- autobatch --------------------------------------------------------------------------


def test_ab_01_it_flushes_at_its_size() -> None:
    child = in_memory()
    auto = Autobatch(child, size=3)
    auto.put("/a", b"1")
    auto.put("/b", b"2")
    auto.put("/b", b"3")
    assert not child
    assert (auto.get("/b"), auto.get_size("/b"), auto.has("/a")) == (b"3", 1, True)
    auto.delete("/c")
    assert dict(child) == {"/a": b"1", "/b": b"3"}


def test_ab_01_it_flushes_on_sync_before_a_query_and_at_the_end() -> None:
    child = in_memory()
    auto = Autobatch(child, size=100)
    auto.put("/a", b"1")
    auto.sync("/")
    assert list(child) == ["/a"]
    auto.put("/b", b"1")
    assert [one.key for one in auto.query(Query(keys_only=True))] == ["/a", "/b"]
    with auto:
        auto.delete("/a")
        assert not auto.has("/a")
        assert child.has("/a")
    assert list(child) == ["/b"]


def test_ab_01_it_flushes_when_it_holds_too_many_bytes() -> None:
    child = in_memory()
    auto = Autobatch(child, most_bytes=10)
    auto.put("/a", bytes(9))
    auto.put("/a", bytes(8))
    assert not child
    auto.put("/b", bytes(2))
    assert sorted(child) == ["/a", "/b"]


def test_ab_01_what_could_not_be_sent_is_kept() -> None:
    broken = [True]

    def fail(op: str, _key: str) -> None:
        if op == "put" and broken:
            raise NotFound("the bucket")

    auto = Autobatch(in_memory(MemoryStore(MemoryBucket(), before=fail)))
    auto.put("/a", b"1")
    with pytest.raises(NotFound):
        auto.sync()
    assert auto.get("/a") == b"1"
    broken.clear()
    assert dict(auto) == {"/a": b"1"}


def test_a_size_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Autobatch(in_memory(), size=0)
