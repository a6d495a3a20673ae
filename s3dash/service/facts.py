"""What is worth a line in the service's log, or a run of its hook, as a plain value."""

from typing import Literal

import msgspec

from s3dash.core.service import Occasion

Level = Literal["debug", "info", "warning", "error"]
Value = str | int | float | bool | None | list[str]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is an ISO time, `event` a name of one word. With an `occasion` the hook is run."""

    at: str
    level: Level
    event: str
    fields: dict[str, Value] = msgspec.field(default_factory=dict)
    occasion: Occasion | None = None
