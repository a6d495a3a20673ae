"""Cancelling is seen by everybody who holds the token, also while they wait."""

import threading

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.errors import Cancelled


def test_a_fresh_token_lets_everything_pass() -> None:
    token = CancelToken()
    token.check()
    assert not token.cancelled


def test_a_cancelled_token_stops_everybody_for_good() -> None:
    token = CancelToken()
    token.cancel()
    token.cancel()
    assert token.cancelled
    for _ in range(2):
        with pytest.raises(Cancelled):
            token.check()
    assert Cancelled.exit_code == 130


def test_cancelling_ends_a_wait() -> None:
    token = CancelToken()
    waiter = threading.Thread(target=token.event.wait, args=(60,))
    waiter.start()
    token.cancel()
    waiter.join(10)
    assert not waiter.is_alive()


def test_who_asked_is_called_by_who_cancels() -> None:
    token, calls = CancelToken(), list[str]()
    with token.calling(lambda: calls.append("first")):
        assert calls == []
        token.cancel()
        assert calls == ["first"]
    token.cancel()
    assert calls == ["first"]
    with token.calling(lambda: calls.append("late")):
        assert calls == ["first", "late"]
