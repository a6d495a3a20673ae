"""The fields of `[watch]`: their types, limits and documentation."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from s3dash.core.service import OCCASIONS, Occasion, WatchSettings, address_of

_MANY = 64


def _address(text: str) -> str:
    if text and address_of(text) is None:
        raise ValueError("must be like 127.0.0.1:9464 or 9464, or empty for none")
    return text


def _command(words: list[str]) -> list[str]:
    if len(words) > _MANY or not all("\0" not in word for word in words):
        raise ValueError(f"must be a command and its arguments, at most {_MANY}")
    if words and not words[0]:
        raise ValueError("must begin with a command")
    return words


class WatchTable(BaseModel):
    """The table `[watch]`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    metrics: Annotated[str, AfterValidator(_address)] = Field(
        default="", description="where to serve the metrics, like `127.0.0.1:9464`; empty: nowhere"
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="`text` (logfmt) or `json`, one line for each event"
    )
    hook: Annotated[list[str], AfterValidator(_command)] = Field(
        default=[], description="a command and its arguments, run on the `events`; no shell"
    )
    events: list[Occasion] = Field(
        default=[*OCCASIONS],
        description="what the hook is run for: conflict, deletions, stale-lock, failure, recovered",
    )
    hook_timeout_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=30.0, description="seconds after which a hook is ended, up to 3600"
    )
    hook_every_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=60.0, description="seconds between two runs for the same event; 0: each time"
    )
    failures: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3, description="how many rounds in a row must fail to be a `failure`, 1 to 1000"
    )
    deletes: bool = Field(
        default=False, description="deletions go without being asked, as far as the guard allows"
    )
    max_delete: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="with `deletes`: at most so many a sync; else the guard's bounds"
    )


def settings(table: WatchTable) -> WatchSettings:
    """The table as the value that the service takes."""
    fields = table.model_dump(exclude={"metrics", "hook", "events"})
    return WatchSettings(
        metrics=address_of(table.metrics),
        hook=tuple(table.hook),
        events=tuple(dict.fromkeys(table.events)),
        **fields,
    )
