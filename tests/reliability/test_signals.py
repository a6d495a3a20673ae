"""A polite signal while a push holds the lock: it lets go of it, and the next push goes on.

Real processes on SeaweedFS. The answer to a request under the lock is held back until the
process has taken notice of the signal.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3dash.local.state import State
from tests.cli.test_real import Desk
from tests.e2e.terminal import Terminal
from tests.reliability.holders import COMMITS, LOCK, META, is_index_write
from tests.reliability.ledger import Ledger, Record
from tests.servers import Server
from tests.tally import Effort

PATIENCE_S = 60.0
POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Trap:
    """Springs at the answer to one request: sends the signal, and waits for `noticed`."""

    def __init__(self, meets: Callable[[Record], bool], number: signal.Signals) -> None:
        self.meets = meets
        self.number = number
        self.victim: subprocess.Popen[bytes] | None = None
        self.ready = threading.Event()
        self.sprung = threading.Event()
        self.noticed = threading.Event()

    def __call__(self, record: Record) -> None:
        if self.sprung.is_set() or not (record.applied and self.meets(record)):
            return
        self.ready.wait(PATIENCE_S)
        assert self.victim is not None
        self.sprung.set()
        self.victim.send_signal(self.number)
        self.noticed.wait(PATIENCE_S)


def is_record(record: Record) -> bool:
    return record.key.startswith(COMMITS)


def is_shard(record: Record) -> bool:
    return record.key.startswith("_index/") and record.key != META


@pytest.fixture
def ledger(weed: Server) -> Iterator[Ledger]:
    with Ledger(weed) as ledger:
        yield ledger


def desk_behind(ledger: Ledger, weed: Server, tmp_path: Path, **fields: object) -> Desk:
    bucket = weed.make_bucket()
    door = ledger.door("desk")
    desk = Desk(tmp_path / "desk", weed, bucket=bucket, **{"endpoint": door, **fields})
    desk.write("files/a", "a")
    desk.write("logs/l", "l")
    return desk


def push_into(trap: Trap, desk: Desk) -> tuple[int, str, str]:
    """A push in a process of its own; exit code and both streams."""
    trap.victim = process = subprocess.Popen(
        [sys.executable, "-m", "s3dash", "--json", "push"],
        cwd=desk.home,
        env={**os.environ, **desk.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    trap.ready.set()
    assert process.stdout is not None
    assert process.stderr is not None
    told = []
    with process.stdout as out, process.stderr as err:
        for line in err:
            told.append(line.decode())
            if "stopping" in told[-1]:
                trap.noticed.set()
        return process.wait(PATIENCE_S), out.read().decode(), "".join(told)


def journal(desk: Desk) -> list[str]:
    (path,) = desk.home.glob("state/**/*.sqlite")
    state = State(path, read_only=True)
    try:
        return sorted(row.rel for row in state.journal())
    finally:
        state.close()


def has_lock(weed: Server, records: list[Record]) -> bool:
    """What became of the lock, by the last change of it."""
    changes = [r for r in records if r.key == LOCK and r.applied]
    assert changes, "nobody ever took the lock"
    return max(changes, key=lambda r: r.until).method == "PUT"


@pytest.mark.parametrize("number", POLITE, ids=lambda n: n.name)
def test_a_push_that_is_stopped_under_the_lock_releases_it_and_the_next_goes_on(
    number: signal.Signals, ledger: Ledger, weed: Server, tmp_path: Path, effort: Effort
) -> None:
    desk = desk_behind(ledger, weed, tmp_path)
    ledger.after = trap = Trap(is_record, number)
    code, out, err = push_into(trap, desk)
    assert trap.sprung.is_set(), (code, out, err)
    assert (code, json.loads(out)["error"]["type"]) == (130, "Cancelled")
    assert number.name in out
    assert "Traceback" not in err
    assert not has_lock(weed, ledger.records)
    assert [r.key for r in ledger.records if is_index_write(r) and not is_record(r)] == []
    assert journal(desk) == ["files/a", "logs/l"]
    done = desk("push", "--json")
    assert (done.code, done.document["commit_seq"]) == (0, 1)
    assert journal(desk) == []
    clean = desk("status", "--json").document
    assert (clean["local"]["dirty"], clean["index"]["entries"], clean["locks"]) == ([], 2, [])
    effort.count("signals under the lock")


def test_a_commit_that_has_begun_is_carried_through(
    ledger: Ledger, weed: Server, tmp_path: Path, effort: Effort
) -> None:
    """Half an index would be readable, but plain peers would not see what is new in it."""
    desk = desk_behind(ledger, weed, tmp_path)
    ledger.after = trap = Trap(is_shard, signal.SIGTERM)
    code, out, err = push_into(trap, desk)
    assert trap.sprung.is_set(), (code, out, err)
    assert (code, json.loads(out)["commit_seq"]) == (0, 1), err
    assert not has_lock(weed, ledger.records)
    assert journal(desk) == []
    clean = desk("status", "--json").document
    assert (clean["local"]["dirty"], clean["index"]["entries"], clean["locks"]) == ([], 2, [])
    effort.count("signals under the lock")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_the_screen_releases_the_lock_too(
    number: signal.Signals, ledger: Ledger, weed: Server, tmp_path: Path, effort: Effort
) -> None:
    desk = desk_behind(ledger, weed, tmp_path, auto_sync=True)
    ledger.after = trap = Trap(is_record, number)
    terminal = Terminal(cwd=desk.home, environ=desk.environ)
    trap.victim = terminal.process
    trap.ready.set()
    try:
        terminal.wait_until(lambda _: "\x1b[?1049l" in terminal.written)  # the old screen is back
        trap.noticed.set()
        code = terminal.end()
    finally:
        trap.noticed.set()
        terminal.close()
    assert trap.sprung.is_set(), terminal.shown
    assert code == 130
    assert not has_lock(weed, ledger.records)
    done = desk("push", "--json")
    assert (done.code, done.document["commit_seq"]) == (0, 1)
    effort.count("signals under the lock")
