"""Looking at locks and forcing one open."""

from typing import TYPE_CHECKING

from s3dash.core.lock import LockInfo
from s3dash.errors import LockHeld, NotFound, S3DashError
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.release import ReleaseScreen

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def release(app: "DashApp", asked: LockInfo) -> None:
    """Read the lock again, show it, and release exactly what was shown."""
    engine = app.engine
    screen = ReleaseScreen(asked, look=lambda: app.look, clock=app.clock)
    answered = await ask_user(app, screen)
    try:
        found = await app.ask(engine.locks)
    except S3DashError as error:
        screen.failed(error)
    else:
        app.poll()
        screen.ready(next((lock for lock in found if lock.key == asked.key), None))
    shown = await answered
    if shown is None or (shown.stale and await _is_alive_again(app, shown)):
        return
    try:
        await app.ask(lambda: engine.release_lock(shown.key, shown.nonce))
    except NotFound:
        app.tell(f"{shown.key} was gone already; nothing was released")
    except LockHeld as error:
        app.tell(error.message, level="warning")
    except S3DashError as error:
        app.tell(f"{shown.key} was not released: {error.message}", level="error")
    else:
        app.tell(f"released {shown.key}, held by {shown.holder or '?'}", level="warning")
        await look(app)


async def _is_alive_again(app: "DashApp", shown: LockInfo) -> bool:
    """A lock that was shown as silent needs another confirmation once its holder was heard of."""
    engine = app.engine
    try:
        found = await app.ask(engine.locks)
    except S3DashError as error:
        app.tell(f"{shown.key} was not released: {error.message}", level="error")
        return True
    now = next((lock for lock in found if lock.key == shown.key), None)
    if now is None or now.nonce != shown.nonce or now.stale:
        return False
    who = shown.holder or "its holder"
    app.tell(f"{shown.key}: {who} is alive again, nothing released", level="warning")
    return True


async def look(app: "DashApp") -> None:
    """List all locks, those of models too."""
    try:
        await app.ask(app.engine.locks)
    except S3DashError as error:
        app.tell(f"the locks could not be listed: {error.message}", level="error")
