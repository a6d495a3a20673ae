"""Uploads that lie open: what is ours and in use is protected, what is ours and idle let go of."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.core.endpoint import FRESH_S
from s3dash.engine import uploads
from s3dash.engine.open_uploads import abort
from s3dash.errors import Cancelled, Unreachable
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.objectstore.port import Begun, Part
from tests.engine.clocks import TestClock
from tests.engine.world import Machine

PART = 1000
BIG = "files/big"
BODY = b"0123456789" * (PART // 2)


def nothing(op: str, key: str) -> None:
    """Lets every request pass."""


class AtPart:
    """Calls `act` before the n-th part is sent."""

    def __init__(self, at: int, act: Callable[[], object]) -> None:
        self._left, self._act = at, act
        self._lock = threading.Lock()

    def __call__(self, op: str, key: str) -> None:
        if op == "send_part":
            with self._lock:
                self._left -= 1
                due = self._left == 0
            if due:
                self._act()


class Site:
    """Machines on one bucket, whose clock is that of everybody, sending parts of 1000 bytes."""

    def __init__(self, home: Path) -> None:
        self.clock = TestClock()
        self.bucket = MemoryBucket(clock=self.clock)
        self.home = home

    def machine(self, name: str, before: Hook = nothing) -> Machine:
        return Machine(
            self.home / name,
            lambda: MemoryStore(self.bucket, before=before, multipart_above=PART, part_size=PART),
            clock=self.clock,
        )

    def cut_off(self, name: str) -> Machine:
        """A machine whose push was cancelled in the middle of a large file."""
        token = CancelToken()
        machine = self.machine(name, AtPart(3, token.cancel))
        machine.write(BIG, BODY)
        with pytest.raises(Cancelled):
            machine.push(cancel=token)
        assert self.left() == [BIG]
        return self.machine(name)

    def left(self) -> list[str]:
        return [upload.key for upload in self.bucket.uploads().values()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_our_own_is_known_as_ours_and_the_next_push_begins_anew(site: Site) -> None:
    ada = site.cut_off("ada")
    engine = ada.engine()
    (row,) = engine.endpoint.uploads().rows
    assert (row.key, row.ours, row.busy, row.fresh) == (BIG, True, False, False)
    assert row.parts
    assert row.size
    assert engine.endpoint.claims() == {row.upload_id: False}
    assert engine.endpoint.abort([row]).done == 1
    assert site.left() == []
    assert engine.endpoint.claims() == {}
    assert uploads.names(engine._ctx) == {}
    result = engine.push()
    engine.stop()
    assert (result.pushed, result.failed) == (1, [])
    bob = site.machine("bob")
    bob.pull()
    assert bob.read(BIG) == BODY


def test_what_a_running_push_sends_is_protected(site: Site) -> None:
    at_work, go = threading.Event(), threading.Event()

    def hold() -> None:
        at_work.set()
        assert go.wait(10)

    ada = site.machine("ada", AtPart(3, hold))
    ada.write(BIG, BODY)
    engine = ada.engine()
    pushed: list[int] = []
    thread = threading.Thread(target=lambda: pushed.append(engine.push().pushed))
    thread.start()
    assert at_work.wait(10)
    (row,) = engine.endpoint.uploads().rows
    assert (row.ours, row.busy) == (True, True)
    done = engine.endpoint.abort([row])
    assert (done.done, done.kept) == (0, 1)
    assert site.left() == [BIG]
    go.set()
    thread.join(10)
    engine.stop()
    assert pushed == [1]


def test_where_another_process_owns_the_cache_its_uploads_are_protected(site: Site) -> None:
    ada = site.cut_off("ada")
    owner, second = ada.engine(), ada.engine()
    assert second.read_only
    (row,) = second.endpoint.uploads().rows
    assert (row.ours, row.busy) == (True, True)
    assert second.endpoint.abort([row]).kept == 1
    assert site.left() == [BIG]
    second.stop()
    owner.stop()


def test_another_machines_is_foreign_and_fresh_for_a_quarter_of_an_hour(site: Site) -> None:
    site.cut_off("bob")
    engine = site.machine("ada").engine()
    (row,) = engine.endpoint.uploads().rows
    assert (row.ours, row.busy, row.fresh) == (False, False, True)
    site.clock.advance(FRESH_S + 1)
    (row,) = engine.endpoint.uploads().rows
    assert not row.fresh
    assert row.age_s is not None
    assert row.age_s > FRESH_S
    engine.stop()


class Arriving(MemoryStore):
    """Tells when each part came, as S3 does: a minute ago."""

    def list_parts(self, key: str, upload_id: str) -> Iterator[Part]:
        at = self.bucket.now() - timedelta(minutes=1)
        for number in (2, 1):
            yield Part(number, PART, "etag", at - timedelta(hours=number))
        yield Part(3, PART, "etag", at)


def test_an_old_one_whose_parts_still_come_is_fresh(site: Site) -> None:
    site.bucket.begin("files/a", content_type="x", nonce="")
    site.clock.advance(timedelta(hours=5).total_seconds())
    machine = Machine(site.home / "ada", lambda: Arriving(site.bucket), clock=site.clock)
    engine = machine.engine()
    (row,) = engine.endpoint.uploads().rows
    engine.stop()
    assert (row.age_s, row.quiet_s, row.parts, row.size) == (5 * 3600, 60, 3, 3 * PART)
    assert row.fresh


def test_one_that_fails_keeps_none_of_the_others(site: Site) -> None:
    first = site.bucket.begin("files/a", content_type="x", nonce="")
    site.clock.advance(timedelta(hours=1).total_seconds())
    site.bucket.begin("files/b", content_type="x", nonce="")

    def refuse(op: str, key: str) -> None:
        if op == "abort_upload" and key == "files/a":
            raise Unreachable("no answer from the endpoint")

    engine = site.machine("ada", refuse).engine()
    rows = engine.endpoint.uploads().rows
    assert [row.key for row in rows] == ["files/a", "files/b"]  # the oldest first
    done = engine.endpoint.abort(rows)
    engine.stop()
    assert done.done == 1
    assert done.failed == ("files/a: no answer from the endpoint",)
    assert list(site.bucket.uploads()) == [first]


def test_one_that_goes_while_it_is_looked_at_is_left_out(site: Site) -> None:
    upload_id = site.bucket.begin("files/a", content_type="x", nonce="")

    def finish(op: str, key: str) -> None:
        if op == "list_parts" and upload_id in site.bucket.uploads():
            site.bucket.abort("files/a", upload_id)

    engine = site.machine("ada", finish).engine()
    assert engine.endpoint.uploads().rows == ()
    engine.stop()


def test_many_are_listed_and_the_first_are_measured(site: Site) -> None:
    for n in range(600):
        site.bucket.begin(f"files/{n:03}", content_type="x", nonce="")
    engine = site.machine("ada").engine()
    found = engine.endpoint.uploads()
    engine.stop()
    assert len(found.rows) == 600
    assert sum(row.size is not None for row in found.rows) == 500
    assert not found.is_whole


def test_what_the_path_sends_by_now_stays_known(site: Site) -> None:
    """An operation that began before our turn came has given the old one up and sends anew."""
    engine = site.cut_off("ada").engine()
    ctx = engine._ctx
    (row,) = engine.endpoint.uploads().rows

    @contextmanager
    def turn() -> Iterator[None]:
        log = uploads.UploadJournal(ctx, BIG)
        log.begin(Begun("another", PART, "nonce"))
        yield

    told = abort(ctx, [row], turn=turn, busy=lambda: False, cancel=CancelToken())
    assert told.done == 1
    assert uploads.names(ctx) == {"another": BIG}
    engine.stop()
