"""The peers' own configuration: a `.swamp.yaml` in or above the working directory.

Source: the shared-datastore protocol, «Repository discovery». What the file says wins over the
`SWAMP_…_TIMEOUT_MS` variables; `SWAMP_DATASTORE` wins over the file's whole datastore section.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from s3dash.config import files, places, yaml_file
from s3dash.config.check import check, report, told
from s3dash.config.schema import Table
from s3dash.core import paths
from s3dash.errors import ConfigError

FILE = ".swamp.yaml"
TYPES = ("@swamp/s3-datastore", "s3")
_CONFIG = (
    "bucket", "prefix", "region", "endpoint", "force_path_style",
    "pull_concurrency", "push_concurrency", "request_timeout_ms",
)  # fmt: skip
_OUTER = ("directories", "exclude", "hydration", "namespace", "sync_timeout_ms")
_IGNORED = frozenset({"type", "config", "managedConfig"})
_VARIABLE = re.compile(r"\$\{\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_LONGEST = 600_000
_TIMEOUTS = {
    "SWAMP_S3_REQUEST_TIMEOUT_MS": ("request_timeout_ms", 1000, _LONGEST),
    "SWAMP_LOCK_TIMEOUT_MS": ("lock_timeout_ms", 1000, _LONGEST),
    "SWAMP_DATASTORE_SYNC_TIMEOUT_MS": ("sync_timeout_ms", 1, 86_400_000),
}
"""The variable, the field that it stands for, and its bounds in milliseconds."""


class Joined(NamedTuple):
    """What a repository says: `cache` is where its clients keep it, `origins` what set a field."""

    table: Table
    cache: Path
    origins: dict[str, str]


def find(cwd: Path) -> Path | None:
    """The nearest `.swamp.yaml` in `cwd` or above it."""
    for directory in (cwd, *cwd.parents):
        if files.is_there(directory / FILE):
            return directory / FILE
    return None


def read(path: Path, *, where: str, environ: Mapping[str, str]) -> Joined:
    """The table with its bucket set, the cache directory, and where it all comes from.

    Raises ConfigError with every problem; `where` is the file's name in it.
    """
    problems: list[str] = []
    document = _document(path, where=where)
    repo = _name(document.get("repoId"))
    if not paths.is_namespace(repo):
        problems.append(f"{where}: repoId: missing, or no plain name")
    section, place = _section(document, where=where, environ=environ)
    given = _flat(section, where=place, environ=environ, problems=problems)
    timeouts = _timeouts(environ, problems)
    if "bucket" not in {key.lower() for key in given}:
        problems.append(f"{place}: bucket: missing")
    table = check(given, where=place, problems=problems, only=_CONFIG + _OUTER)
    report(problems)
    own = table.model_dump(exclude_unset=True) if table is not None else {}
    origins = {field: variable for variable, (field, *_) in _TIMEOUTS.items() if field in timeouts}
    origins |= dict.fromkeys(own, place)
    origins |= {"repo_id": f"{where}: repoId", "cache": f"{where}: repoId"}
    if environ.get("SWAMP_HOME"):
        origins["cache"] = f"SWAMP_HOME and {where}: repoId"
    fields = timeouts | own | {"repo_id": repo}
    return Joined(Table.model_validate(fields), _home(environ) / "repos" / repo, origins)


def _home(environ: Mapping[str, str]) -> Path:
    if own := environ.get("SWAMP_HOME"):
        return Path(own)
    return places.home(environ) / ".swamp"


def _document(path: Path, *, where: str) -> dict[str, Any]:
    try:
        raw = files.read(path, limit=yaml_file.MAX_BYTES)
    except files.Unreadable as error:
        raise ConfigError(f"{where}: {error}") from None
    return yaml_file.parse(raw, where=where)


def _name(value: object) -> str:
    """A name as YAML may give it, a number included; empty for anything else."""
    return str(value) if isinstance(value, str | int) and value is not True else ""


def _section(
    document: Mapping[str, Any], *, where: str, environ: Mapping[str, str]
) -> tuple[Mapping[str, Any], str]:
    """The datastore section that rules, and what to call it."""
    if text := environ.get("SWAMP_DATASTORE"):
        return _from_variable(text), "SWAMP_DATASTORE"
    section = document.get("datastore")
    if not isinstance(section, Mapping):
        raise ConfigError(
            f"{where}: datastore: missing; this repository keeps its data on its own disk",
            hint="set up an S3 datastore there, or write an s3dash.toml",
        )
    _need_s3(section.get("type"), f"{where}: datastore.type")
    return section, f"{where}: datastore"


def _from_variable(text: str) -> Mapping[str, Any]:
    """`<type>:<json>`, or the old short form `s3:<bucket>/<prefix>`."""
    kind, _, rest = text.partition(":")
    _need_s3(kind, "SWAMP_DATASTORE")
    if kind == "s3" and not rest.startswith("{"):
        bucket, _, prefix = rest.partition("/")
        return {"type": kind, "config": {"bucket": bucket, "prefix": prefix}}
    config = _json(rest)
    if config is None:
        raise ConfigError("SWAMP_DATASTORE: what follows the type is no JSON")
    return {"type": kind, "config": config}


def _json(text: str) -> object:
    """The value, None when there is none; the parser's own error quotes it all: it ends here."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _need_s3(kind: object, where: str) -> None:
    if kind not in TYPES:
        raise ConfigError(
            f"{where}: is not {TYPES[0]}; s3dash joins datastores on S3 only",
            hint="write an s3dash.toml to use another datastore here",
        )


def _flat(
    section: Mapping[str, Any], *, where: str, environ: Mapping[str, str], problems: list[str]
) -> dict[str, Any]:
    """The section's fields and those of its `config` as one table, without the empty ones."""
    inner = section.get("config") or {}
    if not isinstance(inner, Mapping):
        problems.append(f"{where}: config: must be a mapping")
        inner = {}
    outer = {key: value for key, value in section.items() if key not in _IGNORED}
    fields = {str(k): v for k, v in {**outer, **inner}.items() if v not in (None, "")}
    for key, value in fields.items():
        try:
            fields[key] = _worked_out(value, environ)
        except ValueError as error:
            problems.append(f"{where}: {told(key)}: {error}")
    return fields


def _worked_out(value: object, environ: Mapping[str, str]) -> object:
    """With every `${{ env.NAME }}` replaced, as the peers do, also in a list of texts.

    No deeper: no field holds lists in lists, and aliases make a short file one of 10⁹ of them.
    Raises ValueError for what lacks.
    """
    if isinstance(value, list):
        return [_worked_out(one, environ) if isinstance(one, str) else one for one in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    lacking = [name for name in _VARIABLE.findall(value) if not environ.get(name)]
    if lacking:
        raise ValueError(f"the variable {lacking[0]} is not set")
    if "${" in _VARIABLE.sub("", value):
        raise ValueError("s3dash works out no expression but ${{ env.NAME }}")
    return _VARIABLE.sub(lambda found: environ[found[1]], value)


def _timeouts(environ: Mapping[str, str], problems: list[str]) -> dict[str, int]:
    out = {}
    for variable, (field, least, most) in _TIMEOUTS.items():
        text = environ.get(variable, "")
        if not text:
            continue
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
        if least <= value <= most:
            out[field] = value
        else:
            problems.append(f"{variable}: must be from {least} to {most}")
    return out
