"""The real parts behind the commands: configuration, engines, stores, the screen.

All of it is imported when it is needed, so that a command loads only what it uses.
"""

import logging
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from s3dash.cli.options import Options
from s3dash.errors import S3DashError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3dash.config.load import Loaded
    from s3dash.core.settings import Datastore
    from s3dash.engine.api import EngineApi
    from s3dash.objectstore.probe import Doctor, OnCheck


class Services(Protocol):
    """What the commands ask for. Every call raises only classes of `s3dash.errors`."""

    def engine(self, options: Options) -> "EngineApi":
        """The engine of the datastore that is meant, not started."""
        ...

    def settings(self, options: Options) -> "Datastore":
        """The datastore that is meant; nothing is asked of its endpoint."""
        ...

    def doctor(
        self, options: Options, *, on_check: "OnCheck | None" = None
    ) -> "tuple[Datastore, Doctor]":
        """The datastore, and what its endpoint was proved to do."""
        ...

    def dashboard(self, options: Options, note: "Callable[[str], None]") -> int:
        """Open the screen; its exit code. `note` is told of datastores that cannot be shown."""
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
        loaded = self._load(options)
        settings = loaded.pick()
        if settings.kind != "cache":
            raise UsageError(
                f"{settings.name} holds {settings.kind}; this command is for a shared cache",
                hint="name another one with --datastore",
            )
        return self._open(loaded, settings)

    def settings(self, options: Options) -> "Datastore":
        return self._load(options).pick()

    def doctor(
        self, options: Options, *, on_check: "OnCheck | None" = None
    ) -> "tuple[Datastore, Doctor]":
        from s3dash.config.credentials import resolve
        from s3dash.engine.open import open_store
        from s3dash.objectstore.probe import doctor

        hush_libraries()
        loaded = self._load(options)
        settings = loaded.pick()
        credentials = resolve(loaded.credentials[settings.name], self._environ)
        store = open_store(settings, credentials)
        try:
            found = doctor(store, nonce=uuid.uuid4().hex, prefix=settings.prefix, on_check=on_check)
            return settings, found
        finally:
            store.close()

    def described(self, options: Options) -> dict[str, Any]:
        from s3dash.config.load import describe

        return describe(self._load(options))

    def checked(self, options: Options) -> dict[str, Any]:
        from s3dash.config.credentials import resolve, warnings

        loaded = self._load(options)
        told: list[str] = []
        for refs in loaded.credentials.values():
            resolve(refs, self._environ)
            told += warnings(refs, self._environ)
        return {"source": loaded.source, "datastores": [*loaded.datastores], "warnings": told}

    def dashboard(self, options: Options, note: "Callable[[str], None]") -> int:
        from s3dash.cli.screen import show

        loaded = self._load(options)
        meant = loaded.pick()
        engines = [self._open(loaded, meant)]
        for settings in loaded.datastores.values():
            if settings is not meant and settings.kind == "cache":
                try:
                    engines.append(self._open(loaded, settings))
                except S3DashError as error:
                    note(f"{settings.name} is not shown: {error.message}")
        return show(
            engines,
            open_engine=lambda other: self._open(loaded, other),
            no_color=options.no_color,
        )

    def _load(self, options: Options) -> "Loaded":
        from s3dash.config.load import load

        return load(
            config=options.config,
            datastore=options.datastore,
            namespace=options.namespace,
            environ=self._environ,
            cwd=self._cwd,
        )

    def _open(self, loaded: "Loaded", settings: "Datastore") -> "EngineApi":
        from s3dash.config.credentials import resolve
        from s3dash.engine.open import open_engine

        hush_libraries()
        refs = loaded.credentials[settings.name]
        if resolve(refs, self._environ) is None:
            return open_engine(settings)
        return open_engine(settings, lambda: resolve(refs, self._environ))


def hush_libraries() -> None:
    """Libraries log to standard error when nobody listens; it is not theirs."""
    logging.getLogger().addHandler(logging.NullHandler())
