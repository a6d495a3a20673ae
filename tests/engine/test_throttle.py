"""The bandwidth limit: shared by all transfers, and cut short by a cancel."""

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.engine.throttle import BURST_S, Throttle
from s3dash.errors import Cancelled
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
