"""Exporting the view: ask for format and file, write in the background, tell rows and path."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from s3dash.core.cancel import CancelToken
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui.export_file import whole, write_file
from s3dash.tui.exporting import Table, lines, self_contained
from s3dash.tui.format import count, safe, shorten, size
from s3dash.tui.screens.export import ExportAnswer, ExportScreen
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

TELL_S = 0.5
CHECK_EVERY = 256
NAMED = 64


class Exporting:
    """The one export that may be going on."""

    def __init__(self) -> None:
        self._token: CancelToken | None = None

    def stop(self) -> bool:
        """Stop the one that is going on; False when there is none."""
        if self._token is None:
            return False
        self._token.cancel()
        return True

    async def run(self, app: "DashApp", *, table: Table[Any]) -> None:
        answer = await ask(app, table)
        if answer is None or self._token is not None:
            return
        self._token = CancelToken()
        try:
            await _write(app, table, answer, self._token)
        finally:
            self._token.cancel()  # when the screen ends, the thread that writes ends with it
            self._token = None


async def ask(app: "DashApp", table: Table[Any]) -> ExportAnswer | None:
    what = f"{table.view.title} of {table.look.site.name}"
    what += f": {count(len(table.rows), 'row')}" + (", less by the filter" if table.test else "")
    screen = ExportScreen(table.view.name, what, now=app.clock.now(), clock=app.clock)
    answered = await ask_user(app, screen)
    return await answered


class _Written:
    """How far it is; shared with the thread that writes."""

    def __init__(self, token: CancelToken) -> None:
        self._token = token
        self.rows = 0

    def counted(self, rows: int) -> None:
        """Negative numbers are rows that were measured before they are written."""
        self.rows = max(0, rows)
        if rows % CHECK_EVERY == 0:
            self._token.check()


async def _write(
    app: "DashApp", table: Table[Any], answer: ExportAnswer, token: CancelToken
) -> None:
    written, name = _Written(token), safe(shorten(whole(answer.path), NAMED))
    pieces = _pieces(app, table, answer, written)
    call = partial(write_file, answer.path, pieces, overwrite=answer.overwrite)
    work = asyncio.ensure_future(app.ask(call))
    while not (await asyncio.wait({work}, timeout=TELL_S))[0]:
        app.tell(f"writing {name}: {written.rows:,} rows; E stops it")
    try:
        length = await work
    except Cancelled:
        app.tell(f"export stopped; {name} was not written")
    except S3DashError as error:
        app.tell(f"nothing exported: {error.message}  {error.hint}".rstrip(), level="error")
    else:
        what = "the screen" if answer.kind == "svg" else count(written.rows, "row")
        app.tell(f"wrote {what}, {size(length)}, to {name}")


def _pieces(
    app: "DashApp", table: Table[Any], answer: ExportAnswer, written: _Written
) -> Iterable[str]:
    if answer.kind == "svg":
        return [self_contained(app.export_screenshot(title="s3dash"))]
    return lines(table, answer.kind, written.counted)
