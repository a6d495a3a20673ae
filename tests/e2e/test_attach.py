"""A `watch` owns the cache, on SeaweedFS: commands and a screen on a real terminal attach to it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from s3dash.attach import place
from tests.cli.test_real import Desk
from tests.e2e.terminal import Terminal
from tests.servers import Server

PATIENCE_S = 60.0
GUARD_S = 0.35
KIB = 1 << 10


@pytest.fixture
def desk(weed: Server, tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk", weed, bucket=weed.make_bucket(), poll_interval_s=1)


def started(desk: Desk, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "s3dash", *arguments],
        cwd=desk.home,
        env={"PATH": os.environ["PATH"], **desk.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def until(holds: Callable[[], object], told: Callable[[], object] = str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, told()
        time.sleep(0.02)


def door(desk: Desk) -> Path | None:
    """Where the owner of the cache lets others in."""
    found = [place.address(lock.parent) for lock in (desk.home / "state").rglob("owner.lock")]
    return found[0] if found else None


@contextmanager
def watching(desk: Desk) -> Iterator["subprocess.Popen[str]"]:
    """A `watch` that owns the cache and lets others in."""
    watch = started(desk, "watch")
    try:
        until(lambda: door(desk) is not None or watch.poll() is not None)
        assert watch.poll() is None, "the watch ended"
        yield watch
    finally:
        watch.kill()
        watch.communicate()
        if (left := door(desk)) is not None:
            left.unlink(missing_ok=True)


@contextmanager
def screen(desk: Desk, *arguments: str) -> Iterator[Terminal]:
    terminal = Terminal(*arguments, cwd=desk.home, environ=desk.environ)
    try:
        yield terminal
    finally:
        terminal.close()


def keys_in(desk: Desk) -> set[str]:
    """What a fresh desk on the same bucket would get."""
    config = (desk.home / "s3dash.toml").read_text()
    other = Desk.__new__(Desk)
    other.home, other.cache = desk.home / "other", desk.home / "other" / "cache"
    other.cache.mkdir(parents=True, exist_ok=True)
    (other.home / "s3dash.toml").write_text(config)
    other.environ = {**desk.environ, "XDG_STATE_HOME": str(other.home / "state")}
    plan = other("pull", "--dry-run", "--json").document["plan"]
    return {row["path"] for row in plan}


def auto_off(terminal: Terminal) -> None:
    """So that what is dirty stays that until somebody pushes."""
    terminal.wait_for("attached to pid", "(watch)", "AUTO on")
    terminal.press("A")
    terminal.wait_until(lambda shown: "AUTO on" not in shown)


def push_by_key(terminal: Terminal, name: str) -> None:
    terminal.press("P")
    terminal.wait_for(name, "enter")
    terminal.pause(GUARD_S)
    terminal.press("\r")
    terminal.wait_for("push done")


def test_a_screen_shows_a_watch_pushes_through_it_and_outlives_it(desk: Desk) -> None:
    with watching(desk) as watch, screen(desk) as terminal:
        auto_off(terminal)
        assert f"pid {watch.pid} (watch)" in terminal.shown
        desk.write("files/one", "1")
        terminal.wait_for("Dirty 1")
        push_by_key(terminal, "files/one")
        assert "files/one" in keys_in(desk)
        assert watch.poll() is None
        desk.write("files/two", "2")
        terminal.wait_for("Dirty 1")
        watch.kill()
        watch.wait(PATIENCE_S)
        terminal.wait_until(lambda shown: "attached" not in shown.splitlines()[0])
        terminal.wait_for("Dirty 1", "idle")
        push_by_key(terminal, "files/two")
        assert {"files/one", "files/two"} <= keys_in(desk)
        terminal.press("q")
        assert terminal.end() == 0
    assert desk("status", "--json").document["local"]["dirty"] == []
    assert "has ended: this cache is ours now" not in desk("history").out, "the screen's own word"


def test_a_screen_leaves_without_stopping_the_watch_and_another_gives_way_to_one(
    desk: Desk,
) -> None:
    with screen(desk) as terminal:
        terminal.wait_for("idle")
        until(lambda: door(desk) is not None)
        with watching(desk) as watch:
            terminal.wait_for(f"attached to pid {watch.pid} (watch)", "AUTO on")
            desk.write("files/one", "1")
            until(lambda: "files/one" in keys_in(desk))
            terminal.press("q")
            assert terminal.end() == 0
            assert watch.poll() is None
            watch.send_signal(signal.SIGTERM)
            assert watch.wait(PATIENCE_S) == 0
    assert door(desk) is None


def test_commands_go_through_the_watch(desk: Desk) -> None:
    with watching(desk) as watch:
        desk.write("files/one", "1")
        done = desk("push", "--json")
        assert (done.code, done.document["failed"]) == (0, []), done.err
        until(lambda: "files/one" in keys_in(desk))
        assert desk("status", "--json").document["local"]["dirty"] == []
        assert desk("--readonly", "status").code == 0
        assert desk("locks", "--json").document == {"locks": []}
        assert desk("--namespace", "web", "push").code == 4, "the watch works in another place"
        refused = desk("watch")
        assert (refused.code, "belongs to" in refused.err) == (4, True), refused.err
        assert watch.poll() is None


def slow(weed: Server, tmp_path: Path) -> Desk:
    """A push takes seconds; nothing pushes by itself before a minute has gone."""
    fields: dict[str, Any] = {"bandwidth_limit": 64 * KIB, "poll_interval_s": 3600}
    return Desk(tmp_path / "desk", weed, bucket=weed.make_bucket(), **fields)


def state_of(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk("status", "--json").document
    return found


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_ends_takes_its_push_with_it_and_no_more(
    weed: Server, tmp_path: Path, ending: signal.Signals
) -> None:
    desk = slow(weed, tmp_path)
    with screen(desk) as terminal:
        terminal.wait_for("idle")
        until(lambda: door(desk) is not None)
        for number in range(8):
            desk.write(f"files/{number}", "x" * 128 * KIB)
        terminal.wait_for("Dirty 8")
        command = started(desk, "push", "--json")
        terminal.wait_for("pushing")
        command.send_signal(ending)
        out, _ = command.communicate(timeout=PATIENCE_S)
        assert command.returncode == (130 if ending == signal.SIGINT else -signal.SIGKILL)
        if out:
            assert json.loads(out)["error"]["type"] == "Cancelled"
        terminal.wait_until(lambda shown: "pushing" not in shown and "idle" in shown)
        terminal.press("q")
        assert terminal.end() == 0
    found = state_of(desk)
    assert found["locks"] == []
    assert len(found["local"]["dirty"]) == 8


def test_a_killed_owner_in_the_middle_of_our_push_loses_nothing(
    weed: Server, tmp_path: Path
) -> None:
    desk = slow(weed, tmp_path)
    with ExitStack() as closing:
        owner = closing.enter_context(screen(desk))
        until(lambda: door(desk) is not None)
        guest = closing.enter_context(screen(desk))
        guest.wait_for(f"attached to pid {owner.process.pid} (screen)")
        for number in range(4):
            desk.write(f"files/{number}", "x" * 64 * KIB)
        guest.wait_for("Dirty 4")
        command = started(desk, "push", "--json")
        guest.wait_for("pushing")
        owner.process.kill()
        owner.process.wait()
        out, _ = command.communicate(timeout=PATIENCE_S)
        assert command.returncode == 1, out
        assert json.loads(out)["error"]["type"] == "OwnerGone"
        guest.wait_until(lambda shown: "attached" not in shown.splitlines()[0])
        guest.wait_for("Dirty 4", "idle")
        done = desk("push", "--json")
        assert (done.code, done.document["failed"]) == (0, []), done.err
        guest.wait_until(lambda shown: re.search(r"Dirty \d", shown) is None)
    assert {f"files/{number}" for number in range(4)} <= keys_in(desk)


def test_what_an_attached_screen_detaches_goes_on_in_the_owner(
    weed: Server, tmp_path: Path
) -> None:
    desk = slow(weed, tmp_path)
    for number in range(6):
        desk.write(f"files/{number}", "x" * 64 * KIB)
    with ExitStack() as closing:
        owner = closing.enter_context(screen(desk))
        until(lambda: door(desk) is not None)
        guest = closing.enter_context(screen(desk))
        guest.wait_for("attached to pid", "Dirty 6")
        guest.press("P")
        guest.wait_for("files/5", "enter")
        guest.pause(GUARD_S)
        guest.press("\r")
        guest.wait_for("pushing")
        guest.press("q")
        guest.wait_for("detach: quit, and it goes on")
        guest.pause(GUARD_S)
        guest.press("d")
        assert guest.end() == 0
        until(lambda: "has ended" in desk("history").out, lambda: desk("history").out)
        assert owner.process.poll() is None
        owner.wait_until(lambda shown: "pushing" not in shown and "idle" in shown)
    told = desk("history").out
    assert "goes on without a screen" in told
    assert "detached push" in told
    assert keys_in(desk) == {f"files/{number}" for number in range(6)}


def test_an_owner_that_was_suspended_is_read_beside(desk: Desk) -> None:
    with watching(desk) as watch:
        desk.write("files/one", "1")
        until(lambda: "files/one" in keys_in(desk))
        watch.send_signal(signal.SIGSTOP)
        try:
            assert desk("status", "--json").code == 0
            refused = desk("push")
            assert refused.code == 4
            assert "does not answer" in refused.err
        finally:
            watch.send_signal(signal.SIGCONT)
        assert desk("push").code == 0
