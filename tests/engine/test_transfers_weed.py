"""Transfers that obey, on SeaweedFS behind a proxy that counts, holds and breaks connections."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import Capabilities
from s3dash.objectstore.s3 import S3Store
from tests.engine.ends import all_have, data
from tests.engine.moving import PATIENCE_S, moving
from tests.engine.world import Machine
from tests.reliability.proxy import Asked, Exchange, Fault, Proxy, purpose
from tests.reliability.wire import refusal
from tests.servers import Server

MB = 1 << 20
PART = 5 * MB
PARTS_UNDER_WAY = 3
BIG = "files/big"
BODY = random.Random(7).randbytes(7 * PART + 11)
PACE = 16 * MB
"""Bytes per second at which a test has the time to act in the middle of a transfer."""


class Desk(Machine):
    """A machine behind the proxy. What it sends goes in parts above 5 MiB."""

    def __init__(
        self, home: Path, weed: Server, proxy: Proxy, bucket: str, can: Capabilities, **more: Any
    ) -> None:
        super().__init__(home, lambda: self.connect(), **more)
        self.settings = weed.settings(
            bucket, home, name=home.name, endpoint=proxy.url, lock_timeout_ms=5000, **more
        )
        self.proved = can
        self._weed = weed

    def connect(self, patience: Patience | None = None) -> S3Store:
        return S3Store(
            self.settings,
            self._weed.credentials,
            multipart_above=PART,
            part_size=PART,
            patience=patience or Patience(),
        )

    def impatient(self) -> Engine:
        """Whose first failure is its last."""
        patience = Patience(retries=0)
        return open_engine(
            self.settings, store=self.connect(patience), patience=patience, proved=self.proved
        )

    def staged(self) -> list[Path]:
        known = {self.base / rel for rel in self.files()}
        files = {p for p in self.cache.rglob("*") if p.is_file()} - known
        return [p for p in files if not p.name.startswith(".datastore")]


Join = Callable[..., Desk]


@pytest.fixture
def proxy(weed: Server) -> Iterator[Proxy]:
    running = Proxy(weed.endpoint)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def desk(weed: Server, proxy: Proxy, weed_can: Capabilities, tmp_path: Path) -> Join:
    bucket = weed.make_bucket()
    return lambda name, **more: Desk(tmp_path / name, weed, proxy, bucket, weed_can, **more)


class Parts:
    """Counts the parts that came, by number; lets all through."""

    def __init__(self) -> None:
        self.came = Counter[int]()

    def __call__(self, asked: Asked) -> Fault | None:
        if purpose(asked) == "part PUT":
            self.came[int(asked.query["partNumber"])] += 1
        return None


def test_a_paused_upload_outlives_its_connections_and_sends_no_part_again(
    desk: Join, proxy: Proxy
) -> None:
    ada, counted = desk("ada", bandwidth_limit=PACE), Parts()
    ada.write(BIG, BODY)
    with proxy.choosing(counted), moving(ada.engine()) as push:
        push.until(lambda: sum(counted.came.values()) >= 3)
        push.engine.transfers.pause(push.ids(BIG))
        push.until_state(BIG, "paused")
        arrived = [part.number for part in _parts(ada)]
        assert arrived
        assert push.engine.snapshot().lock_held_s is None
        proxy.refuse()  # a server lets no silent connection stand: all are gone
        proxy.listen_again()
        push.engine.transfers.throttle(0)
        push.engine.transfers.resume(push.ids(BIG))
        assert push.end().pushed == 1
    again = sum(counted.came.values()) - 8
    assert all(counted.came[number] == 1 for number in arrived), (arrived, counted.came)
    assert 0 <= again <= PARTS_UNDER_WAY
    all_have(ada.connect, {BIG: BODY}, ada)
    assert list(ada.connect().list_uploads()) == []


def _parts(machine: Desk) -> list[Any]:
    store = machine.connect()
    (upload,) = store.list_uploads()
    return list(store.list_parts(upload.key, upload.upload_id))


def test_an_upload_cancelled_in_its_middle_leaves_nothing_behind(desk: Join, proxy: Proxy) -> None:
    ada, counted = desk("ada", bandwidth_limit=PACE), Parts()
    ada.write(BIG, BODY)
    ada.write("files/small", "s")
    with proxy.choosing(counted), moving(ada.engine()) as push:
        push.until(lambda: sum(counted.came.values()) >= 3)
        assert len(list(ada.connect().list_uploads())) == 1
        push.engine.transfers.cancel(push.ids(BIG))
        result = push.end()
        assert (result.pushed, result.cancelled, result.exit_code) == (1, [BIG], 5)
        assert [row.path for row in push.engine.snapshot().dirty] == [BIG]
    assert list(ada.connect().list_uploads()) == []
    assert data(ada.connect) == {"files/small": b"s"}
    assert sum(counted.came.values()) < 8
    assert ada.push().pushed == 1
    all_have(ada.connect, {BIG: BODY, "files/small": b"s"}, ada)


def test_a_download_is_paused_goes_on_and_another_is_cancelled(desk: Join) -> None:
    ada, bob = desk("ada"), desk("bob", bandwidth_limit=PACE)
    ada.write(BIG, BODY)
    ada.write("files/other", BODY[::-1])
    ada.push()
    store = bob.connect()
    engine = open_engine(bob.settings, store=store, proved=bob.proved)
    with moving(engine, "pull") as pull:
        pull.until(lambda: pull.row(BIG).done > PART and pull.row("files/other").done > PART)
        engine.transfers.pause(pull.ids(BIG))
        pull.until_state(BIG, "paused")
        engine.transfers.cancel(pull.ids("files/other"))
        pull.until_state("files/other", "cancelled")
        pull.until(lambda: len(bob.staged()) == 1)
        there = pull.row(BIG).done
        engine.transfers.throttle(0)
        engine.transfers.resume(pull.ids(BIG))
        result = pull.end()
        assert (result.pulled, result.cancelled) == (1, ["files/other"])
        assert [change.path for change in engine.snapshot().behind] == ["files/other"]
    assert bob.read(BIG) == BODY
    assert bob.staged() == []
    assert there > PART
    bob.pull()
    assert bob.read("files/other") == BODY[::-1]


class Crowd:
    """Holds the uploads of small files until they are let go; counts them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._free = False
        self.here = 0
        self.order: list[str] = []

    def __call__(self, asked: Asked) -> Fault | None:
        return self._hold if purpose(asked) == "data PUT" else None

    def _hold(self, exchange: Exchange) -> None:
        with self._changed:
            self.here += 1
            self.order.append(exchange.asked.key)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._free, PATIENCE_S)
        exchange.send(exchange.forward())

    def wait_for(self, count: int) -> None:
        with self._changed:
            met = self._changed.wait_for(lambda: self.here >= count, PATIENCE_S)
            assert met, (self.here, count)

    def release(self) -> None:
        with self._changed:
            self._free = True
            self._changed.notify_all()


