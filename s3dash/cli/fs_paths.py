"""Paths on the command line of `s3dash fs`: of this machine, or in a datastore.

`:path` is in the datastore that is meant, `NAME:path` in the one of that name. Anything else is a
path of this machine where both can stand; with a slash before its first colon it always is.
"""

import msgspec

from s3dash.core.paths import is_namespace


class Remote(msgspec.Struct, frozen=True):
    """A path in a datastore; `name` is empty for the one that is meant. `as_given` is for people.

    A slash at the end of `path` stays: it means a directory.
    """

    name: str
    path: str
    as_given: str


def remote(text: str) -> Remote:
    """Where only a path in a datastore can stand."""
    return parsed(text) or Remote("", _below(text), text)


def parsed(text: str) -> Remote | None:
    """None: a path of this machine."""
    name, colon, path = text.partition(":")
    if colon and (not name or is_namespace(name)):
        return Remote(name, _below(path), text)
    return None


def _below(path: str) -> str:
    """A slash at the beginning is the root's."""
    return path.removeprefix("/")
