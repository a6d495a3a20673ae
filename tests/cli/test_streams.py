"""Standard streams that are closed, full, cut off or no terminal, in every combination."""

import json
import os
import pty
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from s3dash.cli.diagnostics import Diagnostics
from tests.service.process import BOUND

CONFIG = """
[datastores.x]
bucket = "bucket"
endpoint = "http://127.0.0.1:9"
region = "us-east-1"
cache = "cache"
request_timeout_ms = 1000
credentials = {access_key_id = "env:HOME", secret_access_key = "env:HOME"}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "s3dash.toml").write_text(CONFIG)
    (tmp_path / "cache").mkdir()
    return tmp_path


def shell(
    line: str, place: Path, *, stdin: int = subprocess.DEVNULL
) -> subprocess.CompletedProcess[bytes]:
    """`S3` in the line is the command."""
    command = f"{sys.executable} -m s3dash"
    return subprocess.run(
        ["bash", "-c", line.replace("S3", command)],
        cwd=place,
        env={**os.environ, "XDG_STATE_HOME": str(place / "state")},
        stdin=stdin,
        capture_output=True,
        timeout=60,
    )


CLOSED = [" ".join(parts) for parts in product(("", "<&-"), ("", ">&-"), ("", "2>&-"))]


@pytest.mark.parametrize("closed", CLOSED, ids=lambda c: c or "none")
def test_a_closed_stream_is_no_crash(closed: str, place: Path) -> None:
    done = shell(f"exec 3>code; S3 config check {closed}; echo $? >&3", place)
    assert (place / "code").read_text() == "0\n"
    assert b"Traceback" not in done.stdout + done.stderr


def test_what_is_written_to_a_closed_stream_reaches_no_file_of_ours(place: Path) -> None:
    done = shell("exec 3>code; S3 -v status <&- >&- 2>&-; echo $? >&3", place)
    assert (place / "code").read_text() == "1\n"
    assert done.stdout + done.stderr == b""
    states = list((place / "state").rglob("*.sqlite"))
    assert states
    assert all(path.read_bytes().startswith(b"SQLite format 3\0") for path in states)


def test_a_reader_that_goes_away_ends_it_quietly(place: Path) -> None:
    done = shell("set -o pipefail; S3 --help | true; echo ${PIPESTATUS[0]}", place)
    assert done.stdout.strip() in (b"0", b"1")
    assert done.stderr == b""


NOT_ALL = [which for which in product((True, False), repeat=2) if which != (True, True)]


@pytest.mark.parametrize(("stdin", "stdout"), NOT_ALL)
def test_the_screen_needs_a_terminal_at_both_ends(stdin: bool, stdout: bool, place: Path) -> None:
    """Without one there is the status, once, a hint, and exit code 2."""
    main, side = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "s3dash"],
            cwd=place,
            env={**os.environ, "TERM": "xterm", "XDG_STATE_HOME": str(place / "state")},
            stdin=side if stdin else subprocess.DEVNULL,
            stdout=side if stdout else subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = process.communicate(timeout=60)
    finally:
        os.close(side)
        os.close(main)
    assert process.returncode == 2
    assert b"needs a terminal" in err
    if not stdout:
        assert b"x" in out
        assert b"\x1b" not in out


def test_with_json_there_is_no_screen_either(place: Path) -> None:
    done = shell("S3 --json", place)
    assert json.loads(done.stdout)["datastore"] == "x"
    assert done.returncode == 2


def test_a_terminal_that_vanishes_ends_a_service_in_order(place: Path) -> None:
    """Its window was closed: a signal comes, and nothing can be written any more."""
    pid, terminal = pty.fork()
    if not pid:  # pragma: no cover - another process
        os.chdir(place)
        environ = {**os.environ, "XDG_STATE_HOME": str(place / "state")}
        os.execve(sys.executable, [sys.executable, "-c", BOUND, "-m", "s3dash", "watch"], environ)
    said = b""
    while b"started" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    [owner] = (place / "state").rglob("owner.lock")
    assert owner.read_text() == "", "it let go of the cache in order"


def test_notes_that_nobody_reads_break_nothing_off() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        diagnostics = Diagnostics(stream)
        diagnostics.note("to nobody")
        diagnostics.note("nor this")
