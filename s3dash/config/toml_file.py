"""A TOML configuration: datastores, what they share, the screen, its themes, the service."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from s3dash.config import files, watch_schema
from s3dash.config.check import check, check_as, report, shown, told
from s3dash.config.schema import Table
from s3dash.config.screen_schema import ScreenTable, ThemeTable, is_theme_name, settings
from s3dash.core.paths import is_namespace
from s3dash.core.screen import ScreenSettings
from s3dash.core.service import WatchSettings
from s3dash.errors import ConfigError

_TABLES = ("defaults", "datastores", "screen", "themes", "watch")
_KNOWN = "there are [defaults], [datastores.NAME], [screen], [themes.NAME] and [watch]"

ScreenCheck = Callable[[ScreenSettings], Iterable[str]]
"""What the screen itself finds wrong: commands, keys and themes that there are not."""


class Document(NamedTuple):
    """The datastores in the file's order, each merged over the defaults, and the other parts.

    `origins`: which table each field of a datastore comes from.
    """

    tables: dict[str, Table]
    origins: dict[str, dict[str, str]]
    screen: ScreenSettings
    watch: WatchSettings


def read(
    path: Path,
    *,
    where: str,
    check_screen: ScreenCheck | None = None,
    content: str | None = None,
) -> Document:
    """Raises ConfigError with every problem of the file; `where` is the file's name in it.

    `content` is what the file is to hold, None: look there.
    """
    document = _parse(path, where) if content is None else parse(content.encode(), where)
    problems = [
        f"{where}: [{told(key)}]: unknown table; {_KNOWN}" for key in document if key not in _TABLES
    ]
    tables, origins = _datastores(document, where=where, problems=problems)
    screen = _screen(document, where=where, problems=problems)
    watch = _watch(document, where=where, problems=problems)
    if check_screen is not None:
        problems += [f"{where}: {problem}" for problem in check_screen(screen)]
    report(problems)
    return Document(tables, origins, screen, watch)


def _datastores(
    document: dict[str, Any], *, where: str, problems: list[str]
) -> tuple[dict[str, Table], dict[str, dict[str, str]]]:
    """The tables and their origins."""
    place = f"{where}: [defaults]"
    shared = check(document.get("defaults", {}), where=place, problems=problems)
    tables = document.get("datastores")
    if not isinstance(tables, dict) or not tables:
        problems.append(f"{where}: there is no table [datastores.NAME]")
        tables = {}
    found: dict[str, Table] = {}
    origins: dict[str, dict[str, str]] = {}
    for name, raw in tables.items():
        place = table_name(where, name)
        if not is_namespace(name):
            problems.append(f"{place}: the name must be letters, digits, '.', '_' and '-'")
        table = check(raw, where=place, problems=problems)
        whole = _merged(shared, table, raw, where=place, problems=problems)
        if whole is not None and shared is not None and table is not None:
            found[name] = whole
            origins[name] = dict.fromkeys(shared.model_fields_set, f"{where}: [defaults]")
            origins[name] |= dict.fromkeys(table.model_fields_set, place)
    return found, origins


def _screen(document: dict[str, Any], *, where: str, problems: list[str]) -> ScreenSettings:
    """What is wrong goes to `problems`, and is left out of the answer."""
    raw, given = document.get("screen", {}), document.get("themes", {})
    table = check_as(ScreenTable, raw, where=f"{where}: [screen]", problems=problems)
    if not isinstance(given, dict):
        problems.append(f"{where}: [themes]: must be tables [themes.NAME]")
        given = {}
    themes: dict[str, ThemeTable] = {}
    for name, fields in given.items():
        place = f"{where}: [themes.{shown(name)}]"
        if not is_theme_name(name):
            problems.append(f"{place}: the name must be letters, digits, '.', '_' and '-'")
        theme = check_as(ThemeTable, fields, where=place, problems=problems)
        if theme is not None:
            themes[name] = theme
    return settings(table or ScreenTable(), themes)


def _watch(document: dict[str, Any], *, where: str, problems: list[str]) -> WatchSettings:
    raw = document.get("watch", {})
    table = check_as(watch_schema.WatchTable, raw, where=f"{where}: [watch]", problems=problems)
    return watch_schema.settings(table or watch_schema.WatchTable())


def table_name(where: str, name: str) -> str:
    return f"{where}: [datastores.{shown(name)}]"


def _merged(
    shared: Table | None, table: Table | None, raw: object, *, where: str, problems: list[str]
) -> Table | None:
    """The table over the defaults; one of the two must name the bucket."""
    own = {str(key).lower() for key in raw} if isinstance(raw, dict) else {"bucket"}
    if "bucket" not in own and (shared is None or shared.bucket is None):
        problems.append(f"{where}: bucket: missing")
    if table is None or shared is None:
        return None
    return shared.model_copy(update={f: getattr(table, f) for f in table.model_fields_set})


def _parse(path: Path, where: str) -> dict[str, Any]:
    try:
        raw = files.read(path)
    except files.Unreadable as error:
        raise ConfigError(f"{where}: {error}") from None
    return parse(raw, where)


def parse(raw: bytes, where: str) -> dict[str, Any]:
    """TOML as plain values. Raises ConfigError with the place of the first mistake."""
    document, problem = _load(raw)
    if problem:
        raise ConfigError(f"{where}: {problem}")
    return document


def _load(raw: bytes) -> tuple[dict[str, Any], str]:
    """The document, or what is wrong; the parser's own error holds all of it, so it ends here."""
    import tomli

    try:
        return tomli.loads(raw.decode()), ""
    except tomli.TOMLDecodeError as error:
        return {}, f"line {error.lineno}, column {error.colno}: {error.msg}"
    except UnicodeDecodeError as error:
        return {}, f"byte {error.start}: this is no UTF-8 text"
    except RecursionError:
        return {}, "nested too deeply"
    except ValueError:  # Python reads no decimal number of more than 4300 digits
        return {}, "a number is too long"
