"""What a transfer tells of itself while it moves."""

import pytest

from s3dash.core.progress import Transfer
from s3dash.engine.accounting import RATE_WINDOW_S, Accounting
from s3dash.objectstore.port import Usage
from tests.engine.clocks import TestClock


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def accounting(clock: TestClock) -> Accounting:
    return Accounting(clock, Usage())


def going(accounting: Accounting, size: int = 10_000) -> Transfer:
    row = accounting.queue("up", "files/a", size)
    accounting.start(row)
    return row


def polled(accounting: Accounting, clock: TestClock, row: Transfer, *counts: int) -> float:
    """The rate after so many bytes each second, looked at every second."""
    for count in counts:
        clock.advance(1.0)
        accounting.moved(row, count)
        accounting.progress()
    return row.rate


def test_the_rate_is_that_of_the_last_seconds(accounting: Accounting, clock: TestClock) -> None:
    row = going(accounting)
    assert polled(accounting, clock, row, 1000, 1000, 1000, 1000) == 1000
    assert polled(accounting, clock, row, *[100] * (int(RATE_WINDOW_S) + 1)) == 100
    assert polled(accounting, clock, row, 0, 0, 0, 0) == 0


def test_bytes_that_were_there_already_make_no_rate(
    accounting: Accounting, clock: TestClock
) -> None:
    row = going(accounting)
    clock.advance(1.0)
    accounting.kept(row, 9000)
    assert polled(accounting, clock, row, 100, 100) == 100
    assert row.done == 9200


def test_a_row_that_rests_or_is_over_has_no_rate(accounting: Accounting, clock: TestClock) -> None:
    row = going(accounting)
    polled(accounting, clock, row, 500)
    accounting.rest(row, "paused")
    accounting.progress()
    assert (row.state, row.rate) == ("paused", 0.0)
    accounting.start(row)
    polled(accounting, clock, row, 500)
    accounting.finish(row, "done")
    accounting.progress()
    assert row.rate == 0.0


def test_counts_tell_paused_from_queued(accounting: Accounting) -> None:
    for name in "abc":
        accounting.queue("down", name, 1)
    accounting.rest(accounting.progress().transfers[0], "paused")
    counts = accounting.progress().counts
    assert (counts.queued, counts.paused, counts.unfinished) == (2, 1, 3)


def test_parts_are_counted_by_the_bytes(accounting: Accounting) -> None:
    row = going(accounting, 10_001)
    assert (row.part, row.parts) == (0, 0)
    row.part_size = 1000
    assert (row.part, row.parts) == (1, 11)
    accounting.moved(row, 2500)
    assert row.part == 3
    accounting.moved(row, 7501)
    assert row.part == 11


def test_a_failure_that_was_tried_again_and_went_well_is_forgotten(accounting: Accounting) -> None:
    row = going(accounting)
    accounting.finish(row, "failed", "no room")
    assert accounting.failed([row.id]) == [row]
    accounting.start(row)
    accounting.finish(row, "done")
    assert accounting.failed([row.id]) == []
    accounting.begin()
    assert accounting.progress().transfers == []
