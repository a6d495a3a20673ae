"""Rules for paths relative to the cache (`rel`): what is data, what is internal, what is refused.

Source: the shared-datastore protocol; `path_vectors.json` holds the answers of a real client.
"""

import re
from collections.abc import Collection

INDEX_FILE = ".datastore-index.json"
SIDECAR_FILE = ".datastore-sync-state.json"
GLOBAL_LOCK = ".datastore.lock"
NAMESPACE_MANIFEST = ".namespace.json"
CATALOG_EXPORT = ".catalog-export.json"
INDEX_DIR = "_index"
CONTROL_DIR = "_control"
LOCKS_DIR = ".locks"
META_NAME = "_meta"

MAX_SEGMENT_BYTES = 255
MAX_KEY_BYTES = 1024

_INTERNAL_FILES = frozenset({INDEX_FILE, ".push-queue.json", GLOBAL_LOCK, SIDECAR_FILE})
_INTERNAL_BASENAMES = frozenset({".lock", NAMESPACE_MANIFEST, "_catalog.db"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def is_internal(rel: str) -> bool:
    """True for what no client ever syncs, in either direction."""
    if rel in _INTERNAL_FILES:
        return True
    head, _, _ = rel.partition("/")
    if head in (INDEX_DIR, CONTROL_DIR):
        return True
    base = rel.rpartition("/")[2]
    return base in _INTERNAL_BASENAMES or base.startswith("_catalog.db-")


def is_data(rel: str) -> bool:
    """True for a path that may be synced: not internal, not a lock, not a reserved object."""
    if rel in (CATALOG_EXPORT, LOCKS_DIR) or rel.startswith(LOCKS_DIR + "/"):
        return False
    return not is_internal(rel)


def is_lazy_skippable(rel: str) -> bool:
    """True for `data/**/raw`, which a metadata-only pull leaves in the bucket."""
    parts = rel.split("/")
    return len(parts) >= 3 and parts[0] == "data" and parts[-1] == "raw"


def blocked_reason(
    rel: str, *, key_prefix_bytes: int = 0, max_segment_bytes: int = MAX_SEGMENT_BYTES
) -> str | None:
    """Why `rel` can never be a file below the cache, or None when it can.

    `key_prefix_bytes` is the length of what stands before `rel` in the object's key.
    """
    if not rel:
        return "empty path"
    if rel.startswith("/"):
        return "absolute path"
    if _CONTROL.search(rel):
        return "control character in the name"
    try:
        raw = rel.encode()
    except UnicodeEncodeError:
        return "name is not valid Unicode"
    if len(raw) + key_prefix_bytes > MAX_KEY_BYTES:
        return f"key longer than {MAX_KEY_BYTES} bytes"
    for part in rel.split("/"):
        if part in ("", ".", ".."):
            return f"path segment {part!r}"
        if len(part) * 4 > max_segment_bytes and len(part.encode()) > max_segment_bytes:
            return f"name longer than {max_segment_bytes} bytes"
    return None


def are_plain(rels: Collection[str], *, key_prefix_bytes: int = 0) -> bool:
    """True only when every one is data and none is blocked; False says nothing.

    All at once: what is printable ASCII with no segment that is empty or begins with `.` or `_`
    is neither internal nor blocked, as long as it is short.
    """
    text = f"/{'/'.join(rels)}/"
    if not (text.isascii() and text.isprintable()):
        return False
    if "//" in text or "/." in text or "/_" in text:
        return False
    return max(map(len, rels)) <= min(MAX_SEGMENT_BYTES, MAX_KEY_BYTES - key_prefix_bytes)


def is_namespace(name: str) -> bool:
    """True for a name that can be one path segment and one key segment."""
    return _NAMESPACE.fullmatch(name) is not None and name not in (".", "..")


def covers(selection: Collection[str], rel: str) -> bool:
    """True when `rel` is one of the selected paths or lies below one; nothing selected is all."""
    if not selection:
        return True
    if rel in selection:
        return True
    cut = rel.rfind("/")
    while cut > 0:
        if rel[:cut] in selection:
            return True
        cut = rel.rfind("/", 0, cut)
    return False


def unmatched(selection: Collection[str], *known: Collection[str]) -> list[str]:
    """Those selected that name nothing `known`, neither a path nor what paths lie below; sorted."""

    def names_something(path: str) -> bool:
        below = f"{path}/"
        return any(path in rels or any(rel.startswith(below) for rel in rels) for rels in known)

    return sorted(path for path in selection if not names_something(path))
