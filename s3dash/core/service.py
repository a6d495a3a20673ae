"""How `s3dash watch` works as a service. Read from the configuration, taken by the service."""

from typing import Literal

import msgspec

LogFormat = Literal["text", "json"]
Occasion = Literal["conflict", "deletions", "stale-lock", "failure", "recovered"]
"""What the hook is run for: versions that a person has to choose from; deletions that wait for
somebody to agree; a lock whose holder seems dead; rounds that failed in a row; the end of that."""

OCCASIONS: tuple[Occasion, ...] = ("conflict", "deletions", "stale-lock", "failure", "recovered")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where the metrics are served; port 0 is any that is free."""

    host: str = "127.0.0.1"
    port: int = 0


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The table `[watch]`; see the README for each field.

    `hook` is a command with its arguments, empty for none. `deletes`: deletions go without being
    asked, at most `max_delete` a sync, None: as many as the guard lets pass.
    """

    metrics: Address | None = None
    log_format: LogFormat = "text"
    hook: tuple[str, ...] = ()
    events: tuple[Occasion, ...] = OCCASIONS
    hook_timeout_s: float = 30.0
    hook_every_s: float = 60.0
    failures: int = 3
    deletes: bool = False
    max_delete: int | None = None


def address_of(text: str) -> Address | None:
    """`9100`, `:9100`, `127.0.0.1:9100`, `localhost:9100`, `[::1]:9100`; None for anything else."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        return None
    numbered = port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65_535
    named = all(c.isascii() and (c.isalnum() or c in ".:-%") for c in host)
    return Address(host=host or "127.0.0.1", port=int(port)) if numbered and named else None
