"""The lock: who gets it, who loses it, and that a loser never writes."""

import json
import sys
import time
from collections.abc import Callable

import pytest

from s3dash.clock import SystemClock
from s3dash.core.cancel import CancelToken
from s3dash.core.lock import LockBody, decode_lock, encode_lock
from s3dash.engine.cas import Cas
from s3dash.engine.lease import Identity, Lease, Timing, delete_if_nonce
from s3dash.errors import Cancelled, LockHeld, LockLost, NotFound, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import Capabilities, ObjectStore
from tests.engine.clocks import TestClock

KEY = ".datastore.lock"
ALL = Capabilities(create=True, replace=True, delete=True, races=True, dated=True)
ME = Identity("ada@vm", "vm", 7, "s3dash/test")


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def bucket(clock: TestClock) -> MemoryBucket:
    return MemoryBucket(clock=clock)


def lease(
    store: ObjectStore,
    clock: TestClock,
    *,
    nonce: str = "mine",
    can: Capabilities = ALL,
    wait_s: float = 60.0,
    cancel: CancelToken | None = None,
) -> Lease:
    return Lease(
        store,
        KEY,
        nonce=nonce,
        identity=ME,
        capabilities=can,
        clock=clock,
        cancel=cancel or CancelToken(),
        timing=Timing(wait_s=wait_s),
    )


def theirs(nonce: str = "theirs", ttl_ms: int = 30000) -> bytes:
    return encode_lock(LockBody(holder="bob@pc", hostname="pc", pid=9, ttlMs=ttl_ms, nonce=nonce))


def holder(store: ObjectStore) -> str:
    fetched = store.get(KEY)
    assert fetched is not None
    return str(json.loads(fetched.body)["nonce"])


def missing(store: ObjectStore) -> bool:
    try:
        store.head(KEY)
    except NotFound:
        return True
    return False


def test_the_body_has_the_peers_six_fields_and_ours(bucket: MemoryBucket, clock: TestClock) -> None:
    store = MemoryStore(bucket)
    with lease(store, clock):
        fetched = store.get(KEY)
        assert fetched is not None
        body = json.loads(fetched.body)
        assert {k: body[k] for k in ("holder", "hostname", "pid", "ttlMs", "nonce")} == {
            "holder": "ada@vm",
            "hostname": "vm",
            "pid": 7,
            "ttlMs": 45000,
            "nonce": "mine",
        }
        assert body["acquiredAt"] == "2026-11-21T12:00:00.000Z"
        assert fetched.body.startswith(b'{\n  "holder"')
    assert missing(store)


