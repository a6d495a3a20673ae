"""Paths in a bucket. Pure.

A path is its segments with a slash between them; the empty one is the root. The key of a file is
its path; a directory is what all keys below it begin with.
"""

from s3dash.core.paths import MAX_KEY_BYTES
from s3dash.errors import BadPath

SLASH = "/"


def checked(path: str) -> str:
    """The path without a slash at its end. Raises BadPath for one that no file can have.

    Segments that are empty, `.` or `..` would be bent by endpoints, and climb out of a directory
    that is copied; NUL and lone surrogates have no form in a request.
    """
    plain = path[:-1] if path.endswith(SLASH) else path
    reason = _reason(plain) if plain else ("it begins with a slash" if path else "")
    if reason:
        raise BadPath(f"{path!r} cannot be a file's path: {reason}")
    return plain


def is_plain(path: str) -> bool:
    """Whether a key that was found, or its name, can be a path."""
    return not _reason(path)


def below(path: str) -> str:
    """What the keys of a directory begin with; `path` was checked."""
    return f"{path}{SLASH}" if path else ""


def name_of(path: str) -> str:
    return path.rpartition(SLASH)[2]


def parent_of(path: str) -> str:
    return path.rpartition(SLASH)[0]


def ancestors(path: str) -> list[str]:
    """The directories above, the outermost first, without the root."""
    parts = path.split(SLASH)
    return [SLASH.join(parts[:count]) for count in range(1, len(parts))]


def _reason(path: str) -> str:
    if "\0" in path:
        return "NUL in the name"
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if len(raw) > MAX_KEY_BYTES:
        return f"longer than {MAX_KEY_BYTES} bytes"
    for part in path.split(SLASH):
        if part in ("", ".", ".."):
            return f"a segment is {part!r}"
    return ""
