"""A command that is run when something needs a person: no shell, one at a time, never in the way.

It gets one JSON document on its standard input, and the same in short in its environment:
`S3DASH_EVENT`, `S3DASH_DATASTORE`, `S3DASH_NAMESPACE`, `S3DASH_MESSAGE`.
"""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO

import msgspec

from s3dash.clock import Clock, iso
from s3dash.core.service import Occasion, WatchSettings
from s3dash.core.text import safe
from s3dash.service.facts import Fact, Level, Value

WAITING = 32
"""Runs that wait for the one before; what comes then is dropped, and counted."""
HEARD = 400
"""Bytes of what a failed hook said last that reach the log."""
_OURS = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_POLL_S = 0.2


class _Pace(msgspec.Struct):
    """When a hook was last run for an occasion, and how often it was not since."""

    last: float | None = None
    left_out: int = 0


class _Run(msgspec.Struct, frozen=True):
    occasion: Occasion
    document: dict[str, object]
    at: str


class Hooks(msgspec.Struct):
    """`told` is given the facts about the runs themselves, `counted` occasion and result."""

    settings: WatchSettings
    about: Mapping[str, Value]
    clock: Clock
    environ: Mapping[str, str]
    told: Callable[[Fact], None]
    counted: Callable[[str, str], None]
    _queue: "queue.Queue[_Run | None]" = msgspec.field(default_factory=lambda: queue.Queue(WAITING))
    _paces: dict[Occasion, _Pace] = msgspec.field(default_factory=dict)
    _stopping: threading.Event = msgspec.field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        if self.settings.hook:
            self._thread = threading.Thread(target=self._work, name="s3dash-hooks", daemon=True)
            self._thread.start()

    def on(self, fact: Fact) -> None:
        """Queue a run for a fact with an occasion that is wanted. Never blocks."""
        if fact.occasion not in self.settings.events or self._thread is None:
            return
        assert fact.occasion is not None  # it is one of the wanted
        pace = self._paces.setdefault(fact.occasion, _Pace())
        now = self.clock.monotonic()
        if pace.last is not None and now - pace.last < self.settings.hook_every_s:
            pace.left_out += 1
            return
        document = {"event": fact.occasion, "at": fact.at, **self.about, **fact.fields}
        try:
            run = _Run(fact.occasion, {**document, "left_out": pace.left_out}, fact.at)
            self._queue.put_nowait(run)
        except queue.Full:
            self.counted(fact.occasion, "dropped")
        else:
            pace.last, pace.left_out = now, 0

    def stop(self, timeout_s: float = 1.0) -> None:
        """What runs is ended, what waits is dropped."""
        self._stopping.set()
        with suppress(queue.Full):  # then it wakes up by itself
            self._queue.put_nowait(None)
        if self._thread is not None:
            self._thread.join(timeout_s)

    # --- the thread ---------------------------------------------------------------------

    def _work(self) -> None:
        while not self._stopping.is_set():
            run = self._queue.get()
            if run is not None and not self._stopping.is_set():
                result, fields = self._carry_out(run)
                self.counted(run.occasion, result)
                self._tell(run, result, fields)

    def _carry_out(self, run: _Run) -> tuple[str, dict[str, Value]]:
        with tempfile.TemporaryFile() as said:
            try:
                process = self._start(run, said)
            except OSError as error:
                return "failed", {"error": error.strerror or str(error)}
            code = self._wait(process)
            if code == 0:
                return "ok", {}
            heard: dict[str, Value] = {"said": _tail(said)}
            if code is None:
                return "timeout", {"seconds": self.settings.hook_timeout_s, **heard}
            return "failed", {"exit_code": code, **heard}

    def _start(self, run: _Run, said: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Input and output are files: a hook that reads nothing, or writes much, blocks nobody."""
        with tempfile.TemporaryFile() as document:
            document.write(json.dumps(run.document).encode() + b"\n")
            document.seek(0)
            return subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
                self.settings.hook,
                stdin=document,
                stdout=said,
                stderr=said,
                env=self._environment(run),
                start_new_session=True,
            )

    def _environment(self, run: _Run) -> dict[str, str]:
        inherited = {k: v for k, v in self.environ.items() if k not in _OURS}
        message = run.document.get("text") or run.document.get("paths") or run.occasion
        return {
            **inherited,
            "S3DASH_EVENT": run.occasion,
            "S3DASH_DATASTORE": str(self.about.get("datastore") or ""),
            "S3DASH_NAMESPACE": str(self.about.get("namespace") or ""),
            "S3DASH_MESSAGE": safe(_words(message)),
        }

    def _wait(self, process: "subprocess.Popen[bytes]") -> int | None:
        """The exit code; None when it was ended, with all that it started."""
        end = self.clock.monotonic() + self.settings.hook_timeout_s
        while self.clock.monotonic() < end and not self._stopping.is_set():
            try:
                return process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
        with suppress(ProcessLookupError):  # it ended just now
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None

    def _tell(self, run: _Run, result: str, fields: dict[str, Value]) -> None:
        level: Level = "info" if result == "ok" else "warning"
        fields = {"for": run.occasion, "outcome": result, **fields}
        self.told(Fact(at=iso(self.clock.now()), level=level, event="hook", fields=fields))


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _tail(said: IO[bytes]) -> str:
    end = said.seek(0, os.SEEK_END)
    said.seek(max(0, end - HEARD))
    return safe(said.read(HEARD).decode("utf-8", "replace").strip())
