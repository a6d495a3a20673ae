"""The second writer, seen from the demo: start it, ask it, end it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from s3dash.demo import writer
from s3dash.demo.world import COLLEAGUE, World
from s3dash.errors import S3DashError

END_S = 3.0


class Beside:
    """A context manager: entered means running, left means ended.

    With `follow` it does nothing but what `ask` says; else it lives on its own and does something
    about every `every_s` seconds.
    """

    def __init__(self, world: World, *, follow: bool = False, every_s: float = 3.0) -> None:
        self._world = world
        self._arguments = ["--follow"] if follow else ["--every", str(every_s)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Beside":
        self._process = self._spawn()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The end of its input tells it to end; what does not listen is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    @property
    def pid(self) -> int | None:
        """The writer's process, or None while there is none."""
        return self._process.pid if self._process is not None else None

    def ask(self, do: str, **details: str) -> dict[str, Any]:
        """One request, one answer. Raises S3DashError with the words of a failure."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise AssertionError("the writer is not running")
        process.stdin.write(json.dumps({"do": do, **details}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise S3DashError(f"the demo's second writer failed: {answer['error']['message']}")
        return answer

    def check(self) -> None:
        """Raises S3DashError with its last words when the writer has ended by itself."""
        if self._process is None or self._process.poll() is not None:
            raise self._ended()

    def _ended(self) -> S3DashError:
        return S3DashError("the demo's second writer ended", hint=self._last_words())

    def _spawn(self) -> "subprocess.Popen[str]":
        """Its keys go by the environment: a command line is for everybody to read."""
        world = self._world
        environment = {
            **os.environ,
            "LOGNAME": COLLEAGUE,
            writer.ROOT: str(world.root),
            writer.ENDPOINT: world.endpoint,
            writer.KEY_ID: world.credentials.access_key_id,
            writer.SECRET: world.credentials.secret_access_key,
        }
        command = [sys.executable, "-m", writer.__name__, *self._arguments]
        with self._log.open("w") as log:
            return subprocess.Popen(  # noqa: S603 - this Python, our own module
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    @property
    def _log(self) -> Path:
        return self._world.root / "writer.log"

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""
