"""`sync_timeout_ms`: a push, pull or sync is stopped cleanly after that, and goes on next time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.cancel import CancelToken, following
from s3dash.core.events import Ended
from s3dash.engine.engine import Engine
from s3dash.errors import Cancelled, SyncTimedOut
from s3dash.objectstore.memory import MemoryBucket
from tests.engine.faults import machine
from tests.engine.world import Machine, contents

LIMIT_MS = 7000


class Hours:
    """Real time, but the deadline's wait ends when the test says so."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.waited: list[float] = []
        self.done = threading.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return 0.0

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if threading.current_thread().name != "s3dash-deadline":
            return event.wait(0)
        self.waited.append(seconds)
        while not self.over.wait(0.01):
            if event.is_set():
                return True
        self.done.set()
        return event.is_set()


class Stuck:
    """The n-th request of this kind lets the time run out, and goes on when that was noticed."""

    def __init__(self, hours: Hours, op: str, at: int) -> None:
        self.hours, self.op, self.left = hours, op, at

    def __call__(self, op: str, key: str) -> None:
        if op == self.op and not key.startswith(("_", ".")):
            self.left -= 1
            if self.left == 0:
                self.hours.over.set()
                assert self.hours.done.wait(5)


@contextmanager
def opened(user: Machine) -> Iterator[Engine]:
    engine = user.engine()
    try:
        yield engine
    finally:
        engine.stop()


@pytest.mark.parametrize(("what", "op"), [("push", "upload"), ("pull", "download")])
def test_it_stops_in_the_middle_and_loses_nothing(
    tmp_path: Path, memory: MemoryBucket, what: str, op: str
) -> None:
    files = {f"files/{n}": f"content {n}" for n in range(20)}
    hours = Hours()
    source = machine(tmp_path / "source", memory)
    for rel, text in files.items():
        source.write(rel, text)
    if what == "pull":
        source.push()
    slow: dict[str, Any] = {
        "push_concurrency": 1,
        "pull_concurrency": 1,
        "sync_timeout_ms": LIMIT_MS,
    }
    home = tmp_path / ("source" if what == "push" else "other")
    user = machine(home, memory, before=Stuck(hours, op, 5), clock=hours, **slow)
    asked = CancelToken()
    with opened(user) as engine:
        heard = engine.subscribe()
        with pytest.raises(SyncTimedOut, match=f"the {what} took longer than 7,000 ms") as caught:
            getattr(engine, what)(cancel=asked)
        assert not asked.cancelled, "the user did not cancel it"
        assert caught.value.exit_code == 1
        assert hours.waited == [LIMIT_MS / 1000]
        ends = [event.error for event in heard.drain() if isinstance(event, Ended)]
        assert ends == ["SyncTimedOut"]
        assert (engine.history()[-1].level, engine.history()[-1].operation) == ("error", what)
    assert ".datastore.lock" not in contents(user.store())
    again = machine(home, memory)
    getattr(again, what)()
    other = machine(tmp_path / "third", memory)
    other.pull()
    assert {rel: data.decode() for rel, data in other.files().items()} == files
    assert {rel: data.decode() for rel, data in again.files().items()} == files


def test_what_ends_in_time_is_not_touched(tmp_path: Path, memory: MemoryBucket) -> None:
    hours = Hours()
    user = machine(tmp_path / "ada", memory, clock=hours, sync_timeout_ms=LIMIT_MS)
    user.write("files/a", "text")
    with opened(user) as engine:
        assert engine.push().pushed == 1
        assert engine.sync().pushed == 0
    assert hours.waited == [LIMIT_MS / 1000] * 2
    names = {thread.name for thread in threading.enumerate()}
    assert "s3dash-deadline" not in names


def test_the_users_own_cancel_stays_one(tmp_path: Path, memory: MemoryBucket) -> None:
    user = machine(tmp_path / "ada", memory, sync_timeout_ms=LIMIT_MS)
    user.write("files/a", "text")
    token = CancelToken()
    token.cancel()
    with opened(user) as engine, pytest.raises(Cancelled):
        engine.push(cancel=token)


def test_a_token_follows_another_and_not_the_other_way_round() -> None:
    other = CancelToken()
    with following(other) as token:
        token.cancel()
        assert not other.cancelled
    with following(other) as token:
        other.cancel()
        assert token.cancelled
    with following(other) as token:
        assert token.cancelled
    with following(None) as token:
        assert not token.cancelled
