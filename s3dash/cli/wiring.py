"""The real parts behind the commands: configuration, engines, stores, the screen.

All of it is imported when it is needed, so that a command loads only what it uses.
"""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from s3dash.cli.options import Options
from s3dash.core.screen import ScreenSettings
from s3dash.errors import NotConfigured, ReadOnly, S3DashError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3dash.cli.setup import Setup
    from s3dash.config.load import Loaded
    from s3dash.config.toml_file import ScreenCheck
    from s3dash.core.cancel import CancelToken
    from s3dash.core.service import WatchSettings
    from s3dash.core.settings import Datastore, Kind
    from s3dash.engine.api import EngineApi
    from s3dash.objectstore.probe import Doctor, OnCheck
    from s3dash.stores.opened import Opened
    from s3dash.tui.configured import Configured


class Services(Protocol):
    """What the commands ask for. Every call raises only classes of `s3dash.errors`."""

    def engine(self, options: Options) -> "EngineApi":
        """The engine of the datastore that is meant, not started; that of the process which owns
        its cache, when there is one that lets others attach to it."""
        ...

    def settings(self, options: Options) -> "Datastore":
        """The datastore that is meant; nothing is asked of its endpoint."""
        ...

    def store(self, options: Options, kind: "Kind", *, writes: bool) -> "Opened":
        """The bucket of the datastore that is meant; whoever asks closes the store.

        Any datastore can be read as any kind. Raises UsageError where one of another kind would
        be written, which only knows its own ways.
        """
        ...

    def doctor(
        self, options: Options, *, on_check: "OnCheck | None" = None
    ) -> "tuple[Datastore, Doctor]":
        """The datastore, and what its endpoint was proved to do."""
        ...

    def service(self, options: Options, cancel: "CancelToken") -> "tuple[EngineApi, WatchSettings]":
        """The engine of the datastore that is meant, of this process in any case and not started,
        and the table `[watch]`. Raises Cancelled when told while it waits for the cache."""
        ...

    def dashboard(self, options: Options, note: "Callable[[str], None]") -> int:
        """Open the screen; its exit code. `note` is told of datastores that cannot be shown."""
        ...

    def setup(self) -> "Setup":
        """What looks at places that are not configured yet, and writes the configuration."""
        ...

    def described(self, options: Options) -> dict[str, Any]:
        """The configuration as it is in force, safe to print."""
        ...

    def checked(self, options: Options) -> dict[str, Any]:
        """`{source, datastores, warnings}`; raises ConfigError with all that is wrong."""
        ...


