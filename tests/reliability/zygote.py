"""`python -m tests.reliability.zygote`: the command line, forked and killed many times a minute.

It has imported all that a command needs and has no thread. Each line on stdin is one job: the
child runs the real command in a process of its own, with what it prints in a file. With `die_at`
the child ends itself with SIGKILL just before its n-th step: a file opened, made durable, renamed
or removed, a transaction, a request that boto3 sends; `die_at_request` counts these last alone.
Answers are lines as well.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.reliability.powercut import STEPS

KILLED = -signal.SIGKILL
LIBRARIES = ("obstore.store", "s3dash.cli.main", "s3dash.engine.open", "s3dash.objectstore.s3")

_REQUEST = "http.client.send"


@dataclass(frozen=True, slots=True)
class Ended:
    """`code` is the exit code, or minus the signal; `steps` 0 when it was killed."""

    code: int
    steps: int
    output: str

    @property
    def killed(self) -> bool:
        return self.code == KILLED


class Zygote:
    """The side of the test. One command at a time."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(
        self,
        *arguments: str,
        cwd: Path,
        environ: dict[str, str],
        die_at: int = 0,
        die_at_request: int = 0,
        die_after_s: float = 0.0,
    ) -> Ended:
        """Run to the end, of whichever kind. `die_after_s`: killed from outside by then."""
        output = self._home / "output"
        fuses = {"die_at": die_at, "die_at_request": die_at_request}
        job = {"argv": arguments, "cwd": str(cwd), "environ": environ, **fuses}
        self._send({**job, "output": str(output), "alarm_s": die_after_s})
        told = self._receive()
        return Ended(told["code"], told["steps"], output.read_text())

    def _send(self, job: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def _receive(self) -> dict[str, int]:
        assert self._process.stdout is not None
        told: dict[str, int] = json.loads(self._process.stdout.readline())
        return told


# --- the side of the zygote -------------------------------------------------------------


def serve() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        job = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _live(job, writing)
        os.close(writing)
        code = _killed_or_waited_for(child, job["alarm_s"])
        with os.fdopen(reading) as told:
            steps = int(told.read() or 0)
        print(json.dumps({"code": code, "steps": steps}), flush=True)  # noqa: T201 - the answer


def _killed_or_waited_for(child: int, alarm_s: float) -> int:
    """The child's end; an alarm kills it from outside, wherever it is."""

    def kill(number: int, frame: object) -> None:
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    if alarm_s:
        signal.setitimer(signal.ITIMER_REAL, alarm_s)
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return os.waitstatus_to_exitcode(status)


def _live(job: dict[str, Any], writing: int) -> None:
    from s3dash.cli.main import run

    os.close(0)
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["environ"])
    steps = _count(job["cwd"], job["die_at"], job["die_at_request"])
    code = 70
    try:
        with Path(job["output"]).open("w") as output:
            code = run(job["argv"], stdout=output, stderr=output)
    finally:
        os.write(writing, str(steps[0]).encode())
        os._exit(code)


def _count(home: str, die_at: int, die_at_request: int) -> list[int]:
    """Counts steps and requests from here on; SIGKILL before the chosen one."""
    steps = [0, 0]

    def saw(event: str, args: tuple[Any, ...]) -> None:
        if event == _REQUEST or (event in STEPS and _is_below(home, args)):
            steps[0] += 1
            steps[1] += event == _REQUEST
            if die_at == steps[0] or (event == _REQUEST and die_at_request == steps[1]):
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(saw)
    return steps


def _is_below(home: str, args: tuple[Any, ...]) -> bool:
    return any(isinstance(a, str) and a.startswith(home) for a in args[:2])


if __name__ == "__main__":
    serve()
