"""The records of the control plane: what the user wants done with one, and how it went.

Nothing is changed but the version that was shown: a new record only where there is none.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from s3dash.core.control import PUT_MOST, Content, Record, check_size
from s3dash.engine.api import EngineApi
from s3dash.errors import LocalError, S3DashError
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import moment, safe, size
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.records import RecordsScreen, Wish
from s3dash.tui.views.base import field, head

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

LINES = 500
"""Lines of a record that are shown."""
FIGURES = 64
"""Lines of one that is no text."""
PER_LINE = 16

Act = Callable[["DashApp", EngineApi, RecordsScreen, Wish], Awaitable[None]]


async def show(app: "DashApp") -> None:
    engine, site = app.engine, app.look.site
    where = site.name + (f" / {site.settings.namespace}" if site.settings.namespace else "")
    screen = RecordsScreen(
        where, look=lambda: app.look, do=lambda wish: do(app, engine, screen, wish)
    )
    answered = await ask_user(app, screen)
    await do(app, engine, screen, Wish("list"))
    await answered


async def do(app: "DashApp", engine: EngineApi, screen: RecordsScreen, wish: Wish) -> None:
    """Carry a wish out, unless nothing may be written now."""
    reason = app.why_not(f"records.{wish.what}") if wish.what not in ("list", "read") else ""
    if reason:
        screen.say(one(f"not now: {reason}", "warn"))
        return
    try:
        await _ACTS[wish.what](app, engine, screen, wish)
    except S3DashError as error:
        screen.say(_failed(error))
    if wish.what != "read":
        await _list(app, engine, screen, wish)


async def _list(app: "DashApp", engine: EngineApi, screen: RecordsScreen, wish: Wish) -> None:
    try:
        screen.ready(await app.ask(lambda: engine.control.list(own=wish.own)))
    except S3DashError as error:
        screen.unread()
        screen.say(_failed(error))


async def _nothing(_: "DashApp", __: EngineApi, ___: RecordsScreen, ____: Wish) -> None:
    """A list is made after everything else anyway."""


async def _read(app: "DashApp", engine: EngineApi, _: RecordsScreen, wish: Wish) -> None:
    content = await app.ask(lambda: engine.control.get(wish.key))
    lines = _lines(app, content)
    await app.push_screen(DetailScreen("record", lambda: lines))


async def _write(app: "DashApp", engine: EngineApi, screen: RecordsScreen, wish: Wish) -> None:
    body = await app.ask(lambda: _bytes(wish))
    seen = wish.seen
    etag = seen.etag if seen is not None else None
    done = await app.ask(
        lambda: engine.control.put(
            wish.key, body, if_absent=etag is None, if_match=etag, force=False
        )
    )
    told = f"{safe(done.key)} {'created' if done.created else 'replaced'}, {size(done.size)}"
    screen.say(one(f"✔ {told}", "good"))
    app.tell(f"record {told}")


async def _delete(app: "DashApp", engine: EngineApi, screen: RecordsScreen, wish: Wish) -> None:
    record = wish.seen
    if record is None:
        return
    dialog = DecideScreen("record", _warning(app, record), "delete it", clock=app.clock)
    if not await (await ask_user(app, dialog)):
        screen.say(one("nothing was deleted", "dim"))
        return
    await app.ask(lambda: engine.control.delete(record.key, if_match=record.etag))
    screen.say(one(f"{safe(record.key)} is deleted", "warn"))
    app.tell(f"record {record.key} deleted", level="warning")


_ACTS: dict[str, Act] = {
    "list": _nothing,
    "read": _read,
    "new": _write,
    "replace": _write,
    "delete": _delete,
}


def _bytes(wish: Wish) -> bytes:
    """Raises LocalError, and UsageError for more than a record may have."""
    path = Path(wish.file).expanduser()
    try:
        with path.open("rb") as file:
            body = file.read(PUT_MOST + 1)
    except (OSError, ValueError) as error:
        raise LocalError(f"{wish.file} cannot be read: {error}") from error
    check_size(wish.key, len(body))
    return body


def _lines(app: "DashApp", content: Content) -> list[Cell]:
    record = content.record
    lines = [
        head(safe(record.key)),
        one(""),
        field("size", f"{size(record.size)}  ({record.size:,} bytes)"),
        field("written", moment(record.last_modified, app.look.now)),
        field("ETag", safe(record.etag), "dim"),
        one(""),
    ]
    if content.text is None:
        return lines + _figures(content.body)
    text = content.text.split("\n")
    more = [one(f"… and {len(text) - LINES:,} more lines", "dim")] if len(text) > LINES else []
    return [*lines, *(one(safe(line)) for line in text[:LINES]), *more]


def _figures(body: bytes) -> list[Cell]:
    """What is no text, as hexadecimal figures."""
    shown = range(0, min(len(body), PER_LINE * FIGURES), PER_LINE)
    lines = [one(body[at : at + PER_LINE].hex(" ")) for at in shown]
    more = len(body) - PER_LINE * FIGURES
    return [*lines, one(f"… and {more:,} more bytes", "dim")] if more > 0 else lines


def _warning(app: "DashApp", record: Record) -> list[Cell]:
    at = moment(record.last_modified, app.look.now)
    return [
        one("Delete this record? Tools may rely on it, and there is no trash for it.", "warn"),
        one(""),
        one(f"  {safe(record.key)}", "strong"),
        one(f"  {size(record.size)}, {at}, ETag {safe(record.etag)}", "dim"),
    ]


def _failed(error: S3DashError) -> Cell:
    hint = f"  {safe(error.hint)}" if error.hint else ""
    return ((f"✖ {safe(error.message)}", "bad"), (hint, "dim"))
