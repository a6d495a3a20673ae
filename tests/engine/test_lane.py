"""Many transfers side by side: what is started, in what order, and what an error does."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.engine.accounting import Accounting
from s3dash.engine.lane import AHEAD, AHEAD_BYTES, Course, Lane
from s3dash.engine.throttle import Throttle
from s3dash.engine.traffic import Traffic
from s3dash.errors import Integrity, S3DashError
from s3dash.objectstore.port import Usage
from tests.engine.clocks import TestClock
from tests.tui.fake_engine import settings


class Site:
    def __init__(self, count: int) -> None:
        clock = TestClock()
        self.accounting = Accounting(clock, Usage())
        self.traffic = Traffic(self.accounting, Throttle(0, clock), clock, settings())
        self.items = [(n, self.accounting.queue("up", f"{n}", 1)) for n in range(count)]
        self.cancel = CancelToken()
        self.announced: list[list[int]] = []
        self.told: Callable[[], object] = lambda: None

    def _announce(self, items: Sequence[int]) -> None:
        self.announced.append(list(items))
        self.told()

    def course(self, limit: int, *, still: Callable[[int], None] = lambda _: None) -> Course[int]:
        return Course(
            limit=lambda: limit,
            cancel=self.cancel,
            name="test",
            announce=self._announce,
            still=still,
        )


def test_all_are_done_and_each_was_announced_before() -> None:
    site = Site(3 * AHEAD)

    def work(item: int, runs: int) -> int:
        assert any(item in some for some in site.announced)
        assert runs == 1
        return item * 2

    done = dict(Lane(site.traffic, work, site.items, site.course(8)).run())
    assert done == {n: n * 2 for n in range(3 * AHEAD)}
    assert [len(some) for some in site.announced] == [AHEAD, AHEAD, AHEAD]


def test_the_next_are_announced_while_others_move() -> None:
    """Nobody waits for an announcement as long as half of the last one is left."""
    site, go = Site(2 * AHEAD), threading.Event()
    lane = Lane(site.traffic, lambda item, _: go.wait(10), site.items, site.course(AHEAD // 2))

    def told() -> None:
        if len(site.announced) == 2:
            go.set()

    site.told = told
    assert len(dict(lane.run())) == 2 * AHEAD
    assert go.is_set(), "the second half was announced only after the first had ended"


def test_large_ones_are_announced_few_at_a_time() -> None:
    site = Site(9)
    for _, row in site.items:
        row.size = AHEAD_BYTES // 2
    list(Lane(site.traffic, lambda item, _: item, site.items, site.course(1)).run())
    assert [len(some) for some in site.announced][:2] == [2, 2]


def test_as_many_run_at_once_as_may() -> None:
    site, lock, all_three = Site(39), threading.Lock(), threading.Barrier(3, timeout=10)
    here, most = [0], [0]

    def work(item: int, _: int) -> None:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        all_three.wait()
        with lock:
            here[0] -= 1

    assert len(list(Lane(site.traffic, work, site.items, site.course(3)).run())) == 39
    assert most[0] == 3


def test_a_few_results_are_handed_out_while_others_still_move() -> None:
    """On a slow line no result waits for dozens of others."""
    site, seen = Site(2), threading.Event()

    def work(item: int, _: int) -> bool:
        return item == 0 or seen.wait(10)

    lane: Lane[int, bool] = Lane(site.traffic, work, site.items, site.course(2))
    done = []
    for result in lane.run():
        done.append(result)
        seen.set()
    assert done == [(0, True), (1, True)]


def test_what_ended_before_a_bug_is_handed_out_before_it() -> None:
    site, done = Site(2), list[tuple[int, int | S3DashError]]()

    def work(item: int, _: int) -> int:
        while item == 1 and not (lane._ended or done):
            time.sleep(0.001)
        return [0][item]

    lane: Lane[int, int] = Lane(site.traffic, work, site.items, site.course(2))
    with pytest.raises(IndexError):
        done.extend(lane.run())
    assert done == [(0, 0)]


def test_an_error_of_ours_is_a_result_and_stops_no_other() -> None:
    site = Site(5)

    def work(item: int, _: int) -> int:
        if item == 2:
            raise Integrity("bad")
        return item

    done = dict(Lane(site.traffic, work, site.items, site.course(2)).run())
    assert isinstance(done.pop(2), S3DashError)
    assert done == {0: 0, 1: 1, 3: 3, 4: 4}


def test_any_other_error_is_raised() -> None:
    site = Site(5)

    def work(item: int, _: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(Lane(site.traffic, work, site.items, site.course(2)).run())
    assert site.traffic.cancel(None) == 0, "its jobs are still under control"


def test_an_error_of_the_lane_itself_is_raised_too() -> None:
    """In the thread that would take the next: without it everybody would wait for ever."""
    site, main = Site(5), threading.current_thread()

    def limit() -> int:
        if threading.current_thread() is not main:
            raise ZeroDivisionError
        return 2

    course = replace(site.course(2), limit=limit)
    guard = threading.Timer(10, site.cancel.cancel)
    guard.start()
    with pytest.raises(ZeroDivisionError):
        list(Lane(site.traffic, lambda item, _: item, site.items, course).run())
    guard.cancel()


def test_after_a_cancel_nothing_more_is_started() -> None:
    site, ran = Site(50), list[int]()

    def work(item: int, _: int) -> None:
        ran.append(item)
        if item == 3:
            site.cancel.cancel()

    list(Lane(site.traffic, work, site.items, site.course(1)).run())
    assert ran == [0, 1, 2, 3]


def test_without_jobs_nothing_happens() -> None:
    site = Site(0)
    assert list(Lane(site.traffic, lambda item, _: item, site.items, site.course(1)).run()) == []
    assert site.announced == []


def test_a_standstill_tells_how_many_are_left_as_they_are_cancelled() -> None:
    site, told = Site(3), list[int]()
    site.traffic.pause(None)

    def still(paused: int) -> None:
        told.append(paused)
        first = next((row for _, row in site.items if row.state == "paused"), None)
        if first is not None:
            site.traffic.cancel([first.id])

    lane = Lane(site.traffic, lambda item, _: item, site.items, site.course(1, still=still))
    guard = threading.Timer(10, site.cancel.cancel)
    guard.start()
    assert len(list(lane.run())) == 3
    guard.cancel()
    assert told == [3, 2, 1, 0]
