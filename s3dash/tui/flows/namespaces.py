"""Namespaces: looking at them, registering, moving some, and going over to another one.

One engine owns a cache: going over ends the engine of the one and opens that of the other.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from s3dash.core.plan import Direction
from s3dash.core.settings import Datastore
from s3dash.engine.api import EngineApi
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui.cells import plain
from s3dash.tui.flows import operate
from s3dash.tui.flows.ending import end
from s3dash.tui.format import count as number_of
from s3dash.tui.look import Look, Site
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.namespaces import NamespaceScreen
from s3dash.tui.screens.register import RegisterScreen

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def choose(app: "DashApp") -> None:
    engine, site = app.engine, app.look.site
    screen = NamespaceScreen(site.name, look=lambda: app.look, clock=app.clock)
    answered = await ask_user(app, screen)
    try:
        names = await app.ask(engine.namespaces)
    except S3DashError as error:
        screen.failed(error)
    else:
        screen.ready(names)
    name = await answered
    if name is not None:
        await go_over(app, name)


async def go_over(app: "DashApp", name: str) -> None:
    """Work in another namespace of the current datastore."""
    if name == app.look.settings.namespace:
        return
    shown = _shown(app.look, name)
    if shown is not None:
        app.use_site(shown.name)
        return
    app.tell(f"going over to namespace {name} …")
    if await _switch(app, app.look.site.name, name):
        app.tell(f"working in namespace {name}")


async def settle_in(app: "DashApp", name: str | None) -> None:
    """Work where the current datastore is now, after it moved; None: in no namespace."""
    await _switch(app, app.look.site.name, name)


def _shown(look: Look, namespace: str) -> Site | None:
    """The same namespace of the same bucket, when it is on the screen already."""

    def place(settings: Datastore) -> tuple[str | None, str, str]:
        return settings.endpoint, settings.bucket, settings.prefix

    for site in look.sites:
        if site.settings.namespace == namespace and place(site.settings) == place(look.settings):
            return site
    return None


async def _switch(app: "DashApp", site: str, to: str | None, *, live: bool = True) -> bool:
    """The engine of another namespace in the place of a site's; False: the old one is back.

    Without `live` it only acts when it is asked: it neither watches, nor polls, nor syncs.
    """
    open_namespace = app.open_namespace
    engine = app.engine_at([s.name for s in app.look.sites].index(site))
    datastore, before = engine.settings.name, engine.settings.namespace
    if open_namespace is None:
        app.tell("namespaces cannot be changed here", level="warning")
        return False

    def over(namespace: str | None, *, start: bool) -> EngineApi:
        opened = open_namespace(datastore, namespace)
        app.opened.append(opened)
        if start:
            opened.start()
        return opened

    known = engine.snapshot()
    await end(app, engine)
    try:
        opened = await app.ask(lambda: over(to, start=live))
    except S3DashError as error:
        try:
            opened = await app.ask(lambda: over(before, start=True))
        except S3DashError as other:
            told = f"{site} is closed: neither {to or 'it'} nor {before or 'it'} can be opened"
            app.tell(f"{told}: {other.message}", level="error")
            return False
        live = True
        app.tell(f"namespace {to} cannot be opened: {error.message}", level="error")
    opened.census.adopt(known.tenants, asked=not live)
    await app.ask(lambda: opened.endpoint.adopt(known.endpoint.finding))
    place = _place_of(app, engine)
    if place is None:
        await end(app, opened)
        app.tell(f"{site} was opened anew or taken away meanwhile", level="warning")
        return False
    await app.replace_engine(place, opened)
    return opened.settings.namespace == to


def _place_of(app: "DashApp", engine: EngineApi) -> int | None:
    """Where it stands now: the configuration may have been read again since it was looked up."""
    places = range(len(app.look.sites))
    return next((n for n in places if app.engine_at(n) is engine), None)


# --- view 5 -------------------------------------------------------------------------------


async def look(app: "DashApp") -> None:
    """Find the namespaces of the current datastore; the snapshot tells what is found."""
    engine = app.engine
    await app.ask(engine.census.look)
    app.poll()


async def count(app: "DashApp", names: Sequence[str]) -> None:
    """Fetch the index of these, and nothing else."""
    engine = app.engine
    what = f"namespace {names[0]}" if len(names) == 1 else number_of(len(names), "namespace")
    app.tell(f"reading the index of {what} …")
    try:
        survey = await app.ask(lambda: engine.census.count(names))
    except Cancelled:
        return  # the engine is gone, and so is what asked
    except S3DashError as error:
        app.tell(f"the index could not be read: {error.message}", level="error")
        return
    app.poll()
    wrong = [row for row in survey.rows if row.slug in names and row.problem]
    if wrong:
        app.tell(f"{wrong[0].slug}: {wrong[0].problem}", level="warning")
    else:
        app.tell(f"read the index of {what}")


async def stand(app: "DashApp") -> None:
    """Where the cache stands with all of them; what is found is in the rows."""
    engine = app.engine
    app.tell("looking at every namespace …")
    try:
        found = await app.ask(engine.registry.standings)
    except Cancelled:
        return  # the engine is gone, and so is what asked
    except S3DashError as error:
        app.tell(f"the namespaces could not be looked at: {error.message}", level="error")
        return
    app.poll()
    wrong = [row for row in found if not row.healthy]
    here = sum(row.here for row in found)
    told = f"looked at {number_of(len(found), 'namespace')}, {here:,} of them here"
    if wrong:
        told += f"; {wrong[0].namespace or 'without one'}: {wrong[0].message}"
    app.tell(told, level="warning" if wrong else "info")


async def register(app: "DashApp", name: str) -> None:
    """Ask for name and repository, and write the manifest if nobody was first."""
    engine, site = app.engine, app.look.site
    screen = RegisterScreen(site.name, name, site.settings.repo_id, clock=app.clock)
    wanted = await (await ask_user(app, screen))
    if wanted is None:
        return
    try:
        done = await app.ask(
            lambda: engine.registry.register(wanted.namespace, repo_id=wanted.repo_id)
        )
    except S3DashError as error:
        app.tell(f"not registered: {error.message}  {error.hint}".rstrip(), level="error")
        return
    told = "registered" if done.created else "was registered already"
    app.tell(f"namespace {done.namespace} {told} for repository {done.repo_id}")
    await look(app)


async def move(app: "DashApp", direction: Direction, names: Sequence[str]) -> None:
    """Push or pull these one after the other, each after its plan; then be where we were."""
    site, home = app.look.site.name, app.look.settings.namespace
    told = ""
    for name in names:
        if not await _reach(app, site, name, home=home):
            break
        if not await operate.planned(app, direction):
            break
        if app.operation.running is not None:
            await app.operation.idle.wait()
            told = plain(app.last_event)
            app.note(f"namespace {name}: {told}")
    await _come_home(app, site, home, told)


async def _reach(app: "DashApp", site: str, name: str, *, home: str | None) -> bool:
    """An engine of the namespace is the current one; False when it cannot be.

    One that is on the screen as a datastore of its own is used as it is, with its own cache.
    """
    _stand_on(app, site)
    shown = _shown(app.look, name)
    if shown is not None:
        _stand_on(app, shown.name)
        return True
    app.tell(f"opening namespace {name} …")
    reached = await _switch(app, site, name, live=name == home)
    if reached:
        _stand_on(app, site)
    return reached


async def _come_home(app: "DashApp", site: str, home: str | None, told: str) -> None:
    """`told` is how the last one ended; it is still the thing to read."""
    if app.look.site.name == site and app.look.settings.namespace == home:
        return
    _stand_on(app, site)
    if app.look.settings.namespace != home:
        await _switch(app, site, home)
    app.tell(f"{told + '  ' if told else ''}still working in {home or 'the whole datastore'}")


def _stand_on(app: "DashApp", site: str) -> None:
    if app.look.site.name != site:
        app.use_site(site)
