"""The probe tells the truth about every endpoint, and leaves nothing behind."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from s3dash.errors import AccessDenied, PreconditionFailed, ServerFault, Throttled, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities, ObjectStore, Stored
from s3dash.objectstore.probe import Doctor, doctor, quick_probe, special_probe
from tests.contract.conftest import Backend
from tests.engine.clocks import TestClock
from tests.servers import Server

ALL = Capabilities(
    create=True, replace=True, delete=True, races=True, dated=True, complete=True, copies=True
)
NAMES = [
    "create",
    "replace",
    "create race",
    "counter race",
    "read after write",
    "multipart",
    "conditional copy",
    "stale delete",
    "server clock",
    "checksums",
    "bulk delete",
    "keys",
    "paging",
    "ranges",
    "addressing",
    "versioning",
    "lifecycle",
    "unfinished uploads",
    "etags",
    "listing",
    "clean-up",
]


def failed(found: Doctor) -> set[str]:
    return {check.name for check in found.checks if not check.ok}


def test_the_quick_probe_finds_a_good_endpoint_safe(backend: Backend) -> None:
    store = backend.open()
    found = quick_probe(store, nonce="n")
    gaps = {"complete": "complete-if-match", "copies": "copy-if-match"}
    assert found == replace(ALL, **{can: not backend.lacks(gap) for can, gap in gaps.items()})
    assert found.safe
    assert store.etag_quotes
    assert store.usage.requests < 50
    assert list(store.list()) == []


def test_the_doctor_proves_what_memory_does() -> None:
    store = MemoryStore(MemoryBucket(), "team")
    found = doctor(store, nonce="n")
    assert [check.name for check in found.checks] == NAMES
    assert (found.locking, failed(found), found.capabilities) == ("safe", set(), ALL)
    assert store.bucket.all_keys() == []


@pytest.mark.parametrize(
    ("name", "broken"),
    [("weed", {"keys"}), ("moto", {"checksums", "multipart", "conditional copy"})],
)
def test_the_doctor_finds_a_good_server_safe(
    request: pytest.FixtureRequest, name: str, broken: set[str], tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(name)
    store = server.store(server.make_bucket(), tmp_path, prefix="team")
    found = doctor(store, nonce="n", prefix="team", race_rounds=2)
    can = replace(ALL, complete="multipart" not in broken, copies="conditional copy" not in broken)
    assert (found.locking, failed(found), found.capabilities) == ("safe", broken, can)
    assert list(store.list()) == []
    store.close()


def test_an_endpoint_that_ignores_conditions_is_unsafe(rclone: Server, tmp_path: Path) -> None:
    store = rclone.store(rclone.make_bucket(), tmp_path)
    can = quick_probe(store, nonce="q")
    assert not can.safe
    assert (can.create, can.replace, can.delete, can.races) == (False, False, False, False)
    found = doctor(store, nonce="d")
    assert found.locking == "unsafe"
    assert failed(found) >= {"create", "replace", "create race", "stale delete", "ranges"}
    assert "keys are files here" in next(c.detail for c in found.checks if c.name == "keys")
    assert "clean-up" not in failed(found)
    assert not list(store.list())
    store.close()


def test_a_doctor_s_findings_are_json(tmp_path: Path) -> None:
    found = doctor(MemoryStore(MemoryBucket()), nonce="n")
    document = msgspec.json.decode(msgspec.json.encode(found))
    assert document["locking"] == "safe"
    assert set(document["checks"][0]) == {"name", "ok", "detail"}


class Bent(MemoryStore):
    """A store that departs from S3 in one way."""

    def __init__(self, **departures: bool) -> None:
        super().__init__(MemoryBucket())
        self.departures = departures
        self.racers = threading.Barrier(4)

    def put(self, key: str, body: bytes, **options: Any) -> Stored:
        wants_unquoted = self.departures.get("unquoted", False)
        if options.get("if_match") and wants_unquoted and self.etag_quotes:
            raise PreconditionFailed("the quotes are taken for a part of the ETag")
        if self.departures.get("no_create"):
            options.pop("if_none_match", None)
        if self.departures.get("no_replace"):
            options.pop("if_match", None)
        if self.departures.get("racy") and "/race-" in key:
            return self._racy(key, body)
        return super().put(key, body, **options)

    def _racy(self, key: str, body: bytes) -> Stored:
        """Looks first and writes later, as endpoints without a lock do."""
        if any(info.key == key for info in self.list(key)):
            raise PreconditionFailed(key)
        self.racers.wait(10)
        return super().put(key, body)

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        super().delete(key, if_match=None if self.departures.get("no_delete") else if_match)


@pytest.mark.parametrize(
    ("departure", "expected"),
    [
        ("unquoted", ALL),
        ("no_create", replace(ALL, create=False, races=False)),
        ("no_replace", replace(ALL, replace=False)),
        ("no_delete", replace(ALL, delete=False)),
        ("racy", replace(ALL, races=False)),
    ],
)
def test_each_departure_is_found(departure: str, expected: Capabilities) -> None:
    store = Bent(**{departure: True})
    assert quick_probe(store, nonce="n") == expected
    assert store.etag_quotes is (departure != "unquoted")
    assert store.bucket.all_keys() == []


def test_what_others_swept_while_this_machine_slept_proves_nothing() -> None:
    """Else it would go on without conditional deletes for a week."""
    clock, slept = TestClock(), iter([True])

    def sleep(op: str, key: str) -> None:
        if (op, key.rpartition("/")[2]) == ("delete", "delete") and next(slept, False):
            clock.advance(2 * 3600.0)
            store.bucket.remove(key)

    store = MemoryStore(MemoryBucket(clock=clock), before=sleep)
    store.put("known", b"x")
    assert quick_probe(store, nonce="n") == ALL
    assert store.bucket.all_keys() == ["known"]


def test_a_counter_that_loses_writes_is_found() -> None:
    """All writers read before any of them writes, and no write is refused."""
    readers, left = threading.Barrier(8), iter(range(8 * 5))

    def after(op: str, key: str) -> None:
        if op == "get" and key.endswith("/counter") and next(left, None) is not None:
            readers.wait(10)

    store = Bent(no_replace=True)
    store.after = after
    found = doctor(store, nonce="n")
    assert {"replace", "counter race"} <= failed(found)
    assert found.locking == "unsafe"


@pytest.mark.parametrize("error", [AccessDenied("no"), Unreachable("gone"), ServerFault("500")])
def test_what_cannot_be_asked_is_raised_and_not_called_unsafe(error: Exception) -> None:
    def before(op: str, key: str) -> None:
        if op in ("put", "list"):
            raise error

    store = MemoryStore(MemoryBucket(), before=before)
    for call in (quick_probe, doctor):
        with pytest.raises(type(error)):
            call(store, nonce="n")


@pytest.mark.parametrize("error", [Unreachable("gone"), ServerFault("500"), Throttled("slow")])
@pytest.mark.parametrize("number", range(1, 18))
def test_one_answer_that_is_lost_costs_no_more_than_asking_again(
    error: Exception, number: int
) -> None:
    """Whichever of the writes it is that the endpoint did, or did not do, and did not tell."""

    def losing(applied: bool) -> MemoryStore:
        puts = itertools.count(1)

        def lose(op: str, key: str) -> None:
            if op == "put" and next(puts) == number:
                raise error

        bucket = MemoryBucket()
        return MemoryStore(bucket, after=lose) if applied else MemoryStore(bucket, before=lose)

    for applied in (False, True):
        store = losing(applied)
        assert quick_probe(store, nonce="n") == ALL
        assert store.bucket.all_keys() == []
        store = losing(applied)
        assert special_probe(store, "copies", nonce="n")
        assert store.bucket.all_keys() == []


def test_the_probe_cleans_up_when_it_is_broken_off() -> None:
    """Wherever it ends: here the reply of each PUT in turn is lost."""
    bucket = MemoryBucket()

    def lose(number: int) -> Callable[[str, str], None]:
        left = [number]

        def after(op: str, key: str) -> None:
            if op == "put":
                left[0] -= 1
                if left[0] == 0:
                    raise KeyboardInterrupt

        return after

    for call in (quick_probe, doctor):
        for number in (1, 2, 4, 7):
            store: ObjectStore = MemoryStore(bucket, after=lose(number))
            with pytest.raises(KeyboardInterrupt):
                call(store, nonce="n")
            assert bucket.all_keys() == []


def test_no_two_uploads_of_one_key_are_completed_at_once() -> None:
    """`rclone serve s3` then lists an object for good that is not found, and not deleted."""
    completed, both = list[str](), threading.Barrier(2)

    class Completing:
        def put_in_parts(self, key: str, body: bytes, **_: object) -> str:
            completed.append(key)
            both.wait(10)
            return store.put(key, body).etag

    class Ignoring(MemoryStore):
        def examination(self) -> Any:
            return Completing()

    store = Ignoring(MemoryBucket())
    assert not special_probe(store, "complete", nonce="n")
    assert len(set(completed)) == 2


def test_a_fault_in_a_race_is_neither_a_win_nor_a_loss() -> None:
    failures = iter([True, False] * 1000)

    def after(op: str, key: str) -> None:
        if op == "put" and "/race-" in key and next(failures):
            raise ServerFault("500")

    found = doctor(MemoryStore(MemoryBucket(), after=after), nonce="n")
    race = next(check for check in found.checks if check.name == "create race")
    assert race.ok or "no winner can be named" in race.detail
    assert failed(found) <= {"create race"}
