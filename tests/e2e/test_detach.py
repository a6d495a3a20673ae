"""Quitting while a push runs, on a real terminal and SeaweedFS: it goes on without the screen."""

import os
import re
import select
import time
from pathlib import Path

from tests.cli.test_real import Desk
from tests.e2e.terminal import Terminal
from tests.servers import Server

PATIENCE_S = 60.0
GUARD_S = 0.35
FILES, KIB = 12, 64


def keys_in(bucket_of: Desk) -> list[str]:
    """What a fresh desk on the same bucket would get."""
    done = bucket_of("pull", "--dry-run", "--json")
    return sorted(row["path"] for row in done.document["plan"])


def wait_for_end(pid: int) -> None:
    handle = os.pidfd_open(pid)
    try:
        assert select.select([handle], [], [], PATIENCE_S)[0], "it never ended"
    finally:
        os.close(handle)


def wait_until_it_owns_the_cache(desk: Desk) -> None:
    """The one that carries on says what for it owns it, once it has it."""
    end = time.monotonic() + PATIENCE_S
    [owner] = (desk.home / "state").rglob("owner.lock")
    while "detached push" not in owner.read_text():
        assert time.monotonic() < end, owner.read_text()


def confirm_all_but_the_second(terminal: Terminal, *, count: int) -> None:
    """The plan: deletions first, and the second of them is left out."""
    terminal.wait_for(f"Dirty {count}")
    terminal.press("P")
    terminal.wait_for("files/gone", "files/kept", "leaves a row out")
    terminal.press("j ")
    terminal.wait_for("1 left out")
    terminal.pause(GUARD_S)
    terminal.press("y")
    terminal.wait_for("pushing")


def test_a_push_goes_on_in_a_process_of_its_own(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    desk = Desk(tmp_path / "desk", weed, bucket=bucket, bandwidth_limit=KIB << 12)
    for name in ("gone", "kept"):
        desk.write(f"files/{name}", name)
    assert desk("push").code == 0
    for name in ("gone", "kept"):
        (desk.cache / f"files/{name}").unlink()
    for number in range(FILES):
        desk.write(f"files/{number:02}", f"{number}" * (KIB << 10))
    terminal = Terminal(cwd=desk.home, environ=desk.environ)
    try:
        confirm_all_but_the_second(terminal, count=FILES + 2)
        desk.write("files/later", "nobody was shown this")
        terminal.press("q")
        terminal.wait_for("detach: quit, and it goes on")
        terminal.pause(GUARD_S)
        terminal.press("d")
        assert terminal.end() == 0
    finally:
        terminal.close()
    found = re.search(r"goes on without the screen as pid (\d+)", terminal.written)
    assert found is not None, terminal.written[-2000:]
    pid = int(found[1])
    assert os.getsid(pid) == pid
    wait_until_it_owns_the_cache(desk)
    refused = desk("push")
    assert (refused.code, "detached push" in refused.err) == (4, True), refused.err
    wait_for_end(pid)
    told = desk("history").out
    assert "detached push" in told
    assert "has ended" in told
    other = Desk(tmp_path / "other", weed, bucket=bucket)
    assert keys_in(other) == sorted([*(f"files/{n:02}" for n in range(FILES)), "files/kept"])
    left = desk("status", "--json").document
    assert {row["path"] for row in left["local"]["dirty"]} == {"files/kept", "files/later"}
    assert left["locks"] == []
