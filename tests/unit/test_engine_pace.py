"""When the next round comes, and when a lock is queued for again."""

import msgspec
import pytest

from s3dash.core.lock import LockInfo
from s3dash.engine.pace import AWAY_MAX_S, BUSY_S, FAILED_MAX_S, SPREAD, Lockout, Pace
from s3dash.errors import AccessDenied, CommitConflict, LockHeld, LockLost, S3DashError
from tests.cli.fakes import LOCK


def pace() -> Pace:
    return Pace(about=lambda: 1.0)


def pauses(pace: Pace, error: S3DashError | None, times: int) -> list[float]:
    out = []
    for _ in range(times):
        pace.went_wrong(error)
        out.append(pace.pause_s(30.0))
    return out


def test_a_round_that_went_well_is_followed_after_the_usual_time() -> None:
    one = pace()
    one.went_well()
    assert (one.pause_s(30.0), one.failures) == (30.0, 0)


@pytest.mark.parametrize("error", [LockHeld("x"), LockLost("x"), CommitConflict("x")])
def test_others_at_work_are_no_failure_and_are_looked_at_again_soon(error: S3DashError) -> None:
    one = pace()
    assert pauses(one, error, 8) == [BUSY_S * n for n in range(1, 7)] + [30.0, 30.0]
    assert one.failures == 0
    one.went_well()
    assert one.pause_s(30.0) == 30.0


def test_an_endpoint_that_is_away_is_asked_less_and_less_often() -> None:
    one = pace()
    assert pauses(one, None, 5) == [30.0, 60.0, AWAY_MAX_S, AWAY_MAX_S, AWAY_MAX_S]
    assert one.failures == 5
    one.went_well()
    assert (one.pause_s(30.0), one.failures) == (30.0, 0)


def test_what_is_refused_is_tried_less_and_less_often() -> None:
    assert pauses(pace(), AccessDenied("x"), 6)[-2:] == [FAILED_MAX_S, FAILED_MAX_S]


def test_a_lock_that_is_held_after_an_outage_is_no_failure_any_more() -> None:
    one = pace()
    pauses(one, None, 4)
    one.waits_for_others()
    assert (one.failures, one.pause_s(30.0)) == (0, BUSY_S)


def test_no_pause_is_shorter_than_the_usual_one_because_that_is_long() -> None:
    one = pace()
    one.went_wrong(None)
    assert one.pause_s(3600.0) == 3600.0


def test_machines_do_not_ask_in_step() -> None:
    found = {Pace().pause_s(100.0) for _ in range(50)}
    assert len(found) > 40
    assert all(100 * (1 - SPREAD) <= pause <= 100 * (1 + SPREAD) for pause in found)


def held(nonce: str = "n-1", *, stale: bool = False) -> LockInfo:
    return msgspec.structs.replace(LOCK, nonce=nonce, stale=stale)


def test_nobody_keeps_out_who_was_never_refused() -> None:
    assert Lockout().keeper(held()) == ""


def test_the_same_holder_keeps_us_out_until_the_lock_is_free() -> None:
    lockout = Lockout()
    lockout.refused()
    assert [lockout.keeper(held()), lockout.keeper(held())] == [LOCK.holder, LOCK.holder]
    assert lockout.keeper(None) == ""
    assert lockout.keeper(held()) == ""  # a new try queues again


@pytest.mark.parametrize("gate", [held("n-2"), held(stale=True)])
def test_another_holder_or_a_dead_one_lets_us_queue_again(gate: LockInfo) -> None:
    lockout = Lockout()
    lockout.refused()
    assert lockout.keeper(held())
    assert lockout.keeper(gate) == ""
