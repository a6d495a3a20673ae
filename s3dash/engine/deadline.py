"""The longest that one push, pull or sync may take: then it is stopped as a user would stop it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from s3dash.engine.context import Context
from s3dash.errors import Cancelled, SyncTimedOut

_NAME = "s3dash-deadline"


@contextmanager
def bounded(ctx: Context, operation: str) -> Iterator[None]:
    """Cancels what runs inside when it takes longer than `sync_timeout_ms`; 0 is no limit.

    Raises SyncTimedOut in the place of the Cancelled that this leads to. What came to its end in
    the meantime, as a commit is carried through, has ended well.
    """
    limit_ms = ctx.settings.sync_timeout_ms
    if not limit_ms:
        yield
        return
    ended, late = threading.Event(), threading.Event()

    def watch() -> None:
        if not ctx.clock.wait(ended, limit_ms / 1000):
            late.set()
            ctx.cancel.cancel()

    watcher = threading.Thread(target=watch, name=_NAME, daemon=True)
    watcher.start()
    try:
        yield
    except Cancelled as error:
        if not late.is_set():
            raise
        told = (
            f"the {operation} took longer than {limit_ms:,} ms and was stopped; "
            "what was finished stays, nothing is half done"
        )
        ctx.note("error", operation, told)
        raise SyncTimedOut(
            told,
            hint="the next one goes on from there; sync_timeout_ms (syncTimeoutMs) says how long",
        ) from error
    finally:
        ended.set()
        watcher.join()