class Wiring:
    """The services of a real run, in the environment and directory that it is given."""

    def __init__(self, environ: Mapping[str, str], *, cwd: Path) -> None:
        self._environ = environ
        self._cwd = cwd

    def engine(self, options: Options) -> "EngineApi":
        from s3dash.attach.borrowed import borrowed

        loaded, settings = self._cache(options)
        return borrowed(settings, lambda: self._open(loaded, settings))

    def _cache(self, options: Options) -> "tuple[Loaded, Datastore]":
        loaded = self._load(options)
        settings = loaded.pick()
        if settings.kind != "cache":
            raise UsageError(
                f"{settings.name} holds {settings.kind}; this command is for a shared cache",
                hint="name another one with --datastore",
            )
        return loaded, settings

    def service(self, options: Options, cancel: "CancelToken") -> "tuple[EngineApi, WatchSettings]":
        from s3dash.attach.served import served

        loaded, settings = self._cache(options)
        opener = partial(self._open, loaded, settings)
        return served(settings, opener, name="watch", cancel=cancel), loaded.watch

    def settings(self, options: Options) -> "Datastore":
        return self._load(options).pick()

    def store(self, options: Options, kind: "Kind", *, writes: bool) -> "Opened":
        from s3dash.stores.configured import opened

        hush_libraries()
        if options.from_env:
            return _from_environment(self._environ, readonly=options.readonly)
        return opened(self._load(options), kind, writes=writes, environ=self._environ)

    def _explored(self, loaded: "Loaded", settings: "Datastore") -> "Opened":
        """For the Explorer: the bucket of a shared cache only to be read."""
        from s3dash.stores.configured import opened_with

        hush_libraries()
        if settings.kind == "cache":
            settings = replace(settings, readonly=True)
        return opened_with(loaded, settings, environ=self._environ)

    def doctor(
        self, options: Options, *, on_check: "OnCheck | None" = None
    ) -> "tuple[Datastore, Doctor]":
        import uuid

        from s3dash.config.credentials import resolve
        from s3dash.objectstore.opening import open_store
        from s3dash.objectstore.probe import doctor

        hush_libraries()
        loaded = self._load(options)
        settings = loaded.pick()
        if settings.readonly:
            raise ReadOnly(
                f"{settings.name} was opened to look only; what the endpoint does is found out "
                "by writing small objects, below a prefix of their own",
                hint="take `readonly` away for this",
            )
        credentials = resolve(loaded.credentials[settings.name], self._environ)
        store = open_store(settings, credentials)
        try:
            found = doctor(store, nonce=uuid.uuid4().hex, prefix=settings.prefix, on_check=on_check)
            return settings, found
        finally:
            store.close()

    def setup(self) -> "Setup":
        from s3dash.cli.setup import Setup

        return Setup(self._environ, cwd=self._cwd)

    def described(self, options: Options) -> dict[str, Any]:
        from s3dash.config.load import describe

        return describe(self._load(options))

    def checked(self, options: Options) -> dict[str, Any]:
        from s3dash.config.credentials import resolve, warnings

        loaded = self._load(options, check_screen=_screen_problems)
        told = _screen_warnings(loaded.screen)
        for refs in loaded.credentials.values():
            resolve(refs, self._environ)
            told += warnings(refs, self._environ)
        return {"source": loaded.source, "datastores": [*loaded.datastores], "warnings": told}

    def dashboard(self, options: Options, note: "Callable[[str], None]") -> int:
        from s3dash.cli.screen import show
        from s3dash.tui import interpreter

        interpreter.hurry()
        loaded = self._load(options)
        found = self._configured(loaded, options)
        meant, *others = found.datastores
        engines = [self._later(loaded, meant)]
        for settings in others:
            try:
                engines.append(self._later(loaded, settings))
            except S3DashError as error:
                note(f"{settings.name} is not shown: {error.message}")
        return show(
            engines,
            open_engine=found.open_engine,
            wanted=found.screen,
            reload=lambda: self._configured(self._load(options), options),
            detach=partial(_detach, options),
            shelves=found.shelves,
            no_color=options.no_color,
        )

    def _configured(self, loaded: "Loaded", options: Options) -> "Configured":
        """The file as the screen takes it up, the datastore that is meant first.

        One without a shared cache is for the Explorer alone; it has the place of an engine only
        where there is no cache at all.
        """
        from s3dash.cli.screen import wished
        from s3dash.tui.configured import Configured
        from s3dash.tui.shelves import Shelves

        meant = loaded.pick()
        every = [meant, *(s for s in loaded.datastores.values() if s is not meant)]
        caches = [s for s in every if s.kind == "cache"]
        return Configured(
            source=loaded.source,
            datastores=caches or [meant],
            open_engine=partial(self._linked, loaded),
            screen=wished(loaded.screen, options),
            path=loaded.path,
            shelves=Shelves(
                stores=tuple(loaded.datastores.values()),
                open=partial(self._explored, loaded),
                first="" if meant.kind == "cache" else meant.name,
            ),
        )

    def _load(self, options: Options, *, check_screen: "ScreenCheck | None" = None) -> "Loaded":
        from s3dash.config.load import load

        loaded = load(
            config=options.config,
            datastore=options.datastore,
            namespace=options.namespace,
            environ=self._environ,
            cwd=self._cwd,
            check_screen=check_screen,
        )
        if options.readonly:
            found = loaded.datastores
            found.update((name, replace(one, readonly=True)) for name, one in found.items())
        return loaded

    def _later(self, loaded: "Loaded", settings: "Datastore") -> "EngineApi":
        """An engine that the screen opens; what is wrong with its credentials is raised now."""
        from s3dash.config.credentials import resolve
        from s3dash.engine.opening import opened_later
        from s3dash.engine.uncached import uncached

        resolve(loaded.credentials[settings.name], self._environ)
        if settings.kind != "cache":
            return uncached(settings)
        return opened_later(settings, lambda: self._linked(loaded, settings))

    def _linked(self, loaded: "Loaded", settings: "Datastore") -> "EngineApi":
        """For a screen: attached to who owns the cache, else ours, and others attach to us."""
        from s3dash.attach.link import linked
        from s3dash.engine.uncached import uncached

        if settings.kind != "cache":
            return uncached(settings)
        hush_libraries()
        return linked(settings, lambda: self._open(loaded, settings))

    def _open(self, loaded: "Loaded", settings: "Datastore") -> "EngineApi":
        from s3dash.config.credentials import resolve
        from s3dash.engine.open import open_engine

        hush_libraries()
        refs = loaded.credentials[settings.name]
        if resolve(refs, self._environ) is None:
            return open_engine(settings)
        return open_engine(settings, lambda: resolve(refs, self._environ))


def _from_environment(environ: Mapping[str, str], *, readonly: bool) -> "Opened":
    from s3dash.stores.blobs import environment

    found = environment.configured(environ)
    if found is None:
        raise NotConfigured(
            f"no variable {environment.START}… is set",
            hint="they are " + ", ".join(environment.NAMES),
        )
    return environment.opened(found, readonly=readonly)


def _screen_problems(screen: "ScreenSettings") -> list[str]:
    """Commands, keys and themes that there are not. The screen is loaded only to look those up."""
    if screen == ScreenSettings():
        return []
    from s3dash.tui.wishes import problems

    return problems(screen)


def _screen_warnings(screen: "ScreenSettings") -> list[str]:
    if not screen.keys:
        return []
    from s3dash.tui.wishes import warnings

    return warnings(screen)


def _detach(options: Options, settings: "Datastore", ticket: Path) -> str:
    from s3dash.cli import carry_on  # late: it loads Typer, and the screen can do without

    return carry_on.start(options, settings, ticket)


def hush_libraries() -> None:
    """Libraries log to standard error when nobody listens; it is not theirs."""
    logging.getLogger().addHandler(logging.NullHandler())
