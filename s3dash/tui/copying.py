"""What `y` and `Y` copy, made harmless for the place where it will be pasted. Pure."""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from s3dash.core.keys import Keys
from s3dash.core.settings import Datastore
from s3dash.tui.format import safe

_OBEYED = frozenset({"Cc", "Cs", "Zl", "Zp"})


class Copied(NamedTuple):
    """A text for the clipboard: lines without a last newline; how many, how many escaped."""

    text: str
    number: int
    escaped: int = 0


def uri(settings: Datastore, rel: str) -> str:
    """`s3://bucket/key` of a path of the datastore, as tools of S3 take it."""
    return uri_of_key(settings, Keys(settings.namespace).data(rel))


def uri_of_key(settings: Datastore, key: str) -> str:
    """The same for a key below the prefix; an empty one names the prefix itself."""
    prefix = f"{settings.prefix}/" if settings.prefix else ""
    return f"s3://{settings.bucket}/{prefix}{key}"


def harmless(text: str) -> str:
    """One line: a control character in a name would be obeyed by the shell it is pasted into."""
    if text.isprintable() or not any(unicodedata.category(char) in _OBEYED for char in text):
        return text
    return safe(text)


def together(texts: Sequence[str]) -> Copied:
    """One line for each text; empty ones and repeated ones are left out."""
    given = list(dict.fromkeys(text for text in texts if text))
    lines = [harmless(text) for text in given]
    escaped = sum(line != text for line, text in zip(lines, given, strict=True))
    return Copied("\n".join(lines), len(lines), escaped)
