"""The single proofs. Each returns what it saw, or raises `Broken` with what did not hold."""

import base64
import hashlib
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, Protocol, TypeVar, runtime_checkable

from s3dash.errors import (
    Integrity,
    NotFound,
    NotImplementedByEndpoint,
    PreconditionFailed,
    StoreError,
)
from s3dash.objectstore.port import ObjectStore

T = TypeVar("T")
R = TypeVar("R")
Outcome = Literal["accepted", "refused", "unsupported", "failed"]
NO_SUCH_ETAG = "00000000000000000000000000000000"
SKEW = timedelta(minutes=5)
SAME_CLOCK = timedelta(seconds=5)
MOVES_S, STEP_S = 4.0, 0.3
CREATE_WAYS, CREATE_ROUNDS = 16, 20
RACES_AT_ONCE = 4
COUNTER_WAYS, COUNTER_TRIES = 8, 5


class Broken(Exception):
    """The endpoint answered, and what it did is not what the proof asks for."""


@runtime_checkable
class Checksummed(Protocol):
    """A store that can send a checksum with a PUT. `value` is base64."""

    def put_checked(
        self, key: str, body: bytes, *, algorithm: Literal["SHA256", "CRC32"], value: str
    ) -> None: ...


class Probe:
    """The store under test, and the keys that were made in it."""

    def __init__(self, store: ObjectStore, root: str) -> None:
        self.store = store
        self.root = root
        self._keys: set[str] = set()

    def key(self, name: str) -> str:
        """A key below the root; it is deleted in the end."""
        key = self.root + name
        self._keys.add(key)
        return key

    def clean_up(self) -> None:
        """Deletes every key that was made, and once more what is listed all the same."""
        keys, self._keys = sorted(self._keys), set()
        try:
            self.store.delete_many(keys)
        except StoreError:  # an endpoint without bulk deletion
            for key in keys:
                self.store.delete(key)
        for info in list(self.store.list(self.root)):
            self.store.delete(info.key)


def create(probe: Probe) -> str:
    """Probe 1: If-None-Match:* makes a new object, and never touches one that is there."""
    key, store = probe.key("create"), probe.store
    first = _outcome(lambda: store.put(key, b"first", if_none_match=True))
    _need(first == "accepted", f"If-None-Match:* on an absent key is {first}")
    again = _outcome(lambda: store.put(key, b"second", if_none_match=True))
    _need(again == "refused", f"If-None-Match:* on an existing key is {again}: it must be refused")
    _need(_body(store, key) == b"first", "a refused creation changed the object")
    return "made when absent, refused when there, body unchanged"


def replace(probe: Probe) -> str:
    """Probe 2: If-Match replaces that version and no other. Finds the dialect of ETags."""
    key, store = probe.key("replace"), probe.store
    etag = store.put(key, b"0").etag
    if _outcome(lambda: store.put(key, b"1", if_match=etag)) != "accepted":
        store.etag_quotes = not store.etag_quotes
        other = _outcome(lambda: store.put(key, b"1", if_match=etag))
        if other != "accepted":
            store.etag_quotes = not store.etag_quotes
            raise Broken(f"If-Match with the current ETag is {other}, quoted and unquoted")
    wrong = _outcome(lambda: store.put(key, b"2", if_match=etag))
    _need(wrong == "refused", f"If-Match with an old ETag is {wrong}: it must be refused")
    absent = _outcome(lambda: store.put(probe.key("absent"), b"3", if_match=NO_SUCH_ETAG))
    _need(absent == "refused", f"If-Match on an absent key is {absent}: it must be refused")
    _need(_body(store, key) == b"1", "a refused replacement changed the object")
    dialect = "quoted" if store.etag_quotes else "unquoted"
    return f"current ETag replaces, old and absent are refused, ETags go {dialect}"


def create_race(probe: Probe, *, ways: int = CREATE_WAYS, rounds: int = CREATE_ROUNDS) -> str:
    """Probe 3: of many that create the same key at once, one wins, and its bytes stay.

    Some races run side by side, for the sake of endpoints that let racers wait for seconds.
    """
    keys = [probe.key(f"race-{number}") for number in range(rounds)]
    for first in range(0, rounds, RACES_AT_ONCE):
        _races(probe.store, keys[first : first + RACES_AT_ONCE], ways)
    return f"{rounds} races of {ways}: one winner each"


