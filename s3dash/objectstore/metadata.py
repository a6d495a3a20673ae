"""What users put with an object besides its bytes: short texts by name, kept by the endpoint."""

import re
from collections.abc import Mapping

from s3dash.errors import UsageError

Metadata = tuple[tuple[str, str], ...]
"""Pairs by name, in order; hashable, and nothing where there is none."""

NONCE = "s3dash-upload"
"""Under this name an upload in parts keeps its own nonce: that is nobody's metadata."""
HEADER = "x-amz-meta-"
MOST_BYTES = 2048
"""S3's limit for all of it."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def checked(given: Mapping[str, str] | None) -> dict[str, str]:
    """As it may be sent. Raises UsageError for what would not come back as it was."""
    found = dict(given or {})
    for name, value in found.items():
        if not _NAME.fullmatch(name) or name == NONCE:
            raise UsageError(f"{name!r} can be no name of metadata: a-z, 0-9 and - inside")
        if not value.isascii() or not value.isprintable() or value != value.strip() or not value:
            raise UsageError(f"the metadata {name} must be printable ASCII, without outer spaces")
    if sum(len(name) + len(value) for name, value in found.items()) > MOST_BYTES:
        raise UsageError(f"more than {MOST_BYTES} bytes of metadata")
    return found


def told(found: Mapping[str, str]) -> Metadata:
    """As the endpoint told it."""
    if not found:
        return ()
    named = ((name.lower(), value) for name, value in found.items())
    return tuple(sorted(pair for pair in named if pair[0] != NONCE))


def of_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """From the headers of an answer, their names in lower case."""
    return {
        name.removeprefix(HEADER): value
        for name, value in headers.items()
        if name.startswith(HEADER)
    }


def as_headers(found: Mapping[str, str]) -> dict[str, str]:
    return {HEADER + name: value for name, value in found.items()}
