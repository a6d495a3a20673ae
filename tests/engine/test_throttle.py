"""The bandwidth limit: shared by all transfers, and cut short by a cancel."""

import threading

import pytest

from s3dash.clock import SystemClock
from s3dash.core.cancel import CancelToken
from s3dash.engine.throttle import BURST_S, Throttle
from s3dash.errors import Cancelled, TransferPaused
from tests.engine.clocks import TestClock


def test_bytes_take_their_time_at_the_limit() -> None:
    clock, cancel = TestClock(), CancelToken()
    throttle = Throttle(1000, clock)
    for _ in range(10):
        throttle.draw(500, cancel)
    assert clock.monotonic() == pytest.approx(5.0, abs=BURST_S)


def test_a_pause_earns_no_more_than_a_burst() -> None:
    clock, cancel = TestClock(), CancelToken()
    throttle = Throttle(1000, clock)
    clock.advance(3600)
    throttle.draw(2000, cancel)
    assert clock.monotonic() - 3600 == pytest.approx(2.0 - BURST_S)


def test_without_a_limit_nothing_waits() -> None:
    clock = TestClock()
    Throttle(0, clock).draw(10**9, CancelToken())
    assert clock.monotonic() == 0


def test_a_cancel_ends_the_wait() -> None:
    clock, cancel = TestClock(), CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        Throttle(1, clock).draw(10**6, cancel)
    assert clock.monotonic() == 0


def test_another_limit_counts_from_now_on() -> None:
    clock, cancel = TestClock(), CancelToken()
    throttle = Throttle(1000, clock)
    throttle.draw(1000, cancel)
    before = clock.monotonic()
    throttle.change(4000)
    for _ in range(4):
        throttle.draw(1000, cancel)
    assert clock.monotonic() - before == pytest.approx(1.0, abs=BURST_S)


def test_without_a_limit_no_debt_is_kept_for_later() -> None:
    clock, cancel = TestClock(), CancelToken()
    throttle = Throttle(10, clock)
    throttle.draw(0, cancel)
    throttle.change(0)
    throttle.draw(10**9, cancel)
    throttle.change(1000)
    throttle.draw(500, cancel)
    assert clock.monotonic() <= 0.5


def test_a_wait_that_is_woken_looks_again_whether_to_go_on() -> None:
    clock, cancel = SystemClock(), CancelToken()
    throttle, wanted = Throttle(1, clock), threading.Event()

    def check() -> None:
        if wanted.is_set():
            raise TransferPaused("asked for")
        if throttle.waiting:
            threading.Thread(target=wake_it).start()

    def wake_it() -> None:
        wanted.set()
        throttle.wake()

    with pytest.raises(TransferPaused):
        throttle.draw(10**6, cancel, check=check)
    assert not throttle.waiting


def test_a_wake_just_before_the_wait_is_not_lost() -> None:
    clock, cancel = TestClock(), CancelToken()
    throttle, wanted = Throttle(1, clock), threading.Event()

    def check() -> None:
        if wanted.is_set():
            raise TransferPaused("asked for")
        wanted.set()  # right after this look
        throttle.wake()

    with pytest.raises(TransferPaused):
        throttle.draw(10**6, cancel, check=check)
    assert clock.monotonic() == 0
    assert not throttle.waiting