def _races(store: ObjectStore, keys: Sequence[str], ways: int) -> None:
    def attempt(racer: tuple[str, bytes]) -> Outcome:
        key, own = racer
        return _attempt(partial(store.put, key, own, if_none_match=True))

    racers = [(key, f"racer {i}".encode()) for i in range(ways) for key in keys]
    results = list(zip(racers, _together(attempt, racers), strict=True))
    for key in keys:
        winners = [own for (k, own), outcome in results if k == key and outcome == "accepted"]
        failed = sum(k == key and outcome == "failed" for (k, _), outcome in results)
        _need(len(winners) < 2, f"of {ways} that created one key at once, {len(winners)} won")
        if not failed:
            _need(len(winners) == 1, f"of {ways} that created one key at once, none won")
        if winners:
            _need(_body(store, key) == winners[0], "the object is not the winner's")
        else:
            _need(not failed, f"{failed} of {ways} requests failed: no winner can be named")


def counter_race(probe: Probe, *, ways: int = COUNTER_WAYS, tries: int = COUNTER_TRIES) -> str:
    """Probe 3: a counter that many raise by compare-and-swap counts every acknowledgement."""
    key, store = probe.key("counter"), probe.store
    store.put(key, b"0 -")

    def attempt(writer: int) -> list[Outcome]:
        outcomes = []
        for _ in range(tries):
            found = store.get(key)
            count, etag = (found.body, found.info.etag) if found is not None else (b"0", "")
            body = f"{int(count.split()[0]) + 1} {writer}".encode()
            outcomes.append(_attempt(partial(store.put, key, body, if_match=etag)))
        return outcomes

    outcomes = [one for writer in _together(attempt, range(ways)) for one in writer]
    acknowledged, failed = outcomes.count("accepted"), outcomes.count("failed")
    counted = int(_body(store, key).split()[0])
    _need(acknowledged > 0, "no write was acknowledged")
    _need(
        acknowledged <= counted <= acknowledged + failed,  # a failed one may have been applied
        f"{acknowledged} writes acknowledged, {counted} counted",
    )
    return f"{ways} writers: {acknowledged} acknowledged, {counted} counted"


def read_after_write(probe: Probe) -> str:
    """Probe 4: what was written is read and listed at once, what was deleted is gone."""
    key, store = probe.key("fresh"), probe.store
    for body in (b"one", b"two, longer"):
        etag = store.put(key, body).etag
        _need(_body(store, key) == body, "a read after a write gives other bytes")
        listed = {i.key: i for i in store.list(key)}
        _need(key in listed, "a listing after a write lacks the key")
        _need(listed[key].size == len(body), "a listing after a write has an old size")
        _need(listed[key].etag == etag, "a listing after a write has another ETag")
    store.delete(key)
    _need(not _exists(store, key), "a deleted object can still be read")
    _need(not any(i.key == key for i in store.list(key)), "a deleted object is still listed")
    return "reads and listings follow writes and deletes at once"


def stale_delete(probe: Probe) -> str:
    """Probe 6: DELETE If-Match deletes that version and no other."""
    key, store = probe.key("delete"), probe.store
    old = store.put(key, b"old").etag
    new = store.put(key, b"new").etag
    stale = _outcome(lambda: store.delete(key, if_match=old))
    _need(_exists(store, key), f"DELETE If-Match with an old ETag is {stale}, and it deleted")
    _need(stale == "refused", f"DELETE If-Match with an old ETag is {stale}, without deleting")
    right = _outcome(lambda: store.delete(key, if_match=new))
    _need(right == "accepted", f"DELETE If-Match with the current ETag is {right}")
    _need(not _exists(store, key), "DELETE If-Match with the current ETag did not delete")
    return "old ETag refused, current ETag deletes"


def dated(probe: Probe) -> str:
    """Probe 7: answers are dated, and LastModified is the same clock."""
    key, store = probe.key("clock"), probe.store
    sent = store.put(key, b"when?").server_time
    modified = store.head(key).last_modified
    if sent is None or modified is None:
        missing = "no Date in answers" if sent is None else "no LastModified on objects"
        raise Broken(f"there is {missing}")
    apart = abs(sent - modified)
    _need(apart < SAME_CLOCK, f"Date and LastModified are {_s(apart)} apart")
    skew = abs(sent - datetime.now(UTC))
    return f"dated, {_s(skew)} from this machine's clock"


def server_clock(probe: Probe) -> str:
    """Probe 7, all of it: the clocks agree well enough to sign, and LastModified moves."""
    seen, store, key = dated(probe), probe.store, probe.key("clock")
    found = store.head(key)
    sent, modified = found.server_time, found.last_modified
    if sent is None or modified is None:
        raise Broken("a HEAD carries no times")
    skew = abs(sent - datetime.now(UTC))
    _need(skew < SKEW, f"the clocks are {_s(skew)} apart: such requests can be refused")
    _need(_moves(store, key, modified), "LastModified stays when an object is written again")
    return f"{seen}, LastModified moves"


