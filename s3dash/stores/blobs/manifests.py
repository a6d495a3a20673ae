"""What a collection keeps: every blob that a manifest names.

Any text is a manifest: a lock file of a package manager, a JSON list, or one name on each line.
It names every digest that stands anywhere in it, and for blobs whose names are no digests every
whole line and, where it is JSON, every string.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import msgspec

from s3dash.local.fsio import telling
from s3dash.stores.blobs import sri


def read(paths: Iterable[Path]) -> frozenset[str]:
    """All names in these files. Raises LocalError for one that cannot be read."""
    names = set[str]()
    for path in paths:
        with telling(f"the manifest {path} cannot be read"):
            raw = path.read_bytes()
        names |= named(raw.decode(errors="replace"))
    return frozenset(names)


def named(text: str) -> frozenset[str]:
    """All names in the text of one manifest."""
    names = {*sri.mentioned(text), *(line.strip() for line in text.splitlines())}
    try:
        strings = list(_strings(msgspec.json.decode(text)))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        strings = []  # no JSON: its lines and digests are all that it says
    for one in strings:
        names |= {one, *sri.mentioned(one)}
    return frozenset(names - {""})


def keeps(names: Collection[str], integrity: str) -> bool:
    """Whether a blob is named, as a whole or by one of its alternatives."""
    return integrity in names or any(one in names for one in integrity.split())


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _strings(one)
