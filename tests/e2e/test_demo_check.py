"""`s3dash demo --check`: verified to the end, and nothing of it stays, however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from s3dash.clock import SystemClock
from s3dash.demo.beside import Beside
from s3dash.demo.check import tour
from s3dash.demo.world import YOU, World
from tests.cli.real import plain_run
from tests.e2e.traces import processes_below

STEPS = [
    "first pull", "watch", "status", "push", "the other writer", "pull", "conflict", "settle it",
    "locks", "release a lock", "namespaces",
]  # fmt: skip


def test_every_step_is_verified() -> None:
    done = plain_run("demo", "--json")
    assert done.code == 0, done.out
    assert done.document["ok"] is True
    assert [step["name"] for step in done.document["steps"]] == STEPS
    assert all(step["ok"] and step["detail"] for step in done.document["steps"])
    assert "Traceback" not in done.err


def test_the_tour_ends_at_the_first_thing_that_is_wrong(world: World) -> None:
    with (world.files(YOU, "infra") / "README.md").open("ab") as file:
        file.write(b"not in the bucket\n")
    with Beside(world, follow=True) as beside:
        (step,) = tour(world, beside, SystemClock())
    assert (step.name, step.ok) == ("first pull", False)
    assert step.detail == "Wrong: other bytes: README.md"


def test_a_signal_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "s3dash", "demo", "--check"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
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