def checksums(probe: Probe) -> str:
    """Probe 8: a right CRC32 is accepted and a wrong SHA-256 is refused."""
    store = probe.store
    if not isinstance(store, Checksummed):
        return "not asked: this store sends no checksums"
    body = b"checked"
    right = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    store.put_checked(probe.key("crc32"), body, algorithm="CRC32", value=right)
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    try:
        store.put_checked(probe.key("sha256"), body, algorithm="SHA256", value=wrong)
    except Integrity:
        return "right CRC32 accepted, wrong SHA-256 refused"
    raise Broken("a wrong SHA-256 is accepted: only reading back proves an upload")


def bulk_delete(probe: Probe) -> str:
    """Probe 9: several keys in one request, one of them missing; a listing proves it."""
    store = probe.store
    keys = [probe.key(f"bulk/{i}") for i in range(3)]
    for key in keys:
        store.put(key, b"x")
    store.delete_many([*keys, probe.key("bulk/missing")])
    left = [i.key for i in store.list(probe.root + "bulk/")]
    _need(not left, f"{len(left)} of {len(keys)} objects are still listed")
    return f"{len(keys)} deleted in one request, a missing one is fine"


def listing(probe: Probe) -> str:
    """Probes 11 and 16: a listing is a listing: whole, without repeats, and can be resumed."""
    store, root = probe.store, probe.root + "list/"
    keys = [probe.key(f"list/{name}") for name in ("a-b", "a/b", "a0", "b", "c d+e")]
    for key in keys:
        store.put(key, b"x")
    listed = [i.key for i in store.list(root)]
    _need(len(listed) == len(set(listed)), "a key is listed twice")
    _need(sorted(listed) == sorted(keys), f"{len(listed)} of {len(keys)} keys are listed")
    rest = [i.key for i in store.list(root, start_after=listed[1])]
    _need(rest == listed[2:], "a listing that goes on after a key does not give the rest")
    order = "key" if listed == sorted(keys) else "path segment, not by key"
    return f"complete, no repeats, sorted by {order}"


def ranges(probe: Probe) -> str:
    """Probe 12: a range gives those bytes, of the version that was asked for."""
    key, store = probe.key("range"), probe.store
    etag = store.put(key, b"0123456789").etag
    part = store.get_range(key, start=2, length=3, if_match=etag)
    _need(part == b"234", f"bytes 2 to 4 of 0123456789 are {part!r}")
    stale = _outcome(lambda: store.get_range(key, start=2, length=3, if_match=NO_SUCH_ETAG))
    _need(stale == "refused", f"GET If-Match with an old ETag is {stale}: it must be refused")
    return "ranges and If-Match are honoured"


def _need(held: bool, broken: str) -> None:
    if not held:
        raise Broken(broken)


def _outcome(call: Callable[[], object]) -> Outcome:
    try:
        call()
    except PreconditionFailed:
        return "refused"
    except NotImplementedByEndpoint:
        return "unsupported"
    return "accepted"


def _attempt(call: Callable[[], object]) -> Outcome:
    """In a race: a fault of the endpoint is neither a win nor a loss."""
    try:
        return _outcome(call)
    except StoreError as error:
        if error.retryable:
            return "failed"
        raise


def _body(store: ObjectStore, key: str) -> bytes:
    found = store.get(key)
    return found.body if found is not None else b""


def _exists(store: ObjectStore, key: str) -> bool:
    try:
        store.head(key)
    except NotFound:
        return False
    return True


def _together(call: Callable[[T], R], each: Sequence[T]) -> list[R]:
    """All at the same moment, in threads; the first failure is raised."""
    barrier = threading.Barrier(len(each))

    def one(item: T) -> R:
        barrier.wait()
        return call(item)

    with ThreadPoolExecutor(len(each), thread_name_prefix="s3dash-probe") as pool:
        return list(pool.map(one, each))


def _moves(store: ObjectStore, key: str, before: datetime) -> bool:
    """Whether writing again, a little later, is seen in LastModified."""
    end = time.monotonic() + MOVES_S
    while time.monotonic() < end:
        time.sleep(STEP_S)
        store.put(key, b"again")
        now = store.head(key).last_modified
        if now is not None and now > before:
            return True
    return False


def _s(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s"
