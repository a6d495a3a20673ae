"""A started engine: it notices what happens on both sides, and syncs when it was told to."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from s3dash.core.lock import LockBody, encode_lock
from s3dash.core.snapshot import Snapshot
from s3dash.engine.engine import Engine
from s3dash.errors import Cancelled, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.world import Machine, contents

PATIENCE_S = 20.0


@contextmanager
def started(machine: Machine) -> Iterator[Engine]:
    engine = machine.engine()
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def until(engine: Engine, wanted: Callable[[Snapshot], bool]) -> Snapshot:
    """The first snapshot of the wanted kind; looks whenever the engine announces something."""
    box = engine.subscribe()
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(snapshot := engine.snapshot()):
        assert time.monotonic() < deadline, snapshot
        box.wait(0.2)
        box.drain()
    box.close()
    return snapshot


def paths(snapshot: Snapshot) -> list[str]:
    return [row.path for row in snapshot.dirty]


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def ada(tmp_path: Path, bucket: MemoryBucket) -> Machine:
    machine = Machine(tmp_path / "ada", lambda: MemoryStore(bucket), poll_interval_s=3600)
    machine.write("files/a", "a")
    machine.push()
    return machine


def test_an_edit_a_new_file_and_a_deletion_show_as_dirty(ada: Machine) -> None:
    ada.write("files/b", "b")
    ada.push()
    with started(ada) as engine:
        until(engine, lambda s: s.watch.mode == "native" and s.checked_at != "")
        ada.write("files/a", "other")
        ada.write("logs/new/deep", "x")
        (ada.cache / "files/b").unlink()
        seen = until(engine, lambda s: len(s.dirty) == 3)
        assert {(r.path, r.change) for r in seen.dirty} == {
            ("files/a", "modified"),
            ("logs/new/deep", "added"),
            ("files/b", "deleted"),
        }
        marked = {"files/a", "logs/new/deep", "files/b"}
        until(engine, lambda s: set(ada.sidecar()["dirtyPaths"]) == marked)
        ada.write("files/a", "a")
        seen = until(engine, lambda s: len(s.dirty) == 2)
        assert "files/a" not in paths(seen)


def test_the_engines_own_writes_are_never_dirty(
    tmp_path: Path, ada: Machine, bucket: MemoryBucket
) -> None:
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket))
    for n in range(50):
        bob.write(f"files/{n}", f"{n}")
    bob.sync()
    with started(ada) as engine:
        until(engine, lambda s: len(s.behind) == 50)
        box = engine.subscribe()
        assert engine.pull().pulled == 50
        ada.write("files/last", "mine")
        seen = until(engine, lambda s: bool(s.dirty))
        assert paths(seen) == ["files/last"]
        counts = [e.count for e in box.drain() if type(e).__name__ == "DirtyChanged"]  # type: ignore[attr-defined]
        assert counts == [1]


def test_what_others_push_shows_as_behind(
    tmp_path: Path, ada: Machine, bucket: MemoryBucket
) -> None:
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket))
    with started(ada) as engine:
        until(engine, lambda s: s.checked_at != "")
        bob.pull()
        bob.write("files/b", "bob's")
        bob.push()
        engine.refresh()
        seen = until(engine, lambda s: bool(s.behind))
        assert [(c.path, c.change) for c in seen.behind] == [("files/b", "added")]
        assert seen.index.commit_seq == 2


def test_auto_sync_pushes_and_pulls_but_starts_no_deletion(
    tmp_path: Path, ada: Machine, bucket: MemoryBucket
) -> None:
    ada.write("files/gone", "x")
    ada.push()
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket))
    bob.pull()
    bob.write("files/b", "bob's")
    bob.push()
    with started(ada) as engine:
        until(engine, lambda s: bool(s.behind))
        (ada.cache / "files/gone").unlink()
        ada.write("files/a", "edit")
        until(engine, lambda s: len(s.dirty) == 2)
        engine.set_auto(True)
        seen = until(engine, lambda s: paths(s) == ["files/gone"] and not s.behind)
        assert ada.read("files/b") == b"bob's"
        assert contents(MemoryStore(bucket))["files/a"] == b"edit"
        assert "files/gone" in contents(MemoryStore(bucket))
        seen = until(engine, lambda s: bool(s.auto.suspended))
        assert (seen.auto.enabled, "waits for you" in seen.auto.suspended) == (True, True)


def test_an_endpoint_that_goes_away_and_comes_back(tmp_path: Path, bucket: MemoryBucket) -> None:
    away = False

    def fail(op: str, key: str) -> None:
        if away:
            raise Unreachable("nobody answers")

    ada = Machine(tmp_path / "ada", lambda: MemoryStore(bucket, before=fail), poll_interval_s=3600)
    MemoryStore(bucket).put(".datastore.lock", encode_lock(LockBody(holder="bob@pc", nonce="n")))
    with started(ada) as engine:
        until(engine, lambda s: s.healthy and len(s.locks) == 1)
        away = True
        engine.refresh()
        seen = until(engine, lambda s: s.state == "offline")
        assert (seen.healthy, seen.message) == (False, "nobody answers")
        ada.write("files/a", "still noticed")
        until(engine, lambda s: paths(s) == ["files/a"])
        assert [lock.holder for lock in engine.snapshot().locks] == ["bob@pc"]
        away = False
        engine.refresh()
        until(engine, lambda s: s.healthy)


def test_stop_ends_a_running_operation_and_releases_the_lock(
    tmp_path: Path, bucket: MemoryBucket
) -> None:
    import threading

    inside, errors = threading.Event(), []

    def hold(op: str, key: str) -> None:
        if op == "put" and key.startswith("_index/"):
            inside.set()

    ada = Machine(tmp_path / "ada", lambda: MemoryStore(bucket, after=hold))
    ada.write("files/a", "a")
    engine = ada.engine()

    def push() -> None:
        try:
            engine.push()
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    worker = threading.Thread(target=push)
    worker.start()
    assert inside.wait(PATIENCE_S)
    engine.stop()
    worker.join(PATIENCE_S)
    assert not worker.is_alive()
    assert ".datastore.lock" not in contents(MemoryStore(bucket))
    assert [type(e).__name__ for e in errors] in ([], ["Cancelled"])
    assert ada.sync().failed == []
    assert ada.status().local.dirty == []


def test_an_engine_that_was_stopped_before_it_was_started_does_nothing(ada: Machine) -> None:
    before = set(threading.enumerate())
    engine = ada.engine()
    engine.stop()
    engine.start()
    fresh = [thread.name for thread in threading.enumerate() if thread not in before]
    assert fresh == []


def test_stop_ends_an_operation_that_has_just_got_its_turn(
    ada: Machine, bucket: MemoryBucket
) -> None:
    """It comes between the operation's look whether it may begin, and its first step."""
    engine = ada.engine()
    ada.write("files/late", "l")

    class Late(threading.Event):
        stopper: threading.Thread | None = None

        def is_set(self) -> bool:
            was = super().is_set()
            if self.stopper is None and not was:
                self.stopper = threading.Thread(target=engine.stop)
                self.stopper.start()
                end = time.monotonic() + PATIENCE_S
                while not engine._live._over:  # by then it has told whoever it found
                    assert time.monotonic() < end
                    time.sleep(0.001)
            return was

    engine._stopped = stopped = Late()
    with pytest.raises(Cancelled):
        engine.push()
    assert stopped.stopper is not None
    stopped.stopper.join(PATIENCE_S)
    assert "files/late" not in contents(MemoryStore(bucket))


def test_what_is_said_to_be_looked_at_is_there_to_be_seen(ada: Machine) -> None:
    """Who sees the time of the first look sees what was found, and no empty bucket."""
    ada.write("files/first", "f")
    ada.push()
    engine = ada.engine()
    answered, entries = engine._health.answered, []

    def told() -> None:
        entries.append(engine.snapshot().index.entries)
        answered()

    engine._health.answered = told  # type: ignore[method-assign]  # a hook on this one
    engine.start()
    try:
        seen = until(engine, lambda s: s.checked_at != "")
    finally:
        engine.stop()
    assert entries[0] == seen.index.entries > 0
