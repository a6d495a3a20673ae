"""`s3dash watch`: its options, its refusals, and a real process on SeaweedFS from start to stop."""

import ctypes
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.cli.options import Options
from s3dash.core.cancel import CancelToken
from s3dash.core.service import WatchSettings
from s3dash.core.snapshot import Snapshot
from tests.cli.fakes import FakeEngine, FakeServices, cli
from tests.cli.test_real import Desk
from tests.reliability.holders import LOCK, META
from tests.reliability.ledger import Ledger, Record
from tests.servers import Server
from tests.service.process import PATIENCE_S, Watch
from tests.service.scrape import OPEN, ask, samples

# --- refusals -----------------------------------------------------------------------------


class Owned(FakeEngine):
    """An engine whose cache belongs to somebody else."""

    def snapshot(self) -> Snapshot:
        return replace(super().snapshot(), read_only="pid 7 on vm (screen)")


def test_a_cache_that_is_owned_is_refused_and_its_owner_named() -> None:
    engine = Owned()
    done = cli("watch", "--json", services=FakeServices(engine))
    assert done.code == 4
    assert done.document["error"]["type"] == "CacheBusy"
    assert "pid 7 on vm (screen)" in done.document["error"]["message"]
    assert engine.stops == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--metrics", "nowhere"], "--metrics must be like 9464"),
        (["--on-event", "tell 'the team"], "--on-event is no command line"),
        (["--max-delete", "3"], "--max-delete is for --deletes"),
        (["--max-delete", "0", "--deletes"], "--max-delete"),
        (["--log-format", "xml"], "--log-format"),
        (["--namespace", "a,b"], "one namespace at a time"),
    ],
)
def test_wrong_options_are_refused(options: list[str], told: str) -> None:
    done = cli("watch", *options, "--json")
    assert done.code == 2
    assert told in done.document["error"]["message"]


# --- a signal before it has begun ---------------------------------------------------------


class Struck(FakeServices):
    """Services that a signal comes upon while they open an engine."""

    number = signal.SIGTERM

    def service(self, options: Options, cancel: CancelToken) -> tuple[FakeEngine, WatchSettings]:
        os.kill(os.getpid(), self.number)
        assert cancel.event.wait(PATIENCE_S)
        return super().service(options, cancel)


def test_a_service_that_is_stopped_while_it_opens_has_not_failed() -> None:
    services = Struck()
    done = cli("watch", "--json", services=services)
    assert (done.code, done.document["error"]["type"]) == (0, "Cancelled")
    assert done.document["error"]["message"] == "stopped by SIGTERM"
    assert services.fake.stops == 1


