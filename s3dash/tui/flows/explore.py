"""Looking about in buckets: a level as it comes, and a look into an object."""

from functools import partial
from typing import TYPE_CHECKING

from s3dash.core.settings import Datastore
from s3dash.errors import S3DashError, UsageError
from s3dash.stores.explore.entry import Entry, Shape
from s3dash.tui.bridge import POLL_S
from s3dash.tui.exploring import Exploring, Looked, in_order

if TYPE_CHECKING:
    from s3dash.stores.explore.explorer import Explorer
    from s3dash.tui.app import DashApp


def explorer_of(place: Exploring, settings: Datastore) -> "Explorer":
    """That of a datastore, opened when it is first asked for. Blocks."""
    from s3dash.stores.explore.explorer import Explorer  # late: it loads a lot

    known = place.explorers.get(settings.name)
    if known is not None and known.settings == settings:
        return known
    if place.shelves.open is None:
        raise UsageError("no bucket can be opened here")
    opened = Explorer(place.shelves.open(settings))
    place.explorers[settings.name] = opened
    if known is not None:
        known.close()
    return opened


# --- moving about ---------------------------------------------------------------------------


async def enter(app: "DashApp", name: str) -> None:
    """Open a datastore at its beginning."""
    await _list(app, *app.exploring.start_of(name))


async def descend(app: "DashApp", prefix: str) -> None:
    place = app.exploring
    if place.at is not None:
        await _list(app, place.at, prefix, place.shape)


async def ascend(app: "DashApp") -> None:
    """One level up; from the first one to the datastores. The cursor goes where we came from."""
    place = app.exploring
    if place.at is None:
        return
    if not place.prefix:
        place.to_top(goal=place.at.name)
        changed(app)
        return
    above = place.prefix.removesuffix("/").rpartition("/")[0]
    prefix = f"{above}/" if above or place.prefix.startswith("/") else ""
    await _list(app, place.at, prefix, place.shape, goal=place.prefix)


async def reshape(app: "DashApp") -> None:
    place = app.exploring
    if place.at is not None:
        await _list(app, place.at, place.prefix, place.next_shape)


async def again(app: "DashApp", *, goal: str = "") -> None:
    """List the level once more; the cursor stays."""
    place = app.exploring
    if place.at is None:
        place.to_top()
        changed(app)
        return
    row = app.main.pane.model.current
    held = row.key if isinstance(row, Entry) else ""
    await _list(app, place.at, place.prefix, place.shape, goal=goal or held)


async def reorder(app: "DashApp") -> None:
    place = app.exploring
    if place.at is not None and place.state != "listing":
        visit, order = place.visit, place.order
        rows = await app.ask(partial(in_order, place.rows, order))
        if place.is_current(visit) and place.order == order:
            place.ended(rows)
    changed(app)


async def _list(
    app: "DashApp", settings: Datastore, prefix: str, shape: Shape, *, goal: str = ""
) -> None:
    """Page by page: what is there is shown while the rest still comes."""
    place = app.exploring
    visit = place.go(settings, prefix, shape, goal=goal)
    changed(app)
    try:
        explorer = await app.ask(partial(explorer_of, place, settings))
        pages = explorer.pages(prefix, shape)
        while (page := await app.ask(lambda: next(pages, None))) is not None:
            if not place.is_current(visit):
                return
            if not place.take(page):
                break
            _paint(app)
        rows = await app.ask(partial(in_order, place.rows, place.order))
    except S3DashError as error:
        if place.is_current(visit):
            place.failed(error)
            app.tell(f"{settings.name}: {error.message}  {error.hint}".rstrip(), level="error")
    else:
        if place.is_current(visit):
            place.ended(rows)
    changed(app)


def changed(app: "DashApp") -> None:
    """Show what is known now."""
    app.exploring.painted = app.clock.monotonic()
    app.main.show()
    app.main.show_detail()


def _paint(app: "DashApp") -> None:
    """The first page at once, those that follow no more often than everything else."""
    place, now = app.exploring, app.clock.monotonic()
    if place.fresh or now - place.painted >= POLL_S:
        place.fresh = False
        changed(app)


# --- one object -----------------------------------------------------------------------------


async def look_into(app: "DashApp", entry: Entry) -> None:
    """Read the beginning of an object, unless that was done or another level is shown."""
    place = app.exploring
    known = place.looked
    if place.at is None or (known and (known.key, known.etag) == (entry.key, entry.etag)):
        return
    settings = place.at
    try:
        explorer = await app.ask(partial(explorer_of, place, settings))
        found = await app.ask(
            partial(explorer.preview, entry, pictures=not (app.worded or app.no_color))
        )
    except S3DashError as error:
        looked = Looked(key=entry.key, etag=entry.etag, problem=error.message)
    else:
        looked = Looked(key=entry.key, etag=entry.etag, found=found)
    if place.at is settings and app.main.pane.model.current is entry:
        place.looked = looked
        app.main.show_detail()
        app.show_dialog()
