"""The service's log: one line for each fact, as logfmt for people or as JSON for machines."""

import json
import re
import threading
from collections.abc import Callable
from contextlib import suppress

from s3dash.core.service import LogFormat
from s3dash.service.facts import Fact, Value

_BARE = re.compile(r"[A-Za-z0-9_./:@%+-]+")
LONGEST = 500
"""Characters of a text that are logged; what is longer is cut, and says so."""


class Log:
    """Safe to use from any thread. `write` takes one line without its end.

    `about` stands in every line of JSON. Without `times` a line of text has none: the journal of
    systemd, for one, has its own.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        style: LogFormat = "text",
        about: dict[str, Value] | None = None,
        times: bool = True,
        verbose: bool = False,
    ) -> None:
        self._write = write
        self._style = style
        self._about = about or {}
        self._times = times
        self._verbose = verbose
        self._lock = threading.Lock()

    def tell(self, fact: Fact) -> None:
        if fact.level == "debug" and not self._verbose:
            return
        line = self._json(fact) if self._style == "json" else self._text(fact)
        # who reads the log may have gone: that is no reason to sync no longer
        with self._lock, suppress(OSError):
            self._write(line)

    def _json(self, fact: Fact) -> str:
        head = {"time": fact.at, "level": fact.level, "event": fact.event}
        fields = {name: _cut(value) for name, value in fact.fields.items()}
        return json.dumps({**head, **self._about, **fields})

    def _text(self, fact: Fact) -> str:
        head = [fact.at] if self._times else []
        pairs = (f"{k}={_shown(_cut(v))}" for k, v in fact.fields.items() if v not in (None, ""))
        return " ".join([*head, f"{fact.level:<7}", fact.event, *pairs])


def _cut(value: Value) -> Value:
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}… ({len(value)} characters)"
    return value


def _shown(value: Value) -> str:
    """A value of logfmt: bare where nothing in it could be taken for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = ", ".join(value)
    text = str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text)
