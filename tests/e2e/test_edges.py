"""What a real terminal and a real bucket do to the screen: locks, kills, two at once, leaving."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from s3dash.clock import SystemClock, iso
from s3dash.core.lock import LockBody, encode_lock
from s3dash.core.settings import Credentials
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.port import ObjectStore
from tests.cli.test_real import Desk
from tests.e2e.terminal import Terminal
from tests.servers import Server

GUARD_S = 0.35
LOCK = ".datastore.lock"
KIB = 1 << 10


@pytest.fixture
def desk(weed: Server, tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "desk", weed, bucket=weed.make_bucket(), bandwidth_limit=256 * KIB)
    made.write("files/first", "x")
    assert made("push").code == 0
    return made


@contextmanager
def screen_of(desk: Desk) -> Iterator[Terminal]:
    terminal = Terminal(cwd=desk.home, environ=desk.environ)
    try:
        terminal.wait_for("desk", "online")
        yield terminal
    finally:
        terminal.close()


def pushing(desk: Desk, terminal: Terminal) -> None:
    """A push of some megabytes is under way."""
    for number in range(30):
        desk.write(f"files/{number:02}", f"{number}" * (64 * KIB))
    terminal.wait_for("Dirty 30")
    terminal.press("P")
    terminal.wait_for("files/00", "leaves a row out")
    terminal.pause(GUARD_S)
    terminal.press("\r")
    terminal.wait_for("pushing")


@pytest.fixture
def store(desk: Desk, weed: Server) -> Iterator[ObjectStore]:
    """The bucket, beside every engine."""
    from s3dash.config.load import load

    loaded = load(config=None, datastore=None, namespace=None, environ=desk.environ, cwd=desk.home)
    opened = open_store(loaded.pick(), Credentials(weed.access_key, weed.secret_key))
    try:
        yield opened
    finally:
        opened.close()


def hold(store: ObjectStore, holder: str, nonce: str) -> None:
    """Somebody alive takes the lock."""
    body = LockBody(
        holder=holder,
        hostname="far-away",
        pid=4711,
        acquiredAt=iso(SystemClock().now()),
        ttlMs=600_000,
        nonce=nonce,
    )
    store.put(LOCK, encode_lock(body), content_type="application/json")


def test_a_lock_that_changes_hands_while_it_is_shown_is_not_released(
    desk: Desk, store: ObjectStore
) -> None:
    hold(store, "ann@far-away", "nonce-1")
    with screen_of(desk) as terminal:
        terminal.press("4")
        terminal.wait_for("ann@far-away", "LIVE")
        terminal.press("F")
        terminal.wait_for("Its holder will lose its work", "nonce-1")
        hold(store, "zoe@far-away", "nonce-2")
        terminal.pause(GUARD_S)
        terminal.press("far-away")
        terminal.pause(GUARD_S)
        terminal.press("\r")
        terminal.wait_for("was re-acquired by zoe@far-away, nothing released")
        terminal.press("q")
        assert terminal.end() == 0
    kept = store.get(LOCK)
    assert kept is not None
    assert json.loads(kept.body)["nonce"] == "nonce-2"


def test_a_second_screen_on_the_cache_attaches_and_names_the_first(desk: Desk) -> None:
    with screen_of(desk) as first, screen_of(desk) as second:
        second.wait_for(f"attached to pid {first.process.pid}", "idle")
        for terminal in (second, first):
            terminal.press("q")
            assert terminal.end() == 0


def test_after_a_kill_the_next_start_says_so_and_the_work_is_finished(desk: Desk) -> None:
    with screen_of(desk) as terminal:
        pushing(desk, terminal)
        killed = terminal.process.pid
        terminal.process.kill()
        assert terminal.end() == -signal.SIGKILL
    with screen_of(desk) as terminal:
        terminal.press("9")
        terminal.wait_for(f"the last s3dash here (pid {killed}")
        terminal.press("q")
        assert terminal.end() == 0
    assert "did not end in order" in desk("history").out
    done = desk("push", "--json")
    assert (done.code, done.document["failed"]) == (0, [])
    assert desk("status", "--json").document["local"]["dirty"] == []


def test_stopping_cleanly_leaves_no_lock_and_no_open_upload(desk: Desk, store: ObjectStore) -> None:
    with screen_of(desk) as terminal:
        pushing(desk, terminal)
        terminal.press("q")
        terminal.wait_for("stop it cleanly and quit")
        terminal.pause(GUARD_S)
        terminal.press("s")
        assert terminal.end() == 0
    assert LOCK not in {info.key for info in store.list("")}
    assert list(store.list_uploads()) == []
    assert len(desk("status", "--json").document["local"]["dirty"]) == 30


def test_a_terminal_that_goes_away_while_a_push_runs_leaves_no_lock(
    desk: Desk, store: ObjectStore
) -> None:
    with screen_of(desk) as terminal:
        pushing(desk, terminal)
        process = terminal.process
        terminal.main = _hang_up(terminal.main)
        assert process.wait(30) == 130
    assert LOCK not in {info.key for info in store.list("")}
    assert re.search(r"push.*cancelled|cancelled.*push", desk("history").out)


def _hang_up(main: int) -> int:
    """Close the master's end; something else to close at the end is the answer."""
    os.close(main)
    return os.open(os.devnull, os.O_RDONLY)
