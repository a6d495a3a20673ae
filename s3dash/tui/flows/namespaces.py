"""Going over to another namespace: the engine of the one ends, that of the other begins."""

from typing import TYPE_CHECKING

from s3dash.core.settings import Datastore
from s3dash.engine.api import EngineApi
from s3dash.errors import S3DashError
from s3dash.tui.look import Look, Site
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.namespaces import NamespaceScreen

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
    if name is None or name == site.settings.namespace:
        return
    shown = _shown(app.look, name)
    if shown is not None:
        app.use_site(shown.name)
    else:
        await _switch(app, name)


def _shown(look: Look, namespace: str) -> Site | None:
    """The same namespace of the same bucket, when it is on the screen already."""

    def place(settings: Datastore) -> tuple[str | None, str, str]:
        return settings.endpoint, settings.bucket, settings.prefix

    for site in look.sites:
        if site.settings.namespace == namespace and place(site.settings) == place(look.settings):
            return site
    return None


async def _switch(app: "DashApp", name: str) -> None:
    """One engine owns a cache, so the old one ends first; it comes back when the new one fails."""
    index, engine = app.current, app.engine
    datastore, before = engine.settings.name, engine.settings.namespace
    open_namespace = app.open_namespace
    if open_namespace is None:
        return
    app.tell(f"going over to namespace {name} …")

    def over(to: str | None) -> EngineApi:
        opened = open_namespace(datastore, to)
        app.opened.append(opened)
        opened.start()
        return opened

    await app.ask(engine.stop)
    try:
        opened = await app.ask(lambda: over(name))
    except S3DashError as error:
        opened = await app.ask(lambda: over(before))
        app.tell(f"namespace {name} cannot be opened: {error.message}", level="error")
    else:
        app.tell(f"working in namespace {name}")
    await app.replace_engine(index, opened)
