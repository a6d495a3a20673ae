"""Models: which paths are one's own, and whose a path is. Pure.

A model is named `TYPE/ID`. TYPE may contain `/`, so that a name is split from the right. Its files
lie below `data/TYPE/ID`, what it puts out and its evaluated definitions below `outputs/TYPE/ID` and
`definitions-evaluated/TYPE/ID`; the lock of a model stands for all three.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from s3dash.core.paths import blocked_reason
from s3dash.errors import UsageError

DATA = "data"
TOPS = (DATA, "outputs", "definitions-evaluated")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_VERSIONED, _NAMED, _PLAIN = 3, 2, 1
"""Segments after the model: `<name>/<version>/<file>`, `<name>/latest`, `<file>`."""


@dataclass(frozen=True, slots=True, order=True)
class Model:
    type: str
    id: str

    @property
    def name(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def lock(self) -> str:
        """The path of its lock, to be put behind a namespace."""
        return f"{DATA}/{self.name}/.lock"

    @property
    def paths(self) -> tuple[str, ...]:
        """The directories that are its own."""
        return tuple(f"{top}/{self.name}" for top in TOPS)


def parse(name: str) -> Model:
    """The model that a user names. Raises UsageError for what can be no name of one."""
    given = name.strip("/")
    type_, slash, id_ = given.rpartition("/")
    reason = blocked_reason(f"{DATA}/{given}") if slash else "it has no TYPE"
    if reason:
        raise UsageError(f"{name!r} names no model: {reason}", hint="a model is TYPE/ID")
    return Model(type_, id_)


def selected(models: Iterable[str]) -> frozenset[str]:
    """The paths of these models. Raises UsageError."""
    return frozenset(path for name in models for path in parse(name).paths)


def model_of(rel: str) -> Model | None:
    """Whose this path seems to be; None: no model's.

    Paths do not say where the type ends. A UUID is an id; without one the layout of the files
    tells, below `data` by a version or `latest`.
    """
    top, *rest = rel.split("/")
    if top not in TOPS or len(rest) < 3:
        return None
    for at, part in enumerate(rest[1:-1], 1):
        if _UUID.fullmatch(part):
            return Model("/".join(rest[:at]), part)
    end = len(rest) - (_tail(rest) if top == DATA else _PLAIN)
    return Model("/".join(rest[: end - 1]), rest[end - 1]) if end >= 2 else None


def _tail(rest: list[str]) -> int:
    if len(rest) >= 5 and rest[-2].isdecimal():
        return _VERSIONED
    return _NAMED if len(rest) >= 4 and rest[-1] == "latest" else _PLAIN


def models_of(rels: Iterable[str]) -> list[Model]:
    """The models that these paths belong to, sorted."""
    return sorted({model for rel in rels if (model := model_of(rel)) is not None})
