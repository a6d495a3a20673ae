"""A structural change waits for the writers of models, and never while it holds the global lock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from s3dash.clock import iso
from s3dash.core.cancel import CancelToken
from s3dash.core.events import StateChanged
from s3dash.core.lock import LockBody, encode_lock
from s3dash.engine.drain import TRIES, drained
from s3dash.engine.lease import Lease
from s3dash.errors import Cancelled, LockHeld
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities
from tests.engine.clocks import TestClock
from tests.engine.faults import machine
from tests.engine.world import contents

CAN = Capabilities(create=True, replace=True, delete=True, races=True, dated=True)
MODEL = "data/@acme/server/7b/.lock"
GLOBAL = ".datastore.lock"


class World:
    """A machine whose clock a test moves; `told` are the states it went through, `notes` its log,
    `asked` its requests."""

    def __init__(self, tmp_path: Path, **settings: Any) -> None:
        self.clock = TestClock()
        self.bucket = MemoryBucket(clock=self.clock)
        self.store = MemoryStore(self.bucket)
        self.home, self.settings = tmp_path / "eve", {"lock_timeout_ms": 60_000, **settings}
        self.told: list[str] = []
        self.notes: list[str] = []
        self.asked: list[tuple[str, str]] = []

    def lock(self, key: str = MODEL, *, holder: str = "ada@vm", ttl_ms: int = 15_000) -> None:
        at = iso(self.clock.now())
        held = LockBody(
            holder=holder, hostname="vm", pid=7, acquiredAt=at, ttlMs=ttl_ms, nonce=holder
        )
        self.store.put(key, encode_lock(held))

    @contextmanager
    def draining(
        self, act: Hook | None = None, *, cancel: CancelToken | None = None
    ) -> Iterator[Lease]:
        def before(op: str, key: str) -> None:
            self.asked.append((op, key))
            if act is not None:
                act(op, key)

        made = machine(self.home, self.bucket, before=before, **self.settings)
        made.clock = self.clock
        engine = made.engine()
        heard = engine.subscribe()
        ctx = engine._ctx.with_cancel(cancel or CancelToken())
        try:
            with drained(ctx, CAN, operation="index") as lease:
                yield lease
        finally:
            self.told += [
                f"{e.state}: {e.detail}" for e in heard.drain() if isinstance(e, StateChanged)
            ]
            self.notes += [row.text for row in engine.history()]
            engine.stop()


class Nth:
    """Acts at the n-th request of this operation and key."""

    def __init__(self, n: int, op: str, key: str, act: Callable[[], object]) -> None:
        self.left, self.op, self.key, self.act = n, op, key, act

    def __call__(self, op: str, key: str) -> None:
        if (op, key) == (self.op, self.key):
            self.left -= 1
            if self.left == 0:
                self.act()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_without_model_locks_it_costs_two_listings_of_the_data(world: World) -> None:
    world.store.put("data/t/id/x/1/raw", b"x")
    with world.draining() as lease:
        lease.guard()
        assert GLOBAL in contents(world.store)
    assert GLOBAL not in contents(world.store)
    listed = [key for op, key in world.asked if op == "list"]
    assert listed == ["data/", "data/"]


def test_a_writer_is_waited_for_before_the_global_lock_is_taken(world: World) -> None:
    world.lock()
    world.clock.advance(4)
    held: list[bool] = []

    def look(op: str, key: str) -> None:
        if (op, key) == ("get", MODEL):
            held.append(GLOBAL in world.bucket.objects())

    ends = Nth(3, "get", MODEL, lambda: world.store.delete(MODEL))

    def both(op: str, key: str) -> None:
        look(op, key)
        ends(op, key)

    with world.draining(both):
        pass
    assert held == [False, False, False]
    waits = [text for text in world.told if text.startswith("waiting")]
    assert waits[0] == (
        "waiting for lock: 1 model lock: @acme/server/7b held by ada@vm (pid 7) for 4.0 s"
    )


def test_only_the_locks_that_were_found_are_read_again_while_waiting(world: World) -> None:
    world.lock()
    with world.draining(Nth(5, "get", MODEL, lambda: world.store.delete(MODEL))):
        pass
    assert len([1 for op, _ in world.asked if op == "list"]) == 2


def test_it_gives_up_after_the_timeout_and_names_who_holds_what(world: World) -> None:
    world.lock(ttl_ms=3_600_000)
    world.lock("data/short/model-a/.lock", holder="bob@pc", ttl_ms=3_600_000)
    began = world.clock.monotonic()
    with pytest.raises(LockHeld) as told, world.draining():
        pass
    assert 60 <= world.clock.monotonic() - began < 63
    assert told.value.exit_code == 4
    assert "in the middle of 2 models" in told.value.message
    assert "@acme/server/7b held by ada@vm" in told.value.message
    assert "short/model-a held by bob@pc" in told.value.message
    assert GLOBAL not in contents(world.store)


def test_a_lock_that_ran_out_is_ignored_and_told_once(world: World) -> None:
    world.lock()
    world.clock.advance(15 + 6)
    with world.draining():
        pass
    (note,) = [text for text in world.notes if "ran out" in text]
    assert "@acme/server/7b held by ada@vm (pid 7) for 21 s" in note
    assert MODEL in contents(world.store)


def test_a_lock_that_states_no_time_to_live_is_never_over(world: World) -> None:
    world.store.put(MODEL, b"not json")
    world.clock.advance(3600)
    with pytest.raises(LockHeld, match="unreadable lock"), world.draining():
        pass


def test_a_writer_that_came_in_between_is_let_through_first(world: World) -> None:
    """The deadlock: it holds a model and wants the global lock. So we let go of that."""
    free: list[bool] = []

    def ends() -> None:
        free.append(GLOBAL not in world.bucket.objects())
        world.store.delete(MODEL)

    begins = Nth(2, "list", "data/", world.lock)
    done = Nth(3, "get", MODEL, ends)

    def both(op: str, key: str) -> None:
        begins(op, key)
        done(op, key)

    with world.draining(both):
        assert MODEL not in contents(world.store)
    assert free == [True]


def test_writers_in_turns_do_not_hold_it_up_for_ever(world: World) -> None:
    """Each look under the lock finds another one."""

    def turn(op: str, key: str) -> None:
        if (op, key) != ("list", "data/"):
            return
        if GLOBAL in world.bucket.objects():
            world.lock()
        else:
            world.store.delete(MODEL)

    with pytest.raises(LockHeld, match="in the middle of 1 model"), world.draining(turn):
        pass
    assert len([1 for op, _ in world.asked if op == "list"]) == 2 * TRIES
    assert GLOBAL not in contents(world.store)


def test_locks_of_other_namespaces_and_below_other_directories_do_not_matter(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, namespace="web")
    world.lock("infra/data/t/id/.lock")
    world.lock("data/t/id/.lock")
    world.lock("web/files/data/t/.lock")
    with world.draining():
        assert ".locks/web.lock" in contents(world.store)
    world.lock("web/data/t/id/.lock", ttl_ms=3_600_000)
    with pytest.raises(LockHeld), world.draining():
        pass


def test_waiting_can_be_cancelled(world: World) -> None:
    world.lock(ttl_ms=3_600_000)
    cancel = CancelToken()
    with (
        pytest.raises(Cancelled),
        world.draining(Nth(2, "get", MODEL, cancel.cancel), cancel=cancel),
    ):
        pass
    assert GLOBAL not in contents(world.store)


def test_what_the_change_itself_raises_comes_out_and_the_lock_goes(world: World) -> None:
    with pytest.raises(ZeroDivisionError), world.draining():
        raise ZeroDivisionError
    assert GLOBAL not in contents(world.store)
