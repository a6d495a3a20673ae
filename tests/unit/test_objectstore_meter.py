"""What a store knows of its endpoint's pace and clock."""

import threading
from datetime import UTC, datetime

from s3dash.objectstore.meter import Meter
from s3dash.objectstore.port import RECENT

THEN = datetime(2026, 3, 14, 14, 2, 9, tzinfo=UTC)


def test_only_the_last_small_requests_are_kept() -> None:
    meter = Meter()
    for _ in range(RECENT + 50):
        meter.request()
        meter.answer(200, None)
    assert len(meter.usage.recent_ms) == RECENT
    assert meter.usage.answers == RECENT + 50


def test_a_request_with_a_large_body_says_nothing_about_the_pace() -> None:
    meter = Meter(wall=THEN.timestamp)
    meter.request(timed=False)
    meter.answer(200, THEN)
    assert (meter.usage.answers, meter.usage.latency_ms, meter.usage.skew_s) == (0, None, None)
    assert meter.usage.requests == 1
    assert meter.server_time == THEN


def test_the_skew_is_the_servers_lead() -> None:
    behind = Meter(wall=lambda: THEN.timestamp() - 90)
    behind.request()
    behind.answer(200, THEN)
    assert behind.usage.skew_s is not None
    assert 89 < behind.usage.skew_s < 92
    behind.request()
    behind.answer(200, None)  # an answer without a Date tells nothing new
    assert 89 < behind.usage.skew_s < 92


def test_requests_of_many_threads_are_timed_each_for_itself() -> None:
    meter = Meter()
    meter.request()

    def other() -> None:
        meter.request(timed=False)
        meter.answer(200, None)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    meter.answer(200, None)
    assert meter.usage.answers == 1
