"""Catalogs: reading them all, fetching a file that one of them names, exporting our own."""

import asyncio
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from s3dash.core.cancel import CancelToken
from s3dash.core.catalog import Catalog, FetchedFile, Unread
from s3dash.engine.api import EngineApi
from s3dash.errors import Cancelled, NotFound, S3DashError, TargetTaken
from s3dash.tui.cells import Cell, one
from s3dash.tui.copying import Copied, together
from s3dash.tui.flows.copy import Copying
from s3dash.tui.format import count, safe, size
from s3dash.tui.screens import catalog_rows
from s3dash.tui.screens.catalog_rows import Row
from s3dash.tui.screens.catalogs import CatalogsScreen, Wish
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

READERS = 2
"""Catalogs that are taken apart at a time: keys come through meanwhile."""


async def show(app: "DashApp") -> None:
    desk = _Desk(app)
    answered = await ask_user(app, desk.screen)
    answered.add_done_callback(lambda _: desk.leave())
    if not answered.done():
        await desk.read()
    await answered


async def export(app: "DashApp") -> None:
    """Write our own catalog, unless the bucket has these bytes."""
    app.tell("exporting our catalog …")
    done = await app.ask(app.engine.catalogs.export)
    told = f"{count(done.entries, 'entry', 'entries')}, {size(done.size)}"
    app.tell(
        f"catalog of {done.namespace}: " + ("exported " if done.written else "as it was, ") + told
    )


class _Desk:
    """What goes on behind one dialog: reading, and at most one fetch."""

    def __init__(self, app: "DashApp") -> None:
        self._app = app
        self._engine: EngineApi = app.engine
        self._settings = app.look.site.settings
        self._reading = CancelToken()
        self._busy = False
        self._fetching: CancelToken | None = None
        self._copying = Copying()
        self.screen = CatalogsScreen(app.look.site.name, look=lambda: app.look, do=self.do)

    def leave(self) -> None:
        """The dialog is closed. A fetch goes on, and tells when it ends."""
        self._reading.cancel()

    # --- reading ------------------------------------------------------------------------

    async def read(self) -> None:
        """All namespaces, each as soon as it is there."""
        if self._busy:
            self.screen.say(one("they are being read", "dim"))
            return
        self._busy = True
        try:
            await self._read_all(await self._app.ask(self._engine.namespaces))
        except S3DashError as error:
            self.screen.begin(0)
            self.screen.say(_failed(error))
        finally:
            self._busy = False

    async def _read_all(self, registered: Collection[str]) -> None:
        """Our own too, which need not be registered."""
        ours = self._settings.namespace
        names = sorted({*registered, *([ours] if ours else [])})
        self.screen.begin(len(names))
        left = iter(names)

        async def reader() -> None:
            for name in left:
                if not self._reading.cancelled:
                    await self._read(name)

        await asyncio.gather(*(reader() for _ in range(READERS)))

    async def _read(self, name: str) -> None:
        call = partial(self._engine.catalogs.read, name, cancel=self._reading)
        try:
            self.screen.take(await self._app.ask(call))
        except Cancelled:
            return  # nobody looks any more
        except NotFound:  # nobody registered it, and nobody pushed to it
            self.screen.take(Catalog(namespace=name, source="index"))
        except S3DashError as error:
            problem = Unread(namespace=name, problem=error.message, hint=error.hint)
            self.screen.unread([problem])

    # --- wishes -------------------------------------------------------------------------

    async def do(self, wish: Wish) -> None:
        if wish.what == "again":
            await self.read()
        elif wish.what == "stop":
            self._stop()
        elif wish.row is None:
            self.screen.say(one("there is nothing here", "dim"))
        elif wish.what == "copy":
            await self._copy(wish.row)
        else:
            await self._fetch(wish.row, wish.to)

    def _stop(self) -> None:
        if self._fetching is None:
            self.screen.say(one("nothing is being fetched", "dim"))
        else:
            self._fetching.cancel()

    async def _copy(self, row: Row) -> None:
        def make() -> Copied:
            return together([catalog_rows.uri(row, self._settings)])

        await self._copying.send(self._app, make=make, what="URI")
        self.screen.say(self._app.last_event)

    async def _fetch(self, row: Row, to: str) -> None:
        if self._fetching is not None:
            self.screen.say(one("another file is being fetched; x stops it", "warn"))
            return
        self._fetching = CancelToken()
        self.screen.say(one(f"fetching {safe(row.name)} …", "accent"))
        try:
            done = await self._fetched(row, Path(to).expanduser().absolute(), self._fetching)
        except Cancelled:
            self._told(one("stopped, nothing was written", "warn"), "stopped a fetch")
        except S3DashError as error:
            self._told(_failed(error), f"fetch: {error.message}", level="error")
        else:
            if done is not None:
                self._told(_done(done), f"fetched {row.name} as {done.to}")
        finally:
            self._fetching = None

    async def _fetched(self, row: Row, target: Path, token: CancelToken) -> FetchedFile | None:
        """None: something is in its way, and the user wants that to stay."""
        call = partial(
            self._engine.catalogs.fetch,
            row.catalog.namespace,
            row.entry.path,
            to=str(target),
            cancel=token,
        )
        try:
            return await self._app.ask(call)
        except TargetTaken as error:
            lines = [one(safe(error.message), "warn"), one(safe(row.name), "strong")]
            dialog = DecideScreen(
                "fetch", lines, "put it there all the same", clock=self._app.clock
            )
            if not await (await ask_user(self._app, dialog)):
                self.screen.say(one("nothing was fetched", "dim"))
                return None
        return await self._app.ask(partial(call, force=True))

    def _told(self, cell: Cell, text: str, *, level: str = "info") -> None:
        """In the dialog, and below it for when it is closed."""
        self.screen.say(cell)
        self._app.tell(text, level=level)


def _done(done: FetchedFile) -> Cell:
    """What counts comes first: a long path is cropped."""
    what = "fetched" if done.written else "there already, and the same"
    vouched = ("verified", "good") if done.verified else ("not verified", "warn")
    return ((f"✔ {what}, ", "good"), vouched, (f", {size(done.size)}: {safe(done.to)}", "good"))


def _failed(error: S3DashError) -> Cell:
    hint = f"  {safe(error.hint)}" if error.hint and "--" not in error.hint else ""
    return ((f"✖ {safe(error.message)}", "bad"), (hint, "dim"))