class Insisted(Struck):
    """A second signal comes while it does not get on."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def service(self, options: Options, cancel: CancelToken) -> tuple[FakeEngine, WatchSettings]:
        answer = super().service(options, cancel)
        os.kill(os.getpid(), self.number)
        assert self.over.wait(PATIENCE_S)
        return answer


def test_who_insists_ends_it_at_once_which_is_not_in_order() -> None:
    services = Insisted()
    try:
        assert cli("watch", services=services).code == 130
    finally:
        services.over.set()


class Sudden(dict[str, str]):
    """An environment that is looked at when the signals are ours already: then one comes."""

    def get(self, key: str, default: Any = None) -> Any:
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().get(key, default)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["watch"], 0),
        (["--datastore", "team", "watch", "--metrics", "0"], 0),
        (["push"], 130),
        (["push", "watch"], 130),
        (["--datastore", "watch", "status"], 130),
    ],
)
def test_a_signal_before_any_command_was_chosen(arguments: list[str], code: int) -> None:
    engine = FakeEngine()
    assert cli(*arguments, engine=engine, environ=Sudden(TERM="dumb")).code == code
    assert engine.stops == 0


# --- a real one ---------------------------------------------------------------------------


@pytest.fixture
def desk(weed: Server, tmp_path: Path) -> Desk:
    return Desk(tmp_path / "ada", weed, bucket=weed.make_bucket(), poll_interval_s=1)


def test_from_start_to_stop(weed: Server, tmp_path: Path, desk: Desk) -> None:
    bucket = json.loads(desk("config", "show", "--json").out)["datastores"]["desk"]["bucket"]
    bob = Desk(tmp_path / "bob", weed, bucket=bucket)
    desk.write("files/a", "a")
    with Watch("--metrics", "0", cwd=desk.home, environ=desk.environ) as watch:
        watch.until("sync", pushed=1)
        desk.write("files/b", "b")
        watch.until("sync", pushed=1, commit_seq=2)
        assert bob("pull", "--json").document["pulled"] == 2
        bob.write("files/c", "c")
        assert bob("push").code == 0
        watch.until("sync", pulled=1)
        assert (desk.cache / "files/c").read_text() == "c"
        found = samples(ask(watch.metrics, "/metrics", accept=OPEN).body)
        place = frozenset({"desk"})
        assert found[("s3dash_dirty", place)] == found[("s3dash_behind", place)] == 0
        assert found[("s3dash_commit_seq", place)] == 3
        assert found[("s3dash_bytes_total", place | {"up"})] == 2
        assert found[("s3dash_syncs_total", place | {"sync", "ok"})] == 3
        assert ask(watch.metrics, "/healthz").status == 200
        code, summary = watch.stop()
    assert code == 0
    assert (summary["datastore"], summary["syncs"]) == ("desk", 3)
    assert summary["files"] == {"pushed": 2, "pulled": 1}
    assert watch.other == []
    secrets = (weed.access_key, weed.secret_key)
    assert not [line for line in map(str, watch.log) if any(s in line for s in secrets)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_other_signals_end_it_too_with_the_code_of_an_interruption(
    desk: Desk, number: signal.Signals
) -> None:
    with Watch(cwd=desk.home, environ=desk.environ) as watch:
        watch.until("looked")
        code, summary = watch.stop(number)
    assert (code, summary["syncs"]) == (130, 0)


def test_a_stop_in_the_middle_of_a_commit_leaves_no_lock_and_loses_nothing(
    weed: Server, tmp_path: Path
) -> None:
    bucket = weed.make_bucket()
    with Ledger(weed) as ledger:
        desk = Desk(
            tmp_path / "ada",
            weed,
            bucket=bucket,
            endpoint=ledger.door("ada"),
            poll_interval_s=1,  # a round that fails on a slow server is soon followed by another
            request_timeout_ms=30_000,
        )
        for n in range(40):
            desk.write(f"files/{n}", f"{n}")
        with Watch(cwd=desk.home, environ=desk.environ) as watch:

            def strike(record: Record) -> None:
                if record.applied and record.key.startswith("_index/") and record.key != META:
                    watch.process.send_signal(signal.SIGTERM)

            ledger.after = strike
            code, _ = watch.end()
            ledger.after = None
        assert code == 0
        assert desk("locks", "--json").document == {"locks": []}
        assert [r.key for r in ledger.records if r.applied and r.key == LOCK]
        assert desk("push").code == 0
        other = Desk(tmp_path / "bob", weed, bucket=bucket)
        assert other("pull", "--json").document["pulled"] == 40


def test_a_signal_is_heeded_at_once(desk: Desk) -> None:
    with Watch(cwd=desk.home, environ=desk.environ) as watch:
        watch.until("looked")
        code, _ = watch.stop()
        stopped = watch.until("stopped")
    assert (code, stopped["seconds"] < 2) == (0, True)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "tgkill"), reason="no way to name a thread")
def test_a_signal_that_another_thread_gets_is_heeded_too(desk: Desk) -> None:
    """The main thread waits meanwhile, and nothing wakes it: it has to look."""
    with Watch(cwd=desk.home, environ=desk.environ) as watch:
        watch.until("looked")
        pid = watch.process.pid
        others = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
        other = max(tid for tid in others if tid != pid)
        assert ctypes.CDLL(None).tgkill(pid, other, signal.SIGTERM) == 0
        assert watch.end()[0] == 0


def test_the_hook_and_what_it_is_told(weed: Server, tmp_path: Path, desk: Desk) -> None:
    bucket = json.loads(desk("config", "show", "--json").out)["datastores"]["desk"]["bucket"]
    bob = Desk(tmp_path / "bob", weed, bucket=bucket)
    desk.write("files/a", "a")
    assert desk("push").code == bob("pull").code == 0
    bob.write("files/a", "bob's")
    assert bob("push").code == 0
    desk.write("files/a", "ada's")
    script = desk.home / "hook"
    script.write_text('#!/bin/sh\ncat > "$1/$S3DASH_EVENT.json"\n')
    script.chmod(0o755)
    command = f"'{script}' '{desk.home}'"
    with Watch("--on-event", command, cwd=desk.home, environ=desk.environ) as watch:
        watch.until("hook", outcome="ok", **{"for": "conflict"})
        assert watch.stop()[0] == 0
    told = json.loads((desk.home / "conflict.json").read_text())
    assert (told["event"], told["datastore"], told["paths"]) == ("conflict", "desk", ["files/a"])


def test_two_on_one_cache_are_refused(desk: Desk) -> None:
    with Watch(cwd=desk.home, environ=desk.environ) as watch:
        watch.until("looked")
        done = desk("watch", "--json")
        assert (done.code, done.document["error"]["type"]) == (4, "CacheBusy")
        assert str(watch.process.pid) in done.document["error"]["message"]
        assert watch.stop()[0] == 0


def test_to_look_only_beside_it_is_fine(desk: Desk) -> None:
    with Watch(cwd=desk.home, environ=desk.environ) as watch:
        watch.until("looked")
        with Watch("--readonly", cwd=desk.home, environ=desk.environ) as second:
            assert second.until("started")["mode"] == "looks only"
            second.until("looked")
            assert second.stop()[0] == 0
        assert watch.stop()[0] == 0
