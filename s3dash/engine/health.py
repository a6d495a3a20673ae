"""How the endpoint answers, and when things last went well."""

from collections.abc import Callable
from typing import TypeVar

from s3dash.core.plan import Direction
from s3dash.engine.context import Context
from s3dash.errors import IndexCorrupt, S3DashError, StoreError

T = TypeVar("T")

_LAST = "last:{}"


class Health:
    """Read from any thread. `latency_ms` is of the last answer."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.healthy = True
        self.latency_ms: float | None = None
        self.message = ""
        self.checked_at = ""
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
        self.healthy, self.message = True, ""
        self.checked_at = self._ctx.now()
        self.latency_ms = self._ctx.store.usage.latency_ms

    def failed(self, error: S3DashError) -> None:
        if error.message != self.message:
            self._ctx.note("error", "endpoint", error.message)
        self.healthy, self.message = False, error.message

    def finished(self, direction: Direction) -> None:
        """A push, pull or sync came to its end."""
        now = self._ctx.now()
        if direction != "pull":
            self.last_push = now
            self._ctx.state.set(_LAST.format("push"), now)
        if direction != "push":
            self.last_pull = now
            self._ctx.state.set(_LAST.format("pull"), now)
