"""An engine that is opened later: nobody waits who need not, and nothing is lost on the way."""

import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from s3dash.core.settings import Datastore
from s3dash.engine.api import EngineApi, Subscription
from s3dash.engine.opening import opened_later
from s3dash.errors import Cancelled, LocalError
from tests.tui.fake_engine import FakeEngine, idle

SETTINGS = Datastore(
    name="team",
    bucket="team-data",
    cache=Path("cache"),
    state_dir=Path("state"),
    namespace="infra",
    auto_sync=True,
)


class Opener:
    """Opens a fake engine when its gate is open, and counts how often it was asked."""

    def __init__(self) -> None:
        self.engine = FakeEngine(idle("team"))
        self.asked = 0
        self.begun, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def __call__(self) -> EngineApi:
        self.asked += 1
        self.begun.set()
        assert self.gate.wait(30)
        return self.engine


def later(opener: Callable[[], EngineApi]) -> EngineApi:
    return opened_later(SETTINGS, opener)


def test_before_it_is_open_it_says_so_without_opening_it() -> None:
    opener = Opener()
    engine = later(opener)
    snapshot = engine.snapshot()
    assert (snapshot.datastore, snapshot.namespace) == ("team", "infra")
    assert (snapshot.state, snapshot.detail, snapshot.message) == ("starting", "opening", "")
    assert snapshot.auto.enabled
    assert engine.settings is SETTINGS
    assert opener.asked == 0


def test_the_first_call_opens_it_and_others_wait_for_the_same() -> None:
    opener = Opener()
    opener.gate.clear()
    engine = later(opener)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(engine.namespaces) for _ in range(3)]
        assert opener.begun.wait(30)
        assert engine.snapshot().state == "starting"
        opener.gate.set()
        assert [answer.result(30) for answer in answers] == [["infra", "web"]] * 3
    assert opener.asked == 1
    assert engine.snapshot() is opener.engine.snap


def test_parts_of_the_facade_are_promised_too() -> None:
    opener = Opener()
    engine = later(opener)
    pause = engine.transfers.pause
    assert opener.asked == 0
    pause([1])
    assert opener.engine.calls[-1][-1] == [1]
    engine.transfers.pause([2])
    assert opener.engine.calls[-1][-1] == [2]


def test_a_value_of_a_part_is_waited_for() -> None:
    opener = Opener()
    assert later(opener).transfers.limits == opener.engine.transfers.limits
    assert opener.asked == 1


def test_no_event_is_missed_by_who_subscribed_before() -> None:
    opener = Opener()
    engine = later(opener)
    early, gone = engine.subscribe(), engine.subscribe()
    gone.close()
    assert not early.wait(0.0)
    assert (early.drain(), early.dropped) == ([], 0)
    engine.start()
    opener.engine.note("opened")
    assert early.wait(0.0)
    assert len(early.drain()) == 1
    assert len(engine.subscribe().drain()) == 0
    early.close()
    assert [box.closed for box in opener.engine.boxes] == [True, False]


def test_why_it_cannot_be_opened_is_shown_and_raised_and_not_tried_again() -> None:
    tries = []

    def opener() -> EngineApi:
        tries.append(1)
        raise LocalError("the state cannot be written", hint="is the disk full?")

    engine = later(opener)
    for call in (engine.start, engine.history, engine.transfers.pause):
        with pytest.raises(LocalError, match="cannot be written"):
            call()
    snapshot = engine.snapshot()
    assert snapshot.state == "failed"
    assert snapshot.message == "the state cannot be written  is the disk full?"
    assert len(tries) == 1
    engine.stop()


def test_stopped_before_it_was_opened_it_never_is() -> None:
    opener = Opener()
    engine = later(opener)
    engine.stop()
    with pytest.raises(Cancelled):
        engine.start()
    assert opener.asked == 0


def test_stopped_while_it_is_opened_it_ends_right_after() -> None:
    opener = Opener()
    opener.gate.clear()
    engine = later(opener)
    with ThreadPoolExecutor(2) as pool:
        history = pool.submit(engine.history)
        assert opener.begun.wait(30)
        stopped = pool.submit(engine.stop)
        opener.gate.set()
        stopped.result(30)
        history.result(30)
    assert opener.engine.asked("stop") == [()]


def test_what_it_has_not_is_no_promise_of_python_itself() -> None:
    assert not hasattr(later(Opener()), "__no_such_thing__")


def test_a_subscriber_that_comes_while_the_engine_is_handed_over_is_served() -> None:
    """It saw no engine yet, and the others are served already when it is in the row."""
    opener = Opener()
    engine = later(opener)
    late: list[Subscription] = []

    class First:
        """Stands for a mailbox: while the opener serves it, another one subscribes."""

        def attach(self, real: EngineApi) -> None:
            late.append(engine.subscribe())

    engine._waiting = Served([First()])  # type: ignore[attr-defined]  # what stands behind it
    engine.start()
    opener.engine.note("opened")
    assert late[0].wait(0.0)
    assert len(late[0].drain()) == 1


class Served(list[object]):
    """Who comes while it is gone through is not met any more."""

    def __iter__(self) -> Iterator[object]:
        return iter(tuple(super().__iter__()))


def test_the_reason_for_a_failure_does_not_grow_with_each_call() -> None:
    def opener() -> EngineApi:
        raise LocalError("the state cannot be written")

    def depth(error: BaseException) -> int:
        return len(list(traceback.walk_tb(error.__traceback__)))

    engine, depths = later(opener), []
    for _ in range(4):
        with pytest.raises(LocalError) as caught:
            engine.history()
        depths.append(depth(caught.value))
    assert depths[1] == depths[3]
