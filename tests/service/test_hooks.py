"""The hook: what it is given, how often it runs, and that it never holds anything up."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from s3dash.clock import SystemClock
from s3dash.core.service import Occasion, WatchSettings
from s3dash.service.facts import Fact
from s3dash.service.hooks import WAITING, Hooks
from s3dash.service.tally import Tally
from tests.engine.clocks import TestClock

PATIENCE_S = 30.0
AT = "2026-03-04T05:06:07.000Z"


class Told:
    """The facts about the runs, and a way to wait for them."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self._changed = threading.Condition()

    def __call__(self, fact: Fact) -> None:
        with self._changed:
            self.facts.append(fact)
            self._changed.notify_all()

    def until(self, number: int) -> list[Fact]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.facts) >= number, PATIENCE_S)
        return self.facts


@contextmanager
def hooks(
    script: str, told: Told, tally: Tally, *, clock: Any = None, environ: Any = None, **how: Any
) -> Iterator[Hooks]:
    settings = WatchSettings(hook=(sys.executable, "-c", script), **how)
    about = {"datastore": "team", "namespace": "infra"}
    given = dict(os.environ) if environ is None else environ
    found = Hooks(settings, about, clock or SystemClock(), given, told, tally.hooked)
    found.start()
    try:
        yield found
    finally:
        found.stop(PATIENCE_S)


def conflict(occasion: Occasion | None = "conflict", **fields: Any) -> Fact:
    return Fact(at=AT, level="warning", event="x", fields=fields, occasion=occasion)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def tally() -> Tally:
    return Tally()


WRITE = """
import json, os, sys
mine = {k: v for k, v in os.environ.items() if k.startswith(("S3DASH_", "NOTIFY", "MORE"))}
with open(sys.argv[1] if len(sys.argv) > 1 else os.environ["MORE"], "w") as file:
    json.dump([json.load(sys.stdin), mine], file)
"""


def test_it_gets_one_document_and_the_same_in_short(
    tmp_path: Path, told: Told, tally: Tally
) -> None:
    environ = {**os.environ, "MORE": str(tmp_path / "out"), "NOTIFY_SOCKET": "/run/x"}
    with hooks(WRITE, told, tally, environ=environ) as found:
        found.on(conflict(paths=["a\x1b[0m", "b"], new=2))
        (fact,) = told.until(1)
    assert (fact.level, fact.fields) == ("info", {"for": "conflict", "outcome": "ok"})
    document, mine = json.loads((tmp_path / "out").read_text())
    assert document == {
        "event": "conflict",
        "at": AT,
        "datastore": "team",
        "namespace": "infra",
        "paths": ["a\x1b[0m", "b"],
        "new": 2,
        "left_out": 0,
    }
    assert mine == {
        "MORE": str(tmp_path / "out"),
        "S3DASH_EVENT": "conflict",
        "S3DASH_DATASTORE": "team",
        "S3DASH_NAMESPACE": "infra",
        "S3DASH_MESSAGE": "a\\x1b[0m, b",
    }
    assert tally.hooks == {("conflict", "ok"): 1}


def test_only_for_what_is_wanted(told: Told, tally: Tally) -> None:
    with hooks("", told, tally, events=("failure",)) as found:
        found.on(conflict())
        found.on(conflict(None))
        found.on(conflict("failure"))
        facts = told.until(1)
    assert [fact.fields["for"] for fact in facts] == ["failure"]


def test_not_more_often_than_agreed_and_it_says_what_it_left_out(
    tmp_path: Path, told: Told, tally: Tally
) -> None:
    clock = TestClock()
    environ = {**os.environ, "MORE": str(tmp_path / "out")}
    with hooks(WRITE, told, tally, clock=clock, environ=environ, hook_every_s=60.0) as found:
        for _ in range(5):
            found.on(conflict())
        found.on(conflict("failure"))
        told.until(2)
        clock.advance(61)
        found.on(conflict())
        told.until(3)
    assert json.loads((tmp_path / "out").read_text())[0]["left_out"] == 4
    assert tally.hooks == {("conflict", "ok"): 2, ("failure", "ok"): 1}


def test_a_hook_that_fails_is_told_with_the_end_of_what_it_said(told: Told, tally: Tally) -> None:
    script = "import sys; print('x' * 5000, 'so\\x1b[31m it is', file=sys.stderr); sys.exit(3)"
    with hooks(script, told, tally) as found:
        found.on(conflict())
        (fact,) = told.until(1)
    assert (fact.level, fact.fields["outcome"], fact.fields["exit_code"]) == (
        "warning",
        "failed",
        3,
    )
    said = str(fact.fields["said"])
    assert said.endswith("xx so\\x1b[31m it is")
    assert len(said) < 500
    assert tally.hooks == {("conflict", "failed"): 1}


def test_a_command_that_is_not_there_is_told(told: Told, tally: Tally) -> None:
    settings = WatchSettings(hook=("/nowhere/at/all",))
    found = Hooks(settings, {}, SystemClock(), {}, told, tally.hooked)
    found.start()
    found.on(conflict())
    (fact,) = told.until(1)
    found.stop(PATIENCE_S)
    assert fact.fields["error"] == "No such file or directory"


HANG = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(os.environ["MORE"] + ".new", "w") as file:
    file.write(str(child.pid))
os.rename(os.environ["MORE"] + ".new", os.environ["MORE"])
child.wait()
"""


def lives(pid: int) -> bool:
    """Neither gone nor a zombie that nobody has collected yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(holds: Callable[[], bool]) -> None:
    clock, never = SystemClock(), threading.Event()
    end = clock.monotonic() + PATIENCE_S
    while not holds():
        assert clock.monotonic() < end
        clock.wait(never, 0.02)


def test_one_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, told: Told, tally: Tally
) -> None:
    environ = {**os.environ, "MORE": str(tmp_path / "pid")}
    with hooks(HANG, told, tally, environ=environ, hook_timeout_s=3.0) as found:
        found.on(conflict())
        (fact,) = told.until(1)
    assert fact.fields["outcome"] == "timeout"
    until(lambda: not lives(int((tmp_path / "pid").read_text())))
    assert tally.hooks == {("conflict", "timeout"): 1}


def test_stop_ends_one_that_runs_and_drops_those_that_wait(
    tmp_path: Path, told: Told, tally: Tally
) -> None:
    environ = {**os.environ, "MORE": str(tmp_path / "pid")}
    with hooks(HANG, told, tally, environ=environ, hook_every_s=0) as found:
        found.on(conflict())
        until((tmp_path / "pid").exists)
        for _ in range(WAITING + 3):
            found.on(conflict())
        assert tally.hooks == {("conflict", "dropped"): 3}
    until(lambda: not lives(int((tmp_path / "pid").read_text())))


def test_one_that_reads_nothing_and_writes_much_blocks_nobody(told: Told, tally: Tally) -> None:
    script = "import sys; sys.stdout.write('x' * 3_000_000)"
    with hooks(script, told, tally) as found:
        found.on(conflict(paths=["p" * 1000] * 10))
        (fact,) = told.until(1)
    assert fact.fields["outcome"] == "ok"


def test_without_a_command_nothing_runs(told: Told, tally: Tally) -> None:
    found = Hooks(WatchSettings(), {}, SystemClock(), {}, told, tally.hooked)
    found.start()
    found.on(conflict())
    found.stop()
    assert tally.hooks == {}