def test_a_live_holder_is_waited_for_and_never_robbed(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    store = MemoryStore(bucket)
    store.put(KEY, theirs(ttl_ms=300_000))
    with pytest.raises(LockHeld, match="bob@pc"), lease(store, clock, wait_s=30):
        pass
    assert holder(store) == "theirs"


def test_a_stale_lock_is_taken_over_after_it_was_watched(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    store = MemoryStore(bucket)
    store.put(KEY, theirs(ttl_ms=30_000))
    clock.advance(3600)
    began = clock.monotonic()
    with lease(store, clock) as held:
        assert holder(store) == "mine"
        assert clock.monotonic() - began >= 30 / 3 + 2
        held.guard()


def test_a_lock_whose_etag_moves_is_alive_whatever_its_age(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    beats = 0

    def beat(op: str, key: str) -> None:
        nonlocal beats
        if op == "get" and key == KEY:
            beats += 1
            peer.put(KEY, theirs(nonce=f"theirs-{beats}"))

    peer = MemoryStore(bucket)
    peer.put(KEY, theirs())
    with pytest.raises(LockHeld), lease(MemoryStore(bucket, before=beat), clock, wait_s=100):
        pass
    assert holder(peer).startswith("theirs")


def test_without_if_match_nothing_is_ever_stolen(bucket: MemoryBucket, clock: TestClock) -> None:
    store = MemoryStore(bucket)
    store.put(KEY, theirs())
    clock.advance(3600)
    can = Capabilities(create=True)
    with pytest.raises(LockHeld), lease(store, clock, can=can, wait_s=100):
        pass
    assert holder(store) == "theirs"


def test_a_create_whose_reply_was_lost_is_recognised(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    lost = iter([True])

    def lose(op: str, key: str) -> None:
        if op == "put" and next(lost, False):
            raise Unreachable("the reply was lost")

    with lease(MemoryStore(bucket, after=lose), clock) as held:
        held.guard()
        assert holder(MemoryStore(bucket)) == "mine"
    assert missing(MemoryStore(bucket))


def test_each_beat_changes_the_etag(bucket: MemoryBucket, clock: TestClock) -> None:
    store = MemoryStore(bucket)
    with lease(store, clock) as held:
        first = store.head(KEY).etag
        assert held.beat()
        assert store.head(KEY).etag != first


def test_a_lease_that_was_taken_over_writes_no_more_and_leaves_the_new_lock(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    store = MemoryStore(bucket)
    with lease(store, clock) as held:
        store.put(KEY, theirs())
        assert not held.beat()
        with pytest.raises(LockLost, match="bob@pc"):
            held.guard()
    assert holder(store) == "theirs"


def test_a_lease_without_a_beat_runs_out_before_others_may_take_it(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    with lease(MemoryStore(bucket), clock) as held:
        held.guard()
        clock.advance(45 * 0.75 - 10 + 0.1)
        with pytest.raises(LockLost):
            held.guard()
        assert held.beat()
        held.guard()


def test_a_machine_that_slept_notices(bucket: MemoryBucket, clock: TestClock) -> None:
    with lease(MemoryStore(bucket), clock) as held:
        clock.suspend(3600)
        with pytest.raises(LockLost):
            held.guard()


def test_a_beat_whose_reply_was_lost_does_not_lose_the_lock(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    lost = iter([False, True])

    def lose(op: str, key: str) -> None:
        if op == "put" and next(lost, False):
            raise Unreachable("the reply was lost")

    store = MemoryStore(bucket, after=lose)
    with lease(store, clock) as held:
        assert not held.beat()
        held.guard()
        assert held.beat()
    assert missing(MemoryStore(bucket))


def test_a_takeover_that_cannot_be_looked_at_leaves_no_lock_behind(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    gone = iter([True])
    taken: list[str] = []

    def before(op: str, key: str) -> None:
        if op == "get" and taken and next(gone, False):
            raise Unreachable("nobody answers")

    def after(op: str, key: str) -> None:
        if op == "put" and holder(MemoryStore(bucket)) == "mine":
            taken.append(key)

    MemoryStore(bucket).put(KEY, theirs())
    clock.advance(3600)
    with (
        pytest.raises(Unreachable),
        lease(MemoryStore(bucket, before=before, after=after), clock),
    ):
        pass
    assert taken
    assert missing(MemoryStore(bucket))


def test_waiting_can_be_cancelled(bucket: MemoryBucket, clock: TestClock) -> None:
    store, cancel = MemoryStore(bucket), CancelToken()
    store.put(KEY, theirs(ttl_ms=300_000))
    cancel.cancel()
    with pytest.raises(Cancelled), lease(store, clock, cancel=cancel):
        pass


@pytest.mark.parametrize("reply_lost", [False, True])
def test_release_survives_a_lost_reply(
    bucket: MemoryBucket, clock: TestClock, reply_lost: bool
) -> None:
    def lose(op: str, key: str) -> None:
        if op == "delete" and reply_lost:
            raise Unreachable("the reply was lost")

    with lease(MemoryStore(bucket, after=lose), clock):
        pass
    assert missing(MemoryStore(bucket))


def test_force_release_takes_the_nonce_that_was_shown(bucket: MemoryBucket) -> None:
    store = MemoryStore(bucket)
    store.put(KEY, theirs())
    with pytest.raises(LockHeld, match="re-acquired by bob@pc"):
        delete_if_nonce(store, KEY, "shown before", ALL)
    assert holder(store) == "theirs"
    delete_if_nonce(store, KEY, "theirs", ALL)
    assert missing(store)


def test_of_many_machines_one_has_the_lock_at_a_time(
    store: Callable[[], ObjectStore],
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    inside: list[str] = []
    seen: list[int] = []

    def hold(name: str) -> None:
        with Lease(
            store(), KEY, nonce=name, identity=ME, capabilities=ALL, clock=SystemClock(),
            cancel=CancelToken(), timing=Timing(wait_s=60),
        ):  # fmt: skip
            inside.append(name)
            seen.append(len(inside))
            inside.remove(name)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(hold, [f"machine-{n}" for n in range(6)]))
    assert seen == [1] * 6


@pytest.mark.parametrize(
    "ttl",
    ["", '"ttlMs": 0,', '"ttlMs": -30000,', '"ttlMs": 1e300,', '"ttlMs": 9007199254740993,',
     '"ttlMs": "30000",', '"ttlMs": null,', '"ttlMs": true,', '"ttlMs": NaN,'],
)  # fmt: skip
def test_a_lock_without_a_time_to_live_that_makes_sense_is_never_stolen(
    bucket: MemoryBucket, clock: TestClock, ttl: str
) -> None:
    store = MemoryStore(bucket)
    raw = f'{{{ttl} "holder": "bob@pc", "nonce": "theirs"}}'.encode()
    store.put(KEY, raw)
    clock.advance(7 * 86_400)
    with pytest.raises(LockHeld), lease(store, clock, wait_s=100):
        pass
    found = store.get(KEY)
    assert found is not None
    assert found.body == raw
    delete_if_nonce(store, KEY, decode_lock(raw).nonce, ALL)
    assert missing(store)


@pytest.mark.parametrize("acquired_at", ["2031-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "?"])
def test_48_a_peers_own_clock_makes_its_lock_neither_older_nor_younger(
    bucket: MemoryBucket, clock: TestClock, acquired_at: str
) -> None:
    store = MemoryStore(bucket)
    body = LockBody(holder="bob@pc", nonce="theirs", acquiredAt=acquired_at, ttlMs=300_000)
    store.put(KEY, encode_lock(body))
    clock.advance(299)
    with pytest.raises(LockHeld), lease(store, clock, wait_s=1):
        pass
    assert holder(store) == "theirs"
    with lease(store, clock, wait_s=200):
        assert holder(store) == "mine"


def test_a_lease_that_ran_out_is_not_beaten_again(bucket: MemoryBucket, clock: TestClock) -> None:
    """The process was stopped: somebody may already be looking at a lock that does not move."""
    puts: list[str] = []

    def note(op: str, key: str) -> None:
        if op == "put":
            puts.append(key)

    with lease(MemoryStore(bucket, before=note), clock) as held:
        clock.suspend(45 * 0.75)
        assert not held.beat()
        with pytest.raises(LockLost, match="no heartbeat"):
            held.guard()
        assert puts == [KEY]


def test_a_beat_that_was_stopped_between_look_and_write_writes_nothing(
    bucket: MemoryBucket, clock: TestClock
) -> None:

    def stop(op: str, key: str) -> None:
        if op == "get":
            clock.advance(60)

    store = MemoryStore(bucket, after=stop)
    with lease(store, clock) as held:
        before = store.head(KEY).etag
        assert not held.beat()
        assert store.head(KEY).etag == before
        with pytest.raises(LockLost):
            held.guard()


def test_a_takeover_whose_reply_was_lost_waits_and_looks_again_too(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    """A plain peer that saw the stale lock as well deletes ours and takes it: it has won."""
    waited: list[float] = []

    def lose(op: str, key: str) -> None:
        if op == "put" and holder(peer) == "mine" and not waited:
            waited.append(clock.monotonic())
            raise Unreachable("the reply was lost")

    def steal(op: str, key: str) -> None:
        if op == "get" and waited and clock.monotonic() >= waited[0] + 2 and len(waited) == 1:
            waited.append(clock.monotonic())
            peer.delete(KEY)
            peer.put(KEY, theirs("the peer's", ttl_ms=300_000))

    peer = MemoryStore(bucket)
    peer.put(KEY, theirs())
    clock.advance(3600)
    with (
        pytest.raises(LockHeld, match="bob@pc"),
        lease(MemoryStore(bucket, before=steal, after=lose), clock, wait_s=60),
    ):
        pass
    assert len(waited) == 2
    assert holder(peer) == "the peer's"


def test_a_cancel_during_the_settle_time_takes_no_lock(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    cancel = CancelToken()

    def stop(op: str, key: str) -> None:
        if op == "put" and holder(store) == "mine":
            cancel.cancel()

    store = MemoryStore(bucket)
    store.put(KEY, theirs())
    clock.advance(3600)
    with (
        pytest.raises(Cancelled),
        lease(MemoryStore(bucket, after=stop), clock, cancel=cancel),
    ):
        pass
    assert missing(store)


def test_a_write_that_is_tried_again_asks_the_lease_again(
    bucket: MemoryBucket, clock: TestClock
) -> None:
    """I7: the first attempt got no answer, and then the lease ran out."""
    tried: list[str] = []

    def fail(op: str, key: str) -> None:
        if (op, key) == ("put", "shard"):
            tried.append(key)
            clock.advance(60)
            raise Unreachable("no answer")

    store = MemoryStore(bucket, before=fail)
    with lease(store, clock) as held:
        cas = Cas(store, Patience(clock), held.guard)
        with pytest.raises(LockLost):
            cas.put("shard", b"{}", version=None)
    assert tried == ["shard"]


def test_the_time_that_a_machine_slept_counts() -> None:
    if sys.platform == "linux":
        before = time.clock_gettime(time.CLOCK_BOOTTIME)
        assert before <= SystemClock().monotonic() <= time.clock_gettime(time.CLOCK_BOOTTIME)
    assert SystemClock().monotonic() <= SystemClock().monotonic()
