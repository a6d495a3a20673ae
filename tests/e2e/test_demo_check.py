"""`s3dash demo --check`: verified to the end, and nothing of it stays, however it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.traces import processes_below

STEPS = [
    "first pull", "watch", "status", "push", "the other writer", "pull", "conflict", "settle it",
    "locks", "release a lock", "namespaces",
]  # fmt: skip


def start(tmp_path: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "s3dash", "demo", *arguments],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_every_step_is_verified_and_nothing_stays(tmp_path: Path) -> None:
    process = start(tmp_path, "--json")
    out, err = process.communicate(timeout=110)
    document = json.loads(out)
    assert process.returncode == 0, document
    assert document["ok"] is True
    assert [step["name"] for step in document["steps"]] == STEPS
    assert all(step["ok"] and step["detail"] for step in document["steps"])
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    assert processes_below(tmp_path) == []


def test_a_signal_in_the_middle_leaves_nothing_either(tmp_path: Path) -> None:
    process = start(tmp_path, "--check")
    assert process.stderr is not None
    for line in process.stderr:
        if "filling" in line:
            break
    assert processes_below(tmp_path)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped by SIGTERM" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    assert processes_below(tmp_path) == []
