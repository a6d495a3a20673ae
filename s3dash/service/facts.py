"""What is worth a line in the service's log, or a run of its hook, as a plain value."""

from dataclasses import dataclass, field
from typing import Literal

from s3dash.core.service import Occasion

Level = Literal["debug", "info", "warning", "error"]
Value = str | int | float | bool | None | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """`at` is an ISO time, `event` a name of one word. With an `occasion` the hook is run."""

    at: str
    level: Level
    event: str
    fields: dict[str, Value] = field(default_factory=dict)
    occasion: Occasion | None = None
