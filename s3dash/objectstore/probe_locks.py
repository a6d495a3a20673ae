"""Proofs 1 to 3, 5 and 6: what locks, the index and uploads rest on."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import Any

from s3dash.objectstore.examination import Examination
from s3dash.objectstore.port import ObjectStore
from s3dash.objectstore.probe_base import (
    NO_ENDPOINT,
    Broken,
    Outcome,
    Probe,
    Unsure,
    attempt,
    body_of,
    exists,
    need,
    outcome,
    together,
)
from s3dash.objectstore.threads import Threads

NO_SUCH_ETAG = "00000000000000000000000000000000"
CREATE_WAYS, CREATE_ROUNDS = 16, 20
COUNTER_WAYS, COUNTER_TRIES = 8, 5


def create(probe: Probe) -> str:
    """Probe 1: If-None-Match:* makes a new object, and never touches one that is there."""
    key, store = probe.key("create"), probe.store
    first = outcome(lambda: store.put(key, b"first", if_none_match=True))
    need(first == "accepted", f"If-None-Match:* on an absent key is {first}")
    again = outcome(lambda: store.put(key, b"second", if_none_match=True))
    need(again == "refused", f"If-None-Match:* on an existing key is {again}: it must be refused")
    need(body_of(store, key) == b"first", "a refused creation changed the object")
    return "made when absent, refused when there, body unchanged"


def replace(probe: Probe) -> str:
    """Probe 2: If-Match replaces that version and no other. Finds the dialect of ETags."""
    key, store = probe.key("replace"), probe.store
    etag = probe.write(key, b"0")
    if outcome(lambda: store.put(key, b"1", if_match=etag)) != "accepted":
        store.etag_quotes = not store.etag_quotes
        other = outcome(lambda: store.put(key, b"1", if_match=etag))
        if other != "accepted":
            store.etag_quotes = not store.etag_quotes
            raise Broken(f"If-Match with the current ETag is {other}, quoted and unquoted")
    wrong = outcome(lambda: store.put(key, b"2", if_match=etag))
    need(wrong == "refused", f"If-Match with an old ETag is {wrong}: it must be refused")
    absent = outcome(lambda: store.put(probe.key("absent"), b"3", if_match=NO_SUCH_ETAG))
    need(absent == "refused", f"If-Match on an absent key is {absent}: it must be refused")
    need(body_of(store, key) == b"1", "a refused replacement changed the object")
    dialect = "quoted" if store.etag_quotes else "unquoted"
    return f"current ETag replaces, old and absent are refused, ETags go {dialect}"


def create_race(probe: Probe, *, ways: int = CREATE_WAYS, rounds: int = CREATE_ROUNDS) -> str:
    """Probe 3: of many that create the same key at once, one wins, and its bytes stay.

    A race starts when the one before it has its first answer: some endpoints let those who lose
    wait for seconds, and the next race need not wait with them.
    """
    races: list[tuple[str, list[Future[Outcome]]]] = []
    with Threads(ways * rounds, thread_name_prefix="s3dash-race") as pool:
        for number in range(rounds):
            key = probe.key(f"race-{number}")
            racers = _start(pool, probe.store, key, ways)
            races.append((key, racers))
            wait(racers, return_when=FIRST_COMPLETED)
    for key, racers in races:
        _judge(probe.store, key, [racer.result() for racer in racers])
    return f"{rounds} races of {ways}: one winner each"


def _start(pool: Threads, store: ObjectStore, key: str, ways: int) -> list[Future[Outcome]]:
    barrier = threading.Barrier(ways)

    def race(racer: int) -> Outcome:
        barrier.wait()
        return attempt(partial(store.put, key, _own(racer), if_none_match=True))

    return [pool.submit(race, racer) for racer in range(ways)]


def _own(racer: int) -> bytes:
    return f"racer {racer}".encode()


def _judge(store: ObjectStore, key: str, outcomes: list[Outcome]) -> None:
    ways, failed = len(outcomes), outcomes.count("failed")
    winners = [racer for racer, one in enumerate(outcomes) if one == "accepted"]
    need(len(winners) < 2, f"of {ways} that created one key at once, {len(winners)} won")
    if winners:
        need(body_of(store, key) == _own(winners[0]), "the object is not the winner's")
    else:
        if failed:
            raise Unsure(f"{failed} of {ways} requests failed: no winner can be named")
        raise Broken(f"of {ways} that created one key at once, none won")


def counter_race(probe: Probe, *, ways: int = COUNTER_WAYS, tries: int = COUNTER_TRIES) -> str:
    """Probe 3: a counter that many raise by compare-and-swap counts every acknowledgement."""
    key, store = probe.key("counter"), probe.store
    probe.write(key, b"0 -")

    def raise_it(writer: int) -> list[Outcome]:
        outcomes = []
        for _ in range(tries):
            found = store.get(key)
            count, etag = (found.body, found.info.etag) if found is not None else (b"0", "")
            body = f"{int(count.split()[0]) + 1} {writer}".encode()
            outcomes.append(attempt(partial(store.put, key, body, if_match=etag)))
        return outcomes

    outcomes = [one for writer in together(raise_it, range(ways)) for one in writer]
    acknowledged, failed = outcomes.count("accepted"), outcomes.count("failed")
    counted = int(body_of(store, key).split()[0])
    need(acknowledged > 0, "no write was acknowledged")
    need(
        acknowledged <= counted <= acknowledged + failed,  # a failed one may have been applied
        f"{acknowledged} writes acknowledged, {counted} counted",
    )
    return f"{ways} writers: {acknowledged} acknowledged, {counted} counted"


def stale_delete(probe: Probe) -> str:
    """Probe 6: DELETE If-Match deletes that version and no other. Each on an object of its own,
    so that one need not wait for the other."""
    together(lambda proof: proof(probe), [_keeps_newer, _deletes_current])
    return "old ETag refused, current ETag deletes"


def _keeps_newer(probe: Probe) -> None:
    key, store = probe.key("delete"), probe.store
    old = probe.write(key, b"old")
    probe.write(key, b"new")
    stale = outcome(lambda: store.delete(key, if_match=old))
    need(exists(store, key), f"DELETE If-Match with an old ETag is {stale}, and it deleted")
    need(stale == "refused", f"DELETE If-Match with an old ETag is {stale}, without deleting")


def _deletes_current(probe: Probe) -> None:
    key, store = probe.key("delete-current"), probe.store
    etag = probe.write(key, b"x")
    right = outcome(lambda: store.delete(key, if_match=etag))
    need(right == "accepted", f"DELETE If-Match with the current ETag is {right}")
    need(not exists(store, key), "DELETE If-Match with the current ETag did not delete")


def multipart(probe: Probe) -> str:
    """Probe 5: the completion of a multipart upload obeys If-None-Match and If-Match."""
    parts = probe.examination
    if parts is None:
        return NO_ENDPOINT
    key = probe.key("parts")
    absent = _completed(parts, key, b"first", if_none_match=True)
    need(absent == "accepted", f"If-None-Match:* on an absent key is {absent}")
    etag = probe.store.head(key).etag
    there = _completed(parts, key, b"second", if_none_match=True)
    need(there == "refused", f"If-None-Match:* on an existing key is {there}: it must be refused")
    wrong = _completed(parts, key, b"third", if_match=NO_SUCH_ETAG)
    need(wrong == "refused", f"If-Match with another ETag is {wrong}: it must be refused")
    need(body_of(probe.store, key) == b"first", "a refused completion changed the object")
    right = _completed(parts, key, b"fourth", if_match=etag)
    need(right == "accepted", f"If-Match with the current ETag is {right}")
    need(body_of(probe.store, key) == b"fourth", "an accepted completion did not replace")
    return "on completion, If-None-Match and If-Match are honoured"


def small_multipart(probe: Probe) -> str:
    """What is asked before a first push: both refusals, no more.

    Each on an object of its own: some endpoints that ignore conditions and complete two uploads of
    one key at once list an object afterwards that nobody can delete.
    """
    parts = probe.examination
    if parts is None:
        return NO_ENDPOINT

    def over(key: str, **condition: Any) -> Outcome:
        probe.write(key, b"first")
        return _completed(parts, key, b"second", **condition)

    tries: list[Callable[[], Outcome]] = [
        partial(over, probe.key("parts"), if_none_match=True),
        partial(over, probe.key("parts-changed"), if_match=NO_SUCH_ETAG),
    ]
    there, wrong = together(lambda one: one(), tries)
    need(there == "refused", f"If-None-Match:* on an existing key is {there}")
    need(wrong == "refused", f"If-Match with another ETag is {wrong}")
    return "both conditions refuse"


def conditional_copy(probe: Probe) -> str:
    """A copy obeys If-None-Match on its target, and If-Match on its source."""
    new, copy = probe.key("copied"), probe.store.copy
    small_copy(probe)
    right = outcome(partial(copy, _copied(probe), new, if_none_match=True))
    need(right == "accepted", f"If-None-Match:* on an absent target is {right}")
    need(body_of(probe.store, new) == b"source", "an accepted copy has other bytes")
    return "on copies, If-None-Match on the target and If-Match on the source are honoured"


def small_copy(probe: Probe) -> str:
    """What is asked before a first rename: both refusals, no more."""
    store, source, there = probe.store, _copied(probe), probe.key("copy-there")
    etag = probe.write(source, b"source")
    probe.write(there, b"there")
    taken = outcome(partial(store.copy, source, there, if_match=etag, if_none_match=True))
    need(taken == "refused", f"If-None-Match:* on an existing target is {taken}")
    need(body_of(store, there) == b"there", "a refused copy changed its target")
    new = probe.key("copy-stale")
    stale = outcome(partial(store.copy, source, new, if_match=NO_SUCH_ETAG, if_none_match=True))
    need(stale == "refused", f"If-Match with another ETag of the source is {stale}")
    return "both conditions refuse"


def _copied(probe: Probe) -> str:
    return probe.key("copy-source")


def _completed(
    parts: Examination,
    key: str,
    body: bytes,
    *,
    if_match: str | None = None,
    if_none_match: bool = False,
) -> Outcome:
    return outcome(
        partial(parts.put_in_parts, key, body, if_match=if_match, if_none_match=if_none_match)
    )
