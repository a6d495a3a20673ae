"""What the benchmark leaves out is there to be left out, and is left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.without import SAFETIES
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.world import Machine

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from benchmarks.without import leave_out
leave_out(sys.argv[1])
from s3dash.local import fsio, syncfs
from s3dash.engine import pull, trust
from s3dash.local.state import State
from s3dash.objectstore import s3, source
print(fsio.fsync.__name__, trust._remembered.__name__, State.journal_add.__name__,
      pull._verify.__name__, s3.hashlib.sha256(b"x").hexdigest()[:4],
      source.hashlib.sha256(b"x").hexdigest()[:4], syncfs._flush.__name__)
"""
USUAL = ["fsync", "_remembered", "journal_add", "_verify", "2d71", "2d71", "_flush"]
"""Of SHA-256 the first digits for `x`."""
LEFT_OUT = {
    "nothing": {},
    "flushing files and names": {0: "_nothing", 6: "_nothing"},
    "the proof of the endpoint": {1: "_everything"},
    "the journal of uploads": {2: "_nothing"},
    "verifying downloads": {3: "_nothing"},
    "hashing and verifying downloads": {3: "_nothing", 4: "0000"},
    "hashing uploads": {5: "0000"},
}


@pytest.mark.parametrize("name", SAFETIES)
def test_one_safety_is_left_out_and_no_other(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [LEFT_OUT[name].get(n, usual) for n, usual in enumerate(USUAL)]


def test_here_nothing_is_left_out(tmp_path: Path) -> None:
    """The benchmark's module is loaded in this process, and changed nothing in it."""
    memory = MemoryBucket()
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(memory))
    ada.write("files/a", "x")
    ada.push()
    assert b"2d711642b726b04401627ca9fbac32f5" in b"".join(
        k.body for k in memory.objects().values()
    )
