"""The trash: listing it, putting files back, and dropping them when the user insists."""

from functools import partial
from typing import TYPE_CHECKING

from s3dash.core.report import TrashItem
from s3dash.engine.api import EngineApi
from s3dash.errors import S3DashError, UsageError
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import moment, safe, short_hash, size
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.trash import TrashScreen, Wish

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def show(app: "DashApp") -> None:
    engine, site = app.engine, app.look.site
    where = site.name + (f" / {site.settings.namespace}" if site.settings.namespace else "")
    screen = TrashScreen(
        where, look=lambda: app.look, do=lambda wish: do(app, engine, screen, wish)
    )
    answered = await ask_user(app, screen)
    await _list(app, engine, screen)
    await answered


async def _list(app: "DashApp", engine: EngineApi, screen: TrashScreen) -> None:
    try:
        screen.ready(await app.ask(engine.trash))
    except S3DashError as error:
        screen.unread()
        screen.say(_failed(error))


async def do(app: "DashApp", engine: EngineApi, screen: TrashScreen, wish: Wish) -> None:
    """Carry a wish out, unless nothing may be written now."""
    reason = app.why_not(f"trash.{wish.what}")
    if reason:
        screen.say(one(f"not now: {reason}", "warn"))
        return
    try:
        act = _restore if wish.what == "restore" else _drop
        await act(app, engine, screen, wish)
    except S3DashError as error:
        screen.say(_failed(error))
    await _list(app, engine, screen)
    app.poll()


async def _restore(app: "DashApp", engine: EngineApi, screen: TrashScreen, wish: Wish) -> None:
    """Never over another file: then another name is asked for."""
    item = wish.item
    call = partial(engine.restore_trash, item.id, to=wish.to or None)
    try:
        path = await app.ask(call)
    except UsageError as error:
        screen.say(_failed(error))
        screen.ask_name(item)
        return
    told = f"{safe(path)} is back"
    if wish.to and wish.to != item.path:
        told += f"; it was {safe(item.path) or 'not known where'}"
    screen.say(one(f"✔ {told}", "good"))
    app.tell(f"trash: {path} is back")


async def _drop(app: "DashApp", engine: EngineApi, screen: TrashScreen, wish: Wish) -> None:
    item = wish.item
    dialog = DecideScreen("trash", _warning(app, item), "destroy it for good", clock=app.clock)
    if not await (await ask_user(app, dialog)):
        screen.say(one("nothing was dropped", "dim"))
        return
    await app.ask(lambda: engine.drop_trash(item.id))
    screen.say(one(f"{safe(item.path) or item.id} is gone for good", "warn"))
    app.tell(f"trash: dropped {item.path or item.id}", level="warning")


def _warning(app: "DashApp", item: TrashItem) -> list[Cell]:
    facts = f"  {size(item.size)}, {moment(item.at, app.look.now)}, {short_hash(item.sha256)}"
    why = "both sides went on from it" if item.expires else "nobody judged these bytes yet"
    return [
        one("Destroy this file? It cannot be brought back.", "warn"),
        one(""),
        one(f"  {safe(item.path) or '(not known)'}", "strong"),
        one(facts, "dim"),
        one(f"  {safe(item.reason)}", "dim"),
        one(""),
        one(f"⚠ It is the last copy that is known: {why}.", "bad"),
    ]


def _failed(error: S3DashError) -> Cell:
    hint = f"  {safe(error.hint)}" if error.hint and "--to" not in error.hint else ""
    return ((f"✖ {safe(error.message)}", "bad"), (hint, "dim"))
