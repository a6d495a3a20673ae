"""One run of a program, measured from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = str(Path(__file__).with_name("launch.py"))
PATIENCE_S = 900.0


class RunFailed(RuntimeError):
    """A program ended with another code than 0, or what it left is not what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start. `environ` is the whole environment."""

    argv: Sequence[str]
    environ: Mapping[str, str]
    cwd: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a run cost: seconds of the clock and of the processors, peak memory in 10^6 bytes.

    `server_s`: what the server used meanwhile, in seconds of the processors.
    """

    seconds: float
    processor_s: float
    peak_mb: float
    server_s: float = 0.0


def run(command: Command, log: Path) -> Spent:
    """Run it to its end, its words into `log`. Written pages go to the disk before, for all alike.

    Raises RunFailed, with the last of what it said.
    """
    order = {
        "argv": list(command.argv),
        "env": dict(command.environ),
        "cwd": str(command.cwd),
        "log": str(log),
    }
    log.unlink(missing_ok=True)
    os.sync()
    answer = subprocess.run(
        [sys.executable, "-I", "-S", LAUNCHER],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    found = json.loads(answer.stdout)
    code = found.pop("code")
    if code != 0:
        said = log.read_text(errors="replace")[-2000:]
        raise RunFailed(f"{' '.join(command.argv)} ended with {code}:\n{said}")
    return Spent(**found)
