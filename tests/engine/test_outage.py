"""What a user sees while the endpoint refuses or is away: in the snapshot, the log, the error."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.core.snapshot import Snapshot
from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.errors import Cancelled, Throttled, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.patience import Patience, Wait
from tests.engine.clocks import QuickClock
from tests.engine.faults import machine
from tests.engine.world import Machine

SLOW = Throttled("the endpoint asks to slow down", brief="503 SlowDown from the endpoint")


class Weather:
    """Refuses the first `times` PUTs of a key."""

    def __init__(self, key: str, times: int) -> None:
        self.key, self.left = key, times

    def __call__(self, op: str, key: str) -> None:
        if op in ("put", "upload") and key == self.key and self.left > 0:
            self.left -= 1
            raise SLOW


class Watched:
    """An engine whose snapshot is taken at the beginning of every wait."""

    def __init__(self, ada: Machine) -> None:
        self.patience = Patience(QuickClock())
        self.engine: Engine = open_engine(
            ada.settings, store=ada.store(), clock=self.patience.clock, patience=self.patience
        )
        self.shots: list[Snapshot] = []
        self._told = self.patience.told
        self.patience.told = self._tell

    @contextmanager
    def _tell(self, wait: Wait) -> Iterator[None]:
        with self._told(wait):
            self.shots.append(self.engine.snapshot())
            yield


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.mark.parametrize("key", ["files/a", "_index/files.json", "_index/_meta.json"])
def test_backing_off_is_shown_told_once_and_over_when_it_is_over(
    tmp_path: Path, bucket: MemoryBucket, key: str
) -> None:
    ada = machine(tmp_path / "ada", bucket, before=Weather(key, 3))
    ada.write("files/a", "a")
    watched = Watched(ada)
    assert watched.engine.push().pushed == 1
    assert [shot.state for shot in watched.shots] == ["backing off"] * 3
    for retry, shot in enumerate(watched.shots, 1):
        assert shot.detail.startswith("503 SlowDown from the endpoint, waiting ")
        assert shot.detail.endswith(f"s, retry {retry} of 5")
    assert watched.engine.snapshot().state == "idle"
    said = [row.text for row in watched.engine.history() if row.operation == "endpoint"]
    assert sorted(said) == [
        "503 SlowDown from the endpoint; trying again",
        "the endpoint answers again",
    ]
    watched.engine.stop()


def test_while_one_thread_waits_the_others_go_on(tmp_path: Path, bucket: MemoryBucket) -> None:
    ada = machine(tmp_path / "ada", bucket, before=Weather("files/a", 2))
    for name in "abcd":
        ada.write(f"files/{name}", name)
    watched = Watched(ada)
    assert watched.engine.push().pushed == 4
    assert len(watched.shots) == 2
    watched.engine.stop()


def test_a_storm_ends_the_push_once_and_the_next_one_goes_on(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    """Not every file waits for itself: the first that is given up ends the hope of all."""
    storm = [True]

    def before(op: str, key: str) -> None:
        if storm and op == "upload":
            raise SLOW

    ada = machine(tmp_path / "ada", bucket, before=before, push_concurrency=2)
    for n in range(40):
        ada.write(f"files/{n}", f"{n}")
    watched = Watched(ada)
    result = watched.engine.push()
    assert (result.pushed, len(result.failed)) == (0, 40)
    assert len(watched.shots) <= 12
    storm.clear()
    assert watched.engine.push().pushed == 40
    watched.engine.stop()


def test_an_operation_that_fails_says_since_when_it_is_offline(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    away = [True]

    def before(op: str, key: str) -> None:
        if away and op == "list":
            raise Unreachable("no answer from s3.test", brief="no answer from the endpoint")

    ada = machine(tmp_path / "ada", bucket, before=before)
    ada.write("files/a", "a")
    watched = Watched(ada)
    with pytest.raises(Unreachable):
        watched.engine.push()
    shot = watched.engine.snapshot()
    assert (shot.state, shot.healthy, shot.message) == ("offline", False, "no answer from s3.test")
    assert shot.offline_since
    assert not watched.engine.status().healthy
    assert watched.engine.snapshot().offline_since == shot.offline_since
    away.clear()
    assert watched.engine.push().pushed == 1
    shot = watched.engine.snapshot()
    assert (shot.state, shot.healthy, shot.offline_since) == ("idle", True, "")
    said = [row.text for row in watched.engine.history() if row.operation == "endpoint"]
    assert any(text.startswith("the endpoint answers again; it did not since") for text in said)
    watched.engine.stop()


def test_a_cancel_in_the_middle_of_a_wait_ends_the_push(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    """By the real clock, in another thread."""
    ada = machine(tmp_path / "ada", bucket, before=Weather("_index/_meta.json", 100))
    ada.write("files/a", "a")
    patience = Patience()
    engine = open_engine(ada.settings, store=ada.store(), patience=patience)
    waiting, cancel, ends = threading.Event(), CancelToken(), []
    shown = patience.told

    @contextmanager
    def tell(wait: Wait) -> Iterator[None]:
        waiting.set()
        with shown(wait):
            yield

    patience.told = tell

    def push() -> None:
        try:
            engine.push(cancel=cancel)
        except Cancelled:
            ends.append("cancelled")

    thread = threading.Thread(target=push)
    thread.start()
    assert waiting.wait(20)
    cancel.cancel()
    thread.join(20)
    assert ends == ["cancelled"]
    assert ".datastore.lock" not in [i.key for i in MemoryStore(bucket).list()]
    engine.stop()
