"""How many run at once: it grows while that moves more, goes back where not, gives way at once."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import cast

import pytest
from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.core.progress import TransferDirection
from s3dash.engine.accounting import Accounting
from s3dash.engine.lane import Course, Lane
from s3dash.engine.pacing import FIRST_REST, LONGEST_REST, UNIT, Pacer
from s3dash.engine.throttle import Throttle
from s3dash.engine.traffic import CURRENT, Job, Queue, Traffic
from s3dash.errors import S3DashError, ServerFault, Throttled
from s3dash.objectstore.patience import Wait
from s3dash.objectstore.port import Usage
from tests.engine.clocks import TestClock
from tests.tui.fake_engine import settings

Rate = Callable[[int], float]
"""Files a second that a line carries, by how many are on their way."""


def far(round_trip_s: float) -> Rate:
    """A line that is only far away: each file takes a round trip, however many there are."""
    return lambda running: running / round_trip_s


def at_most(files_s: float, round_trip_s: float) -> Rate:
    """A server, or a line, that carries so much and no more."""
    return lambda running: min(files_s, running / round_trip_s)


class Run:
    """A lane that always has work, on a line; `limits` is every number that was in force."""

    def __init__(self, rate: Rate, *, start: int = 25, most: int = 128, load: float = 0.1) -> None:
        self.clock = TestClock()
        self.rate = rate
        self.load = load
        self.size = 0
        self.pacer = Pacer(start, most, self.clock, spent=lambda: self.clock.monotonic() * load)
        self.limits = [start]

    def go(self, files: int, *, busy_all: bool = True, free: bool = True) -> None:
        for _ in range(files):
            self.clock.advance(1 / self.rate(self.pacer.limit))
            self.pacer.ended(self.size, busy_all=busy_all, free=free)
            if self.pacer.limit != self.limits[-1]:
                self.limits.append(self.pacer.limit)


@pytest.mark.parametrize("round_trip_s", [0.05, 0.2])
def test_over_a_far_line_it_grows_to_its_bound_within_some_hundred_files(
    round_trip_s: float,
) -> None:
    run = Run(far(round_trip_s))
    run.go(500)
    assert run.limits == [25, 50, 100, 128]
    assert run.clock.monotonic() < 500 * round_trip_s / 25 * 0.6
    run.go(5000)
    assert run.limits[-1] == 128


def test_where_the_server_is_the_limit_it_goes_back_and_tries_ever_more_seldom() -> None:
    run = Run(at_most(400, 0.05))
    run.go(400)
    assert run.limits == [25, 50, 25]
    run.go(100_000)
    tries = run.limits.count(50)
    assert set(run.limits) == {25, 50}
    assert 3 <= tries <= 100_000 / (LONGEST_REST * 25) + 6
    more = Run(at_most(400, 0.05))
    more.go(200_000)
    assert more.limits.count(50) - tries <= 100_000 / (LONGEST_REST * 25) + 1


def test_what_is_worth_it_is_kept_and_what_is_not_is_given_back() -> None:
    run = Run(at_most(1000, 0.05))
    run.go(2000)
    assert run.limits[:4] == [25, 50, 100, 50]


def test_a_machine_that_is_busy_computing_tries_nothing() -> None:
    run = Run(far(0.05), load=0.9)
    run.go(5000)
    assert run.limits == [25]


def test_bytes_count_where_files_are_large() -> None:
    """Larger files come more slowly: that more of them run is what moves more bytes."""
    run = Run(far(0.05))
    run.go(60)
    assert run.limits == [25, 50]
    run.size, run.rate = 4 * UNIT, lambda running: running / 0.06
    run.go(150)
    assert run.limits == [25, 50, 100]


@pytest.mark.parametrize("limits", [(1, 128), (25, 25), (25, 4), (200, 128)])
def test_one_at_a_time_and_what_the_configuration_forbids_is_an_order(
    limits: tuple[int, int],
) -> None:
    run = Run(far(0.05), start=limits[0], most=limits[1])
    run.go(3000)
    assert run.limits == [limits[0]]


def test_a_number_that_was_set_by_hand_stays() -> None:
    run = Run(far(0.05))
    run.pacer.fix(7)
    run.go(3000)
    assert run.limits == [25, 7]
    run.pacer.begin()
    run.go(1000)
    assert run.limits == [25, 7]


def test_nothing_grows_while_the_bandwidth_is_limited_or_too_few_are_there() -> None:
    run = Run(far(0.05))
    run.go(1000, free=False)
    run.go(1000, busy_all=False)
    assert run.limits == [25]


def test_a_look_that_was_cut_short_decides_nothing() -> None:
    """Whenever the lane runs low, what was counted until then is thrown away."""
    run = Run(far(0.05))
    for _ in range(100):
        run.go(20)
        run.go(1, busy_all=False)
    assert run.limits == [25]


def test_slow_down_halves_at_once_and_once_a_burst() -> None:
    run = Run(far(0.05))
    run.go(500)
    began = run.clock.monotonic()
    run.clock.advance(0.05)
    for _ in range(50):
        run.pacer.slow_down(began)
    assert run.pacer.limit == 64
    run.clock.advance(0.1)
    run.pacer.slow_down(run.clock.monotonic() - 0.05)
    assert run.pacer.limit == 32
    for _ in range(20):
        run.clock.advance(0.5)
        run.pacer.slow_down(run.clock.monotonic())
    assert run.pacer.limit == 1


def test_after_slow_down_it_comes_back_one_by_one_and_no_further_than_it_began() -> None:
    run = Run(far(0.05))
    run.go(500)
    for _ in range(3):
        run.clock.advance(0.1)
        run.pacer.slow_down(run.clock.monotonic())
    run.limits = [run.pacer.limit]
    run.go(5000)
    assert run.limits == [*range(run.limits[0], 26)]
    run.pacer.begin()
    run.limits = [25]
    run.go(500)
    assert run.limits == [25, 50, 100, 128], "the next operation begins anew"


def test_it_comes_back_to_what_was_set_by_hand() -> None:
    run = Run(far(0.05))
    run.pacer.fix(10)
    run.pacer.slow_down(run.clock.monotonic())
    run.limits = [run.pacer.limit]
    run.go(1000)
    assert run.limits == [5, 6, 7, 8, 9, 10]


def test_a_refusal_of_a_transfer_that_lasts_counts_again_after_a_while() -> None:
    """The parts of a large file are all of one attempt."""
    run = Run(far(0.05))
    run.pacer.slow_down(0.0)
    run.clock.advance(1)
    run.pacer.slow_down(0.0)
    assert run.pacer.limit == 12
    run.clock.advance(3)
    run.pacer.slow_down(0.0)
    assert run.pacer.limit == 6


@pytest.mark.parametrize("start", [2, 25, 50])
def test_the_next_try_in_vain_comes_later_each_time(start: int) -> None:
    run = Run(at_most(start * 20, 0.05), start=start)
    run.go(40_000)
    at = [number for number, limit in enumerate(run.limits) if limit > start]
    assert len(at) < 40_000 / start / FIRST_REST


# --- where it is used ---------------------------------------------------------------------


class Lines:
    """Traffic whose uploads end one after the other; `ends` is what a lane tells of each."""

    def __init__(self, **over: object) -> None:
        self.clock = TestClock()
        self.accounting = Accounting(self.clock, Usage())
        self.throttle = Throttle(0, self.clock)
        given = replace(settings(), **over)
        self.traffic = Traffic(self.accounting, self.throttle, self.clock, given)

    @property
    def limits(self) -> tuple[int, int]:
        return self.traffic.limits.up, self.traffic.limits.down

    def ends(
        self, files: int, direction: TransferDirection = "up", *, waiting: bool = True
    ) -> None:
        row = self.accounting.queue(direction, "a", 1)
        for _ in range(files):
            limit = self.traffic.limit(direction)
            self.clock.advance(100 / limit)
            with self.traffic.changed:
                self.traffic.went_well(row, running=limit - 1, waiting=waiting)

    def refused(self, error: S3DashError) -> None:
        """A transfer waits to be sent again."""
        row = self.accounting.queue("up", "a", 1)
        self.accounting.start(row)
        told = self.traffic.telling(lambda _: nullcontext(), CancelToken)
        token = CURRENT.set(Job(row, None, cast("Queue", None)))
        try:
            with told(Wait(1.0, 1, 5, error)):
                pass
        finally:
            CURRENT.reset(token)


def test_the_number_in_force_is_what_is_shown_and_each_direction_has_its_own() -> None:
    lines = Lines()
    assert lines.limits == (25, 50)
    lines.ends(60)
    assert lines.limits == (50, 50)
    lines.ends(400, "down")
    assert lines.limits == (50, 128)
    assert lines.traffic.limits.changes == 0, "nobody changed that by hand"


def test_when_the_lane_is_over_the_next_begins_as_configured() -> None:
    lines = Lines()
    with lines.traffic.under_control([]):
        lines.ends(60)
        assert lines.limits == (50, 50)
    assert lines.limits == (25, 50)
    lines.ends(60)
    lines.traffic.begin()
    assert lines.limits == (25, 50)


def test_a_number_by_hand_ends_the_growth_of_its_direction() -> None:
    lines = Lines()
    lines.ends(60)
    assert lines.traffic.allow(up=51).up == 51
    lines.ends(1000)
    lines.ends(400, "down")
    assert lines.limits == (51, 128)


def test_a_bandwidth_limit_ends_the_growth_and_takes_it_back() -> None:
    lines = Lines()
    lines.ends(60)
    lines.traffic.throttle(1 << 20)
    assert lines.limits == (25, 50)
    lines.ends(1000)
    assert lines.limits == (25, 50)


def test_slow_down_halves_what_runs_and_no_other_trouble_does() -> None:
    lines = Lines()
    lines.refused(ServerFault("500"))
    assert lines.limits == (25, 50)
    lines.refused(Throttled("slow down"))
    assert lines.limits == (12, 50)


def test_the_configuration_says_how_far_it_may_grow() -> None:
    lines = Lines(max_concurrency=40)
    lines.ends(1000)
    lines.ends(1000, "down")
    assert lines.limits == (40, 50)


def test_while_nothing_waits_nothing_grows() -> None:
    lines = Lines()
    lines.ends(1000, waiting=False)
    assert lines.limits == (25, 50)


def test_a_lane_starts_more_as_the_number_grows() -> None:
    """Each waits until as many are there as may be; the last ones go as they are."""
    lines, count, lock = Lines(push_concurrency=4, max_concurrency=8), 400, threading.Lock()
    waiting: list[threading.Event] = []
    begun, most = [0], [0]

    def work(_: int, __: int) -> None:
        mine = threading.Event()
        with lock:
            limit = lines.limits[0]
            lines.clock.advance(1000 / limit)
            begun[0] += 1
            waiting.append(mine)
            if len(waiting) >= limit or begun[0] == count:
                most[0] = max(most[0], len(waiting))
                for one in waiting:
                    one.set()
                waiting.clear()
        assert mine.wait(20)

    items = [(n, lines.accounting.queue("up", f"{n}", 1)) for n in range(count)]
    course: Course[int] = Course(
        limit=lambda: lines.traffic.limit("up"), cancel=CancelToken(), name="test"
    )
    assert len(list(Lane(lines.traffic, work, items, course).run())) == count
    assert most[0] == 8
    assert lines.limits == (4, 50), "when it is over, the next begins as configured"
