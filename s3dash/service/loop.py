"""The service: an engine with auto-sync on, and those who want to know how it does."""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from traceback import extract_tb
from typing import Any

import msgspec
from msgspec.structs import asdict

from s3dash.clock import Clock, iso
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Ended
from s3dash.core.service import WatchSettings
from s3dash.core.snapshot import BY_CHOICE, Snapshot
from s3dash.core.text import count
from s3dash.engine.api import EngineApi, Subscription
from s3dash.errors import S3DashError
from s3dash.service.facts import Fact, Level, Value
from s3dash.service.hooks import Hooks
from s3dash.service.log import Log
from s3dash.service.notify import Notifier
from s3dash.service.story import Story
from s3dash.service.tally import Tally
from s3dash.service.verdict import Pulse, complaints

TICK_S = 0.25
"""The longest that a signal waits to be seen."""
LOOK_S = 5.0
"""Without any event the state is looked at so often."""
EVENTS = 4096
DEEP = 12
"""Frames of an unexpected exception that are told."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a service did over its life. Sizes are bytes; `files` and `errors` count by kind."""

    datastore: str
    namespace: str | None
    started_at: str
    stopped_at: str
    seconds: float
    syncs: int = 0
    files: dict[str, int] = msgspec.field(default_factory=dict)
    errors: dict[str, int] = msgspec.field(default_factory=dict)
    bytes_up: int = 0
    bytes_down: int = 0
    requests: int = 0
    commit_seq: int | None = None
    dirty: int = 0
    behind: int = 0
    conflicts: int = 0
    deletions_waiting: int = 0

    def document(self) -> dict[str, Any]:
        return asdict(self)


