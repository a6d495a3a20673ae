"""A TOML configuration: `[defaults]` and one `[datastores.NAME]` for each datastore."""

from pathlib import Path
from typing import Any

from s3dash.config import files
from s3dash.config.check import check, report, shown, told
from s3dash.config.schema import Table
from s3dash.core.paths import is_namespace
from s3dash.errors import ConfigError

_TABLES = ("defaults", "datastores")


def read(path: Path, *, where: str) -> dict[str, Table]:
    """The datastores in the file's order, each merged over the defaults.

    Raises ConfigError with every problem of the file; `where` is the file's name in it.
    """
    document = _parse(path, where)
    problems = [
        f"{where}: [{told(key)}]: unknown table; there are [defaults] and [datastores.NAME]"
        for key in document
        if key not in _TABLES
    ]
    place = f"{where}: [defaults]"
    shared = check(document.get("defaults", {}), where=place, problems=problems)
    tables = document.get("datastores")
    if not isinstance(tables, dict) or not tables:
        problems.append(f"{where}: there is no table [datastores.NAME]")
        tables = {}
    found: dict[str, Table] = {}
    for name, raw in tables.items():
        place = table_name(where, name)
        if not is_namespace(name):
            problems.append(f"{place}: the name must be letters, digits, '.', '_' and '-'")
        table = _merged(shared, raw, where=place, problems=problems)
        if table is not None:
            found[name] = table
    report(problems)
    return found


def table_name(where: str, name: str) -> str:
    return f"{where}: [datastores.{shown(name)}]"


def _merged(shared: Table | None, raw: object, *, where: str, problems: list[str]) -> Table | None:
    """The table over the defaults; one of the two must name the bucket."""
    table = check(raw, where=where, problems=problems)
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