def test_eight_go_where_one_went_and_the_first_are_those_that_were_raised(
    desk: Join, proxy: Proxy
) -> None:
    ada, crowd = desk("ada", push_concurrency=1), Crowd()
    names = [f"files/{n:02}" for n in range(20)]
    for name in names:
        ada.write(name, name)
    with proxy.choosing(crowd), moving(ada.engine()) as push:
        try:
            crowd.wait_for(1)
            push.engine.transfers.raise_priority(push.ids("files/19", "files/18"))
            assert crowd.here == 1
            push.engine.transfers.allow(up=8)
            crowd.wait_for(8)
            push.until(lambda: push.engine.snapshot().progress.counts.active == 8)
            assert crowd.here == 8
            assert {"files/19", "files/18"} < set(crowd.order)
        finally:
            crowd.release()
        assert push.end().pushed == 20
    all_have(ada.connect, {name: name for name in names}, ada)


def test_retry_of_one_that_failed_asks_for_no_other(desk: Join, proxy: Proxy) -> None:
    ada = desk("ada")
    for name in ("a", "b", "c"):
        ada.write(f"files/{name}", name)

    def slow(asked: Asked) -> Fault | None:
        bad = purpose(asked) == "data PUT" and asked.key in ("files/a", "files/b")
        return (lambda exchange: exchange.send(refusal(503, "SlowDown"))) if bad else None

    engine = ada.impatient()
    with proxy.choosing(slow):
        assert sorted(f.path for f in engine.push().failed) == ["files/a", "files/b"]
    rows = {r.path: r for r in engine.snapshot().progress.transfers}
    assert "SlowDown" in rows["files/a"].error
    with proxy.choosing(lambda _: None):
        assert engine.transfers.retry([rows["files/a"].id]).pushed == 1
        sent = [line for line in proxy.log if "[data PUT]" in line]
    assert sent == ["PUT files/a [data PUT]"]
    states = {r.path: r.state for r in engine.snapshot().progress.transfers}
    assert states == {"files/a": "done", "files/b": "failed"}
    engine.stop()


def test_a_storm_of_503_on_its_parts_is_told_by_the_row_and_ended_by_a_pause(
    desk: Join, proxy: Proxy
) -> None:
    ada, storm = desk("ada"), threading.Event()
    ada.write(BIG, BODY)
    storm.set()

    def slow(asked: Asked) -> Fault | None:
        bad = storm.is_set() and purpose(asked) == "part PUT"
        return (lambda exchange: exchange.send(refusal(503, "SlowDown"))) if bad else None

    patience = Patience(retries=1000)
    engine = open_engine(
        ada.settings, store=ada.connect(patience), patience=patience, proved=ada.proved
    )
    with proxy.choosing(slow), moving(engine) as push:
        push.until(
            lambda: push.row(BIG).waits_for == "503 SlowDown ×3"
        )  # the fourth is seconds off
        assert push.row(BIG).retry_at > 0
        assert push.engine.snapshot().state == "backing off"
        push.engine.transfers.pause(push.ids(BIG))
        push.until_state(BIG, "paused")
        storm.clear()
        push.engine.transfers.resume()
        assert push.end().pushed == 1
    all_have(ada.connect, {BIG: BODY}, ada)


def test_the_bandwidth_is_held_and_let_go_in_the_middle(desk: Join) -> None:
    ada = desk("ada", bandwidth_limit=1 << 10)  # ten hours for what is sent here
    ada.write(BIG, BODY)
    with moving(ada.engine()) as push:
        push.until(lambda: push.row(BIG).done > 0)
        assert push.engine.snapshot().progress.limits.bandwidth == 1 << 10
        push.engine.transfers.throttle(0)
        assert push.end().pushed == 1
    all_have(ada.connect, {BIG: BODY}, ada)
