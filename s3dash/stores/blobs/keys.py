"""The keys of blobs: a prefix, and the integrity's UTF-8 bytes in lower-case hex. Pure."""

import re

from s3dash.core.paths import MAX_KEY_BYTES
from s3dash.core.settings import BLOB_PREFIX
from s3dash.errors import UsageError

_HEX = re.compile(r"(?:[0-9a-f]{2})+")


def below(prefix: str) -> str:
    """How the keys begin: `prefix` with its slash, nothing for the empty one."""
    return f"{prefix}/" if prefix else ""


def encode(integrity: str, prefix: str = BLOB_PREFIX) -> str:
    """The key of a blob. Raises UsageError for an integrity that can have none."""
    try:
        name = integrity.encode().hex()
    except UnicodeEncodeError as error:
        raise UsageError("an integrity is text that UTF-8 can write") from error
    key = below(prefix) + name
    if not name or len(key.encode()) > MAX_KEY_BYTES:
        raise UsageError(
            f"an integrity of {len(name) // 2} bytes can be no key",
            hint=f"a key has {MAX_KEY_BYTES} bytes at most, twice as many as the integrity",
        )
    return key


def decode(key: str, prefix: str = BLOB_PREFIX) -> str | None:
    """The integrity that a key stands for; None for a key of another kind."""
    start = below(prefix)
    name = key[len(start) :]
    if not key.startswith(start) or not _HEX.fullmatch(name):
        return None
    try:
        return bytes.fromhex(name).decode()
    except UnicodeDecodeError:
        return None
