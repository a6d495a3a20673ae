"""`s3dash watch` as a process of its own, and what its log says."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PATIENCE_S = 120.0
END_S = 90.0
BOUND = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Who ends the tests ends this too: a service would live on."""


class Watch:
    """A context manager: killed at its end if it still runs."""

    def __init__(self, *arguments: str, cwd: Path, environ: Mapping[str, str]) -> None:
        self.log: list[dict[str, Any]] = []
        self.other: list[str] = []
        self._changed = threading.Condition()
        options = ("--json", "watch", "--log-format", "json", *arguments)
        self.process = subprocess.Popen(
            [sys.executable, "-c", BOUND, "-m", "s3dash", *options],
            cwd=cwd,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def until(self, event: str, **fields: Any) -> dict[str, Any]:
        """The first line of this event with these fields. Fails once the process has ended."""

        def found() -> list[dict[str, Any]]:
            return [e for e in self.log if e["event"] == event and fields.items() <= e.items()]

        def over() -> bool:
            return bool(found()) or not self._reader.is_alive()

        with self._changed:
            self._changed.wait_for(over, PATIENCE_S)
            assert found(), (event, fields, self.log[-20:], self.other)
            return found()[0]

    @property
    def metrics(self) -> str:
        """The address that serves them."""
        return str(self.until("started")["metrics"]).split("/")[2]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, Any]:
        """Exit code, and the document on standard output."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> tuple[int, Any]:
        """When it has ended; fails with its log before the test's own time is up."""
        assert self.process.stdout is not None
        try:
            code = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(("it goes on", self.log[-20:], self.other)) from None
        said = self.process.stdout.read()
        self._reader.join(PATIENCE_S)
        return code, json.loads(said) if said else None

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                if line.startswith("{"):
                    self.log.append(json.loads(line))
                else:
                    self.other.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()
