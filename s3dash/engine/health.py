"""How the endpoint answers, and when things last went well."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from s3dash.core.endpoint import Mishap
from s3dash.core.plan import Direction
from s3dash.core.trouble import Trouble
from s3dash.engine.context import Context
from s3dash.engine.troubles import trouble_of
from s3dash.errors import IndexCorrupt, S3DashError, StoreError
from s3dash.objectstore.patience import Wait

T = TypeVar("T")

_LAST = "last:{}"
MISHAPS = 10


class Health:
    """Read from any thread. `latency_ms` is of the last answer, `offline_since` an ISO time.

    `mishaps` is what went wrong lately, the newest first, each text once.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.healthy = True
        self.latency_ms: float | None = None
        self.message = ""
        self.trouble: Trouble | None = None
        self.offline_since = ""
        self._backing_off = False
        self.checked_at = ""
        self.mishaps: tuple[Mishap, ...] = ()
        self._counting = threading.Lock()
        self.last_push = ctx.state.get(_LAST.format("push")) or ""
        self.last_pull = ctx.state.get(_LAST.format("pull")) or ""

    def watch(self, look: Callable[[], T]) -> T | None:
        """The look's answer; None when the bucket failed it, with the reason in `message`."""
        try:
            answer = look()
        except (StoreError, IndexCorrupt) as error:
            self.failed(error)
            return None
        self.answered()
        return answer

    def answered(self) -> None:
        if self._backing_off or not self.healthy:
            since = f"; it did not since {self.offline_since}" if self.offline_since else ""
            self._ctx.note("info", "endpoint", f"the endpoint answers again{since}")
        self._backing_off = False
        self.healthy, self.message, self.offline_since = True, "", ""
        self.trouble = None
        self.checked_at = self._ctx.now()
        self.latency_ms = self._ctx.store.usage.latency_ms

    def failed(self, error: S3DashError) -> None:
        self._count(error.message)
        if error.message != self.message:
            self._ctx.note("error", "endpoint", error.message)
        self._backing_off = False
        self.offline_since = self.offline_since or self._ctx.now()
        self.trouble = trouble_of(error)
        self.healthy, self.message = False, error.message

    def backing_off(self, wait: Wait) -> AbstractContextManager[None]:
        """A request is tried again: on the screen each time, in the log once an outage."""
        self._count(wait.error.brief)
        if not self._backing_off and self.healthy:
            self._backing_off = True
            self._ctx.note("warning", "endpoint", f"{wait.error.brief}; trying again")
        return self._ctx.stage.waiting("backing off", wait.sentence)

    def _count(self, text: str) -> None:
        """Called from the threads of many requests."""
        with self._counting:
            before = next((m for m in self.mishaps if m.text == text), Mishap("", text, 0))
            others = (m for m in self.mishaps if m.text != text)
            newest = Mishap(self._ctx.now(), text, before.times + 1)
            self.mishaps = (newest, *others)[:MISHAPS]

    def finished(self, direction: Direction) -> None:
        """A push, pull or sync came to its end."""
        now = self._ctx.now()
        if direction != "pull":
            self.last_push = now
            self._ctx.state.set(_LAST.format("push"), now)
        if direction != "push":
            self.last_pull = now
            self._ctx.state.set(_LAST.format("pull"), now)