class Service:
    """Runs until its token is cancelled; then the engine is stopped and nothing of it is left."""

    def __init__(
        self,
        engine: EngineApi,
        settings: WatchSettings,
        *,
        write: Callable[[str], None],
        clock: Clock,
        environ: Mapping[str, str],
        verbose: bool = False,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        place = engine.settings
        self._about: dict[str, Value] = {"datastore": place.name, "namespace": place.namespace}
        self._log = Log(
            write,
            style=settings.log_format,
            about=self._about,
            times="JOURNAL_STREAM" not in environ,
            verbose=verbose,
        )
        self.tally = Tally()
        self._story = Story(limit=settings.failures)
        self._pulse = Pulse()
        self._notifier = Notifier(environ)
        self._hooks = Hooks(
            settings, self._about, clock, environ, self._log.tell, self.tally.hooked
        )
        self._looked_at = self._alive_at = float("-inf")
        self._status = self._broken = ""

    def run(self, cancel: CancelToken) -> Summary:
        """Raises LocalError when the metrics cannot be served, before anything was started, and
        S3DashError when a bug ended one of the engine's threads."""
        began, started_at = self._clock.monotonic(), self._now()
        with ExitStack() as ending:
            ending.callback(setattr, threading, "excepthook", threading.excepthook)
            threading.excepthook = self._broke
            served = self._serve(ending)
            box = self._engine.subscribe(capacity=EVENTS)
            ending.callback(box.close)
            self._start(served)
            ending.callback(self._hooks.stop)
            ending.callback(self._notifier.stopping)
            try:
                while not (cancel.cancelled or self._broken):
                    box.wait(TICK_S)
                    self._turn(box)
            finally:
                self._stop(box)
        if self._broken:
            raise S3DashError(self._broken, hint="this is a bug in s3dash; the log says where")
        return self._summary(began, started_at)

    # --- begin and end ------------------------------------------------------------------

    def _serve(self, ending: ExitStack) -> str:
        """The address of the metrics, or empty."""
        if self._settings.metrics is None:
            return ""
        from s3dash.service.metrics import Metrics  # late: only who serves them needs it
        from s3dash.service.web import Web

        metrics = Metrics(self._engine.snapshot, self.tally, is_well=lambda: not self.complaints())
        web = Web(self._settings.metrics, page=metrics.page, complaints=self.complaints)
        ending.callback(web.stop)
        web.start()
        return web.address

    def _start(self, served: str) -> None:
        settings, place = self._settings, self._engine.settings
        if settings.deletes:
            self._engine.auto.allow_deletions(up_to=settings.max_delete)
        self._hooks.start()
        self._engine.start()
        if not place.readonly:
            self._engine.set_auto(True)
        fields: dict[str, Value] = {
            **self._about,
            "bucket": place.bucket,
            "prefix": place.prefix,
            "endpoint": place.address,
            "pid": os.getpid(),
            "poll_s": place.poll_interval_s,
            "metrics": f"http://{served}/metrics" if served else "",
            "deletes": settings.deletes,
            "hook": settings.hook[0] if settings.hook else "",
            "mode": "looks only" if self._engine.snapshot().read_only == BY_CHOICE else "syncs",
        }
        self._tell("info", "started", fields)
        self._notifier.ready()

    def _stop(self, box: Subscription) -> None:
        self._tell("info", "stopping")
        self._notifier.stopping()
        before = self._clock.monotonic()
        self._engine.stop()
        self._hear(box, self._engine.snapshot())
        self._tell("info", "stopped", {"seconds": round(self._clock.monotonic() - before, 3)})

    def _broke(self, thrown: threading.ExceptHookArgs) -> None:
        """A thread of the engine ended by a bug: rather no service than half of one.

        No message and no value of it is told: it may hold anything.
        """
        name = thrown.thread.name if thrown.thread else "a thread"
        self._broken = f"{name} ended by an unexpected {thrown.exc_type.__name__}"
        frames = extract_tb(thrown.exc_traceback)
        places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
        self._tell("error", "broken", {"text": self._broken, "at": places[-DEEP:]})

    # --- while it runs ------------------------------------------------------------------

    def _turn(self, box: Subscription) -> None:
        """Events, or a look now and then; a snapshot after a large sync is not free."""
        at = self._clock.monotonic()
        if box.wait(0) or at - self._looked_at >= LOOK_S:
            self._looked_at = at
            now = self._engine.snapshot()
            self._pulse.felt(now, at)
            self._hear(box, now)
            self._show(now)
        self._stay_alive(at)

    def _hear(self, box: Subscription, now: Snapshot) -> None:
        events = box.drain()
        for ended in (event for event in events if isinstance(event, Ended)):
            self.tally.ended(ended)
        for fact in self._story.tell(events, now, at=self._now()):
            if fact.event == "offline":
                self.tally.failed(str(fact.fields["kind"]))
            self._log.tell(fact)
            self._hooks.on(fact)

    def _show(self, now: Snapshot) -> None:
        """A line for `systemctl status`."""
        if not self._notifier.is_heard:
            return
        status = f"{now.state}; {len(now.dirty)} dirty, {len(now.behind)} behind"
        if now.conflicts:
            status += f", {count(len(now.conflicts), 'conflict')}"
        if now.auto.suspended:
            status += f"; {now.auto.suspended}"
        if status != self._status:
            self._status = status
            self._notifier.status(status)

    def _stay_alive(self, at: float) -> None:
        every_s = self._notifier.watchdog_s
        if every_s is None or at - self._alive_at < every_s / 3 or self._pulse.stalled_s(at):
            return
        self._alive_at = at
        self._notifier.alive()

    def complaints(self) -> list[str]:
        """What keeps it from its work, as sentences; empty when all is well."""
        stalled_s = self._pulse.stalled_s(self._clock.monotonic())
        now = self._engine.snapshot()
        return complaints(now, stalled_s=stalled_s, limit=self._settings.failures)

    def _tell(self, level: Level, event: str, fields: dict[str, Value] | None = None) -> None:
        self._log.tell(Fact(at=self._now(), level=level, event=event, fields=fields or {}))

    def _now(self) -> str:
        return iso(self._clock.now())

    def _summary(self, began: float, started_at: str) -> Summary:
        now = self._engine.snapshot()
        return Summary(
            datastore=now.datastore,
            namespace=now.namespace,
            started_at=started_at,
            stopped_at=self._now(),
            seconds=round(self._clock.monotonic() - began, 3),
            syncs=sum(n for (_, how), n in self.tally.syncs.items() if how in ("ok", "partly")),
            files=self.tally.files,
            errors=self.tally.errors,
            bytes_up=now.progress.bytes_up,
            bytes_down=now.progress.bytes_down,
            requests=now.progress.requests,
            commit_seq=now.index.commit_seq,
            dirty=len(now.dirty),
            behind=len(now.behind),
            conflicts=len(now.conflicts),
            deletions_waiting=now.auto.deletions,
        )
