"""From the configuration to an opened bucket, as one of the kinds of stores."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from s3dash.config.credentials import resolve
from s3dash.config.load import Loaded, load
from s3dash.core.settings import Datastore, Kind
from s3dash.errors import UsageError
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.patience import Patience
from s3dash.stores.opened import SIZES, Opened


def open_configured(
    kind: Kind,
    name: str | None = None,
    *,
    config: Path | None = None,
    writes: bool = True,
    environ: Mapping[str, str] | None = None,
) -> Opened:
    """The bucket of the datastore of that name, else of the first one; nothing is sent yet.

    `config` is the file, else it is looked for where the command line looks. Raises ConfigError,
    and UsageError where a datastore of another kind would be written.
    """
    environ = os.environ if environ is None else environ
    loaded = load(config=config, datastore=name, namespace=None, environ=environ, cwd=Path.cwd())
    return opened(loaded, kind, writes=writes, environ=environ)


def opened(loaded: Loaded, kind: Kind, *, writes: bool, environ: Mapping[str, str]) -> Opened:
    """The datastore that is meant. Any can be read as any kind, and is sealed then."""
    settings = loaded.pick()
    if writes and settings.kind != kind:
        raise UsageError(
            f"{settings.name} holds {settings.kind}; this writes {kind}",
            hint="name another one with --datastore",
        )
    if settings.kind != kind:
        settings = replace(settings, readonly=True)
    return opened_with(loaded, settings, environ=environ)


def opened_with(loaded: Loaded, settings: Datastore, *, environ: Mapping[str, str]) -> Opened:
    """A datastore of the configuration with these settings of its own."""
    refs, patience = loaded.credentials[settings.name], Patience()
    resolve(refs, environ)  # what is wrong with them is told before anything is asked
    sizes = SIZES.get(settings.kind, {})
    store = open_store(settings, lambda: resolve(refs, environ), patience=patience, **sizes)
    return Opened(settings, store, patience)
