"""Find the configuration, read it, check all of it at once, and make it settings.

Order: `--config`, `$S3DASH_CONFIG`, `./s3dash.toml`, `config.toml` in the user's configuration
directory, else a `.swamp.yaml` in or above the working directory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict, fields

from s3dash.config import files, places, swamp, toml_file
from s3dash.config.check import report, shown
from s3dash.config.credentials import CredentialRefs
from s3dash.config.schema import Table
from s3dash.core.paths import is_namespace
from s3dash.core.screen import ScreenSettings
from s3dash.core.service import WatchSettings
from s3dash.core.settings import Datastore
from s3dash.errors import ConfigError, NotConfigured

FILE = "s3dash.toml"
VARIABLE = "S3DASH_CONFIG"


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: the datastores in the order of the file, and which one is meant.

    `source` is the file as messages name it, `path` where it is when it is one of ours.
    `credentials` has references for every datastore, `origins` what each field was set by, where
    it is not as it is by itself.
    """

    datastores: dict[str, Datastore]
    default: str
    source: str
    credentials: dict[str, CredentialRefs]
    origins: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    screen: ScreenSettings = msgspec.field(default_factory=ScreenSettings)
    watch: WatchSettings = msgspec.field(default_factory=WatchSettings)
    path: Path | None = None

    def pick(self, name: str | None = None) -> Datastore:
        """The datastore of that name, or the default one. Raises ConfigError for another name."""
        chosen = name or self.default
        if chosen not in self.datastores:
            raise ConfigError(
                f"{self.source}: there is no datastore {shown(chosen)}",
                hint="there are: " + ", ".join(self.datastores),
            )
        return self.datastores[chosen]


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """A checked table with its place: `base` is what its relative paths start from."""

    table: Table
    where: str
    base: Path
    origins: dict[str, str]
    cache: Path | None = None


def load(
    *,
    config: Path | None,
    datastore: str | None,
    namespace: str | None,
    environ: Mapping[str, str],
    cwd: Path,
    state_home: Path | None = None,
    check_screen: toml_file.ScreenCheck | None = None,
    content: str | None = None,
    told_as: str = "",
) -> Loaded:
    """Read the configuration.

    `datastore` names the one that is meant (else the first of the file), `namespace` overrides
    that one's. `state_home` stands in for `$XDG_STATE_HOME`. Raises ConfigError with every
    problem in one go, those of `check_screen` too; no message shows a value of a datastore.
    NotConfigured: nothing was named and nothing is there.

    `content` is what the TOML file `config` is to hold; that need not be there then. Messages
    name the file `told_as`.
    """
    path = config if config and content is not None else _find(config, environ, cwd)
    source = told_as or places.shown(path, cwd=cwd)
    found, screen, watch = _read(path, source, environ, check_screen, content)
    settings = {name: _settings(name, one, environ, state_home) for name, one in found.items()}
    _check_caches(settings, source)
    loaded = Loaded(
        datastores=settings,
        default=datastore or next(iter(found)),
        source=source,
        credentials={name: _refs(one) for name, one in found.items()},
        origins={name: dict(one.origins) for name, one in found.items()},
        screen=screen,
        watch=watch,
        path=None if path.name == swamp.FILE else path,
    )
    chosen = loaded.pick()
    if namespace is not None:
        if not is_namespace(namespace):
            raise ConfigError(
                "--namespace: must be one path segment of letters, digits, '.', '_' and '-'"
            )
        settings[chosen.name] = chosen.within(namespace)
        loaded.origins[chosen.name]["namespace"] = "--namespace"
    return loaded


def describe(loaded: Loaded) -> dict[str, Any]:
    """All settings as JSON values, safe to print.

    `{source, default, datastores: {NAME: {field: value, …, credentials: {field: reference}}},
    origins: {NAME: {field: what set it}}, screen: {field: value}, watch: {field: value}}`; empty
    `credentials` mean boto3's own chain, a field without an origin is as it is by itself.
    """
    return {
        "source": loaded.source,
        "default": loaded.default,
        "datastores": {
            name: {
                **{f.name: _plain(getattr(one, f.name)) for f in fields(one) if f.name != "home"},
                "credentials": loaded.credentials[name].items(),
            }
            for name, one in loaded.datastores.items()
        },
        "origins": loaded.origins,
        "screen": msgspec.to_builtins(loaded.screen),
        "watch": _watch(loaded.watch),
    }


