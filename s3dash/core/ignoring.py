"""From paths to the gitignore patterns that leave them out. Pure."""

import re
from collections.abc import Iterable
from typing import Literal

Kind = Literal["path", "folder", "ending"]

_SPECIAL = re.compile(r"([\\*?\[\]!#])")


def patterns(paths: Iterable[str], kind: Kind) -> tuple[str, ...]:
    """The patterns for these paths themselves, all in their folders, or all of their endings.

    Each pattern once, sorted. A path at the top has no folder, a name without a dot no ending:
    those make no pattern.
    """
    make = {"path": _path, "folder": _folder, "ending": _ending}[kind]
    return tuple(sorted({made for path in paths if (made := make(path))}))


def _path(path: str) -> str:
    return f"/{_escaped(path)}"


def _folder(path: str) -> str:
    above = path.rpartition("/")[0]
    return f"/{_escaped(above)}/" if above else ""


def _ending(path: str) -> str:
    name = path.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    return f"*.{_escaped(ending)}" if dot and stem and ending else ""


def _escaped(text: str) -> str:
    """Every character for itself; a blank at the end would be dropped otherwise."""
    plain = _SPECIAL.sub(r"\\\1", text)
    bare = plain.rstrip(" ")
    return bare + "\\ " * (len(plain) - len(bare))
