"""The service on a real engine over a bucket in memory: what it does unasked, says and leaves."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from s3dash.clock import SystemClock
from s3dash.core.cancel import CancelToken
from s3dash.core.lock import LockBody, encode_lock
from s3dash.core.service import Address, WatchSettings
from s3dash.errors import LocalError, S3DashError, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.service.loop import Service, Summary
from tests.engine.world import Machine, contents
from tests.service.scrape import OPEN, ask, samples

PATIENCE_S = 60.0
LOCK = ".datastore.lock"


class Running:
    """A service in a thread, its log as documents, and a way to wait for a line of it."""

    def __init__(self, machine: Machine, settings: WatchSettings, environ: dict[str, str]) -> None:
        self.log: list[dict[str, Any]] = []
        self.summary: Summary | None = None
        self.error: Exception | None = None
        self._changed = threading.Condition()
        self._token = CancelToken()
        self.engine = machine.engine()
        self.service = Service(
            self.engine,
            settings,
            write=self._written,
            clock=SystemClock(),
            environ=environ,
            verbose=True,
        )
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.summary = self.service.run(self._token)
        except S3DashError as error:
            self.error = error
        with self._changed:
            self._changed.notify_all()

    def _written(self, line: str) -> None:
        with self._changed:
            self.log.append(json.loads(line))
            self._changed.notify_all()

    def until(self, event: str, **fields: Any) -> dict[str, Any]:
        """The first line of this event with these fields."""

        def found() -> list[dict[str, Any]]:
            return [e for e in self.log if e["event"] == event and fields.items() <= e.items()]

        with self._changed:
            assert self._changed.wait_for(found, PATIENCE_S), (event, fields, self.log)
            return found()[0]

    def stop(self) -> Summary:
        self._token.cancel()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        assert self.summary is not None, self.error
        return self.summary

    def end(self) -> None:
        self._token.cancel()
        self._thread.join(PATIENCE_S)
        self.engine.stop()


@contextmanager
def serving(
    machine: Machine, environ: dict[str, str] | None = None, **settings: Any
) -> Iterator[Running]:
    running = Running(machine, WatchSettings(log_format="json", **settings), environ or {})
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def ada(tmp_path: Path, bucket: MemoryBucket) -> Machine:
    machine = Machine(tmp_path / "ada", lambda: MemoryStore(bucket), poll_interval_s=1.0)
    for name in "abcd":
        machine.write(f"files/{name}", name)
    machine.push()
    return machine


def there(bucket: MemoryBucket) -> dict[str, bytes]:
    return contents(MemoryStore(bucket), "files/")


def test_it_pushes_pulls_and_says_so(tmp_path: Path, ada: Machine, bucket: MemoryBucket) -> None:
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket))
    bob.pull()
    with serving(ada) as running:
        started = running.until("started")
        assert (started["mode"], started["datastore"]) == ("syncs", "ada")
        running.until("looked", entries=4)
        ada.write("files/new", "n")
        running.until("sync", pushed=1, outcome="ok")
        bob.pull()
        bob.write("files/theirs", "t")
        bob.push()
        running.until("sync", pulled=1)
        assert ada.read("files/theirs") == b"t"
        summary = running.stop()
    assert (summary.syncs, summary.files) == (2, {"pushed": 1, "pulled": 1})
    assert (summary.dirty, summary.behind, summary.errors) == (0, 0, {})
    assert [e["event"] for e in running.log[-2:]] == ["stopping", "stopped"]


def test_a_conflict_waits_and_nothing_else_does(
    tmp_path: Path, ada: Machine, bucket: MemoryBucket
) -> None:
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket))
    bob.pull()
    bob.write("files/a", "bob's")
    bob.push()
    ada.write("files/a", "ada's")
    ada.write("files/new", "n")
    with serving(ada) as running:
        assert running.until("conflict")["paths"] == ["files/a"]
        running.until("sync", pushed=1)
        running.until("suspended", text="1 conflict waits for you")
        running.stop()
    assert (ada.read("files/a"), there(bucket)["files/a"]) == (b"ada's", b"bob's")


def test_deletions_wait_and_it_says_how_many(ada: Machine, bucket: MemoryBucket) -> None:
    (ada.cache / "files/a").unlink()
    with serving(ada, metrics=Address()) as running:
        assert running.until("deletions")["waiting"] == 1
        address = running.until("started")["metrics"].split("/")[2]
        found = samples(ask(address, "/metrics", accept=OPEN).body)
        assert found[("s3dash_deletions_waiting", frozenset({"ada"}))] == 1
        running.stop()
    assert "files/a" in there(bucket)


def test_with_deletes_they_go_as_far_as_the_guard_lets_them(
    ada: Machine, bucket: MemoryBucket
) -> None:
    with serving(ada, deletes=True) as running:
        running.until("looked")
        (ada.cache / "files/a").unlink()
        running.until("sync", deleted_remote=1)
        assert set(there(bucket)) == {"files/b", "files/c", "files/d"}
        for name in "bcd":  # all of them: rather an accident
            (ada.cache / f"files/{name}").unlink()
        ada.write("files/new", "n")
        running.until("deletions", waiting=3)
        running.until("sync", pushed=1)
        running.stop()
    assert set(there(bucket)) == {"files/b", "files/c", "files/d", "files/new"}


def test_with_a_bound_of_its_own(ada: Machine, bucket: MemoryBucket) -> None:
    for name in "ab":
        (ada.cache / f"files/{name}").unlink()
    with serving(ada, deletes=True, max_delete=1) as running:
        running.until("deletions", waiting=2)
        ada.write("files/a", "back")
        running.until("sync", deleted_remote=1)
        running.stop()
    assert set(there(bucket)) == {"files/a", "files/c", "files/d"}


def test_what_the_bucket_deleted_goes_here_too_and_to_the_trash(
    tmp_path: Path, ada: Machine, bucket: MemoryBucket
) -> None:
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket))
    bob.pull()
    (bob.cache / "files/a").unlink()
    bob.push()
    with serving(ada, deletes=True) as running:
        running.until("sync", deleted_local=1)
        running.stop()
    assert [item.path for item in ada.trash()] == ["files/a"]


def test_a_held_lock_holds_up_the_push_alone_and_is_no_failure(
    tmp_path: Path, bucket: MemoryBucket, ada: Machine
) -> None:
    slow = Machine(
        tmp_path / "ada", lambda: MemoryStore(bucket), poll_interval_s=1.0, lock_timeout_ms=1000
    )
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket))
    bob.pull()
    with serving(slow, failures=1) as running:
        running.until("looked")
        store = MemoryStore(bucket)
        body = encode_lock(LockBody(holder="eve@pc", nonce="n", ttlMs=600_000))
        held = store.put(LOCK, body)
        slow.write("files/new", "n")
        running.until("sync", outcome="waiting", error="LockHeld")
        why = "the push waits for the lock that eve@pc holds"
        running.until("suspended", text=why)
        assert running.engine.snapshot().auto.failures == 0
        store.delete(LOCK, if_match=held.etag)
        bob.write("files/theirs", "t")
        bob.push()
        running.until("sync", pulled=1)
        running.until("resumed")
        summary = running.stop()
    assert there(bucket)["files/new"] == b"n"
    assert summary.errors == {}
    assert not [e for e in running.log if e["event"] == "failing"]


def test_what_is_behind_comes_while_the_lock_is_held(
    tmp_path: Path, bucket: MemoryBucket, ada: Machine
) -> None:
    slow = Machine(
        tmp_path / "ada", lambda: MemoryStore(bucket), poll_interval_s=1.0, lock_timeout_ms=1000
    )
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket))
    bob.pull()
    bob.write("files/theirs", "t")
    bob.push()
    body = encode_lock(LockBody(holder="eve@pc", nonce="n", ttlMs=600_000))
    MemoryStore(bucket).put(LOCK, body)
    slow.write("files/new", "n")
    with serving(slow) as running:
        running.until("sync", error="LockHeld")
        running.until("suspended", text="the push waits for the lock that eve@pc holds")
        assert slow.read("files/theirs") == b"t"
        running.stop()


def test_an_endpoint_that_goes_away_is_a_failure_and_comes_back(
    tmp_path: Path, bucket: MemoryBucket, ada: Machine
) -> None:
    away = threading.Event()

    def fail(op: str, key: str) -> None:
        if away.is_set():
            raise Unreachable("nobody answers")

    machine = Machine(
        tmp_path / "ada", lambda: MemoryStore(bucket, before=fail), poll_interval_s=1.0
    )
    with serving(machine, failures=2, metrics=Address()) as running:
        address = running.until("started")["metrics"].split("/")[2]
        running.until("looked")
        assert ask(address, "/healthz").status == 200
        away.set()
        assert running.until("offline")["text"] == "nobody answers"
        assert running.until("failing")["times"] >= 2, "seen at the next look, or the one after"
        bad = ask(address, "/healthz")
        assert (bad.status, "nobody answers" in bad.body) == (503, True)
        machine.write("files/new", "n")
        away.clear()
        running.engine.refresh()
        running.until("online")
        running.until("recovered")
        running.until("sync", pushed=1)
        summary = running.stop()
    assert summary.errors == {"offline": 1}


def test_a_stale_lock_runs_the_hook(tmp_path: Path, ada: Machine, bucket: MemoryBucket) -> None:
    out = tmp_path / "out"
    body = encode_lock(LockBody(holder="eve@pc", nonce="n", ttlMs=1))
    MemoryStore(bucket).put(LOCK, body)
    hook = ("/bin/sh", "-c", f"cat > {out}")
    with serving(ada, hook=hook, environ={"PATH": "/usr/bin:/bin"}) as running:
        running.until("stale-lock", holder="eve@pc")
        running.until("hook", outcome="ok")
        running.stop()
    document = json.loads(out.read_text())
    assert (document["event"], document["key"]) == ("stale-lock", LOCK)


def test_a_readonly_datastore_is_only_looked_at(
    tmp_path: Path, ada: Machine, bucket: MemoryBucket
) -> None:
    looking = Machine(
        tmp_path / "ada", lambda: MemoryStore(bucket), poll_interval_s=1.0, readonly=True
    )
    with serving(looking) as running:
        assert running.until("started")["mode"] == "looks only"
        running.until("looked")
        looking.write("files/new", "n")
        running.until("dirty", files=1)
        running.stop()
    assert "files/new" not in there(bucket)


def test_systemd_is_told_of_each_step(tmp_path: Path, ada: Machine) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
        with serving(ada, environ=environ) as running:
            said = [manager.recv(4096).decode()]
            assert said == ["READY=1"]
            while said.count("WATCHDOG=1") < 2 or not any(s.startswith("STATUS=") for s in said):
                said.append(manager.recv(4096).decode())
            running.stop()
            while said[-1] != "STOPPING=1":
                said.append(manager.recv(4096).decode())


def test_a_bug_in_a_thread_of_the_engine_ends_the_service(tmp_path: Path, ada: Machine) -> None:
    def buggy(op: str, key: str) -> None:
        if threading.current_thread().name == "s3dash-poll":
            raise ZeroDivisionError("the password is hush-hush")

    machine = Machine(tmp_path / "ada", lambda: MemoryStore(MemoryBucket(), before=buggy))
    before = threading.excepthook
    with serving(machine) as running:
        told = running.until("broken")
        assert told["text"] == "s3dash-poll ended by an unexpected ZeroDivisionError"
        running.until("stopped")
    assert isinstance(running.error, S3DashError)
    assert "hush" not in json.dumps(running.log)
    assert threading.excepthook is before


def test_metrics_that_cannot_be_served_start_nothing(ada: Machine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        engine = ada.engine()
        settings = WatchSettings(metrics=Address(port=taken.getsockname()[1]))
        service = Service(engine, settings, write=print, clock=SystemClock(), environ={})
        with pytest.raises(LocalError, match="cannot be served"):
            service.run(CancelToken())
        assert engine.snapshot().watch.mode == "off"
        engine.stop()


def test_nothing_of_it_is_left_and_it_takes_no_second(ada: Machine) -> None:
    before = set(threading.enumerate())
    with serving(ada, metrics=Address(), hook=("true",)) as running:
        running.until("looked")
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < 10
    left = [t.name for t in threading.enumerate() if t not in before]
    assert left == []