def _watch(settings: WatchSettings) -> dict[str, Any]:
    """Of the hook the command alone: its arguments may hold what is for nobody's eyes."""
    shown = {name: _plain(value) for name, value in asdict(settings).items()}
    return {**shown, "hook": settings.hook[0] if settings.hook else ""}


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _find(config: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    for given, how in ((config, "--config"), (environ.get(VARIABLE), f"${VARIABLE}")):
        if given:
            path = places.expand(str(given), base=cwd, environ=environ)
            if not files.is_there(path):
                raise ConfigError(f"{how}: {places.shown(path, cwd=cwd)}: there is no such file")
            return path
    usual = usual_files(environ, cwd)
    for path in usual:
        if files.is_there(path):
            return path
    if found := swamp.find(cwd):
        return found
    raise NotConfigured(
        f"there is no configuration: no {FILE} here, no {usual[1]}, "
        f"and no {swamp.FILE} here or above",
        hint="`s3dash init` writes one; `s3dash demo` is there to look around",
    )


def usual_files(environ: Mapping[str, str], cwd: Path) -> tuple[Path, Path]:
    """Where a configuration is looked for when none is named: here, and the user's own."""
    return cwd / FILE, places.user_dir("config", environ) / "config.toml"


def _read(
    path: Path,
    source: str,
    environ: Mapping[str, str],
    check_screen: toml_file.ScreenCheck | None,
    content: str | None,
) -> tuple[dict[str, _Found], ScreenSettings, WatchSettings]:
    """The tables of a file of either kind, each with its place; the peers' is for neither part."""
    base = path.parent
    if path.name == swamp.FILE:
        table, cache, origins = swamp.read(path, where=source, environ=environ)
        name = base.name if is_namespace(base.name) else "swamp"
        found = _Found(table=table, where=source, base=base, cache=cache, origins=origins)
        return {name: found}, ScreenSettings(), WatchSettings()
    document = toml_file.read(path, where=source, check_screen=check_screen, content=content)
    return (
        {
            name: _Found(
                table=table,
                where=toml_file.table_name(source, name),
                base=base,
                origins=document.origins[name],
            )
            for name, table in document.tables.items()
        },
        document.screen,
        document.watch,
    )


def _settings(
    name: str, found: _Found, environ: Mapping[str, str], state_home: Path | None
) -> Datastore:
    table = found.table
    cache = found.cache
    if cache is None and table.cache is not None:
        cache = places.expand(table.cache, base=found.base, environ=environ)
    cache = cache or places.user_dir("cache", environ) / name
    return Datastore(
        name=name,
        bucket=table.bucket or "",
        cache=cache,
        state_dir=places.state_dir(cache, state_home=state_home, environ=environ),
        exclude=tuple(table.exclude),
        directories=tuple(table.directories),
        **table.model_dump(exclude={"credentials", "cache", "exclude", "directories", "bucket"}),
    )


def _refs(found: _Found) -> CredentialRefs:
    given = found.table.credentials
    refs = given.model_dump() if given is not None else {}
    return CredentialRefs(where=found.where, base=found.base, **refs)


def _check_caches(settings: Mapping[str, Datastore], source: str) -> None:
    """Two datastores must not sync the same files: only namespaces of one place share a cache."""
    problems = []
    seen: list[tuple[Path, Datastore]] = []
    for one in settings.values():
        real = places.real(one.cache)
        for other_real, other in seen:
            nested = real.is_relative_to(other_real) or other_real.is_relative_to(real)
            if nested and not (real == other_real and _side_by_side(one, other)):
                place = toml_file.table_name(source, one.name)
                problems.append(f"{place}: cache: overlaps with the cache of {other.name}")
        seen.append((real, one))
    report(problems)


def _side_by_side(one: Datastore, other: Datastore) -> bool:
    here, there = (
        (each.address, each.bucket, each.prefix, each.namespace is None) for each in (one, other)
    )
    return here == there and one.namespace != other.namespace
