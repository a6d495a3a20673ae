"""From the raw mapping of a table to a checked `Table`, with every problem as a line of text.

No line ever shows a value: a value in the wrong place may be a secret.
"""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from s3dash.config.schema import CredentialTable, Table
from s3dash.errors import ConfigError

M = TypeVar("M", bound=BaseModel)

_SECRET = re.compile(
    r"(aws_)?(access|secret)_?(access_?)?key(_?id)?|.*session_?token|.*password|.*secret"
)
_TOLD = 100
"""Problems of one file that are told; nobody reads more at once."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_SYNONYMS = {"hydration_strategy": "hydration"}
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")


def check(
    raw: object, *, where: str, problems: list[str], only: Collection[str] = ()
) -> Table | None:
    """The table when it is fine; else None, and the lines in `problems` say why.

    `where` names file and table. Keys may be written in snake_case or camelCase; `only` are the
    fields that this place may set, all when it is empty.
    """
    if not isinstance(raw, Mapping):
        problems.append(f"{where}: must be a table")
        return None
    before = len(problems)
    fields = _named(raw, only or Table.model_fields, where=where, problems=problems)
    if isinstance(inner := fields.get("credentials"), Mapping):
        place = f"{where}: credentials"
        known = CredentialTable.model_fields
        fields["credentials"] = _named(inner, known, where=place, problems=problems)
    table = _validated(Table, fields, where=where, problems=problems)
    return table if len(problems) == before else None


def check_as(model: type[M], raw: object, *, where: str, problems: list[str]) -> M | None:
    """Like `check`, for a table of another kind, whose fields are those of `model`."""
    if not isinstance(raw, Mapping):
        problems.append(f"{where}: must be a table")
        return None
    before = len(problems)
    fields = _named(raw, model.model_fields, where=where, problems=problems)
    table = _validated(model, fields, where=where, problems=problems)
    return table if len(problems) == before else None


def _validated(
    model: type[M], fields: dict[str, object], *, where: str, problems: list[str]
) -> M | None:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        problems += [f"{where}: {_line(detail)}" for detail in details]
        return None


def report(problems: list[str]) -> None:
    """Raises ConfigError with all `problems`, one a line, when there are any."""
    if not problems:
        return
    head = "" if len(problems) == 1 else f"{len(problems)} problems in the configuration:\n"
    tail = [f"… and {len(problems) - _TOLD} more"] if len(problems) > _TOLD else []
    raise ConfigError(head + "\n".join([*problems[:_TOLD], *tail]))


def _named(
    raw: Mapping[Any, object], known: Collection[str], *, where: str, problems: list[str]
) -> dict[str, object]:
    """The known fields under their own names; a problem for every other key."""
    out: dict[str, object] = {}
    for key, value in raw.items():
        name = _snake(str(key))
        if name not in known:
            problems.append(f"{where}: {told(key)}: {_unknown(name, known)}")
        elif name in out:
            problems.append(f"{where}: {name}: given twice, in two spellings")
        else:
            out[name] = value
    return out


def _snake(key: str) -> str:
    name = _CAMEL.sub(r"_\1", key).lower()
    return _SYNONYMS.get(name, name)


def _unknown(name: str, known: Collection[str]) -> str:
    if _SECRET.fullmatch(name):
        return (
            "a secret must not be in this file; "
            'write credentials = { access_key_id = "env:…", secret_access_key = "env:…" }'
        )
    near = difflib.get_close_matches(name, known, n=1)
    return f"unknown key; did you mean {near[0]}?" if near else "unknown key"


def told(key: object) -> str:
    """The name of a field that we do not know, when it can be a name.

    With a forgotten space or quote a value is taken for a key, and it may be a secret.
    """
    text = str(key)
    return text if _NAME.fullmatch(text) else "something that is no name"


def shown(key: object) -> str:
    """A foreign name, short and without anything that a terminal would obey."""
    text = str(key)
    return text if text.isprintable() and len(text) <= 60 else ascii(text[:60])


def _line(detail: ErrorDetails) -> str:
    """`field: reason`, from one of pydantic's errors."""
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{field}: missing"
    text = detail["msg"].removeprefix("Value error, ")
    return f"{field}: {text.replace('Input should be', 'must be', 1)}"
