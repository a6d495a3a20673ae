"""Which shard of the index holds a path.

Source: the shared-datastore protocol; `path_vectors.json` holds the answers of a real client.
"""

from s3dash.core import paths

_BY_MODEL = frozenset({"data", "outputs", "definitions-evaluated"})
_BY_NAME = frozenset(
    {"workflows-evaluated", "auto-definitions", "audit", "telemetry", "logs", "files"}
)
PEER_TOPS = _BY_MODEL | _BY_NAME | {"workflow-runs"}
"""First segments that mean something to every client: none of them is a namespace."""

_RESERVED = _BY_NAME | {"_root", "_meta"}
_NO_NAMES = frozenset({"", ".", "..", paths.META_NAME})
_RESERVED_PREFIXES = (*(f"{name}--" for name in sorted(_BY_MODEL)), "workflow-runs--")


def is_shard_name(name: str) -> bool:
    """True for what can be the name of a shard: one segment of a key, and not the meta's.

    Any other name would lead out of `_index/`, or to a key that no store takes.
    """
    if name in _NO_NAMES or "/" in name:
        return False
    if name.isascii() and name.isprintable():  # as almost all are, and an index has many
        return len(name) <= paths.MAX_KEY_BYTES
    return paths.blocked_reason(name, max_segment_bytes=paths.MAX_KEY_BYTES) is None


def peer_partition(rel: str) -> str | None:
    """The shard that a plain client derives for `rel`, or None when it derives none."""
    if not rel:
        return None
    parts = rel.split("/")
    n = len(parts)
    if n == 1:
        return "_root"
    head = parts[0]
    if head in _BY_MODEL and n >= 4:
        return "--".join(parts[: n - 3 if n >= 6 else n - 1])
    if head == "workflow-runs" and n >= 3:
        return f"workflow-runs--{parts[1]}"
    return head if head in _BY_NAME else None


def partition(rel: str) -> str:
    """The shard that holds `rel`: the peers' own, else one named after the first segment.

    A first segment that looks like a shard of the peers is set apart with `x--`, so that no
    plain client ever rewrites the shard that holds it.
    """
    derived = peer_partition(rel)
    if derived is not None:
        return derived
    head = rel.partition("/")[0]
    if head in _RESERVED or head.startswith(_RESERVED_PREFIXES):
        return f"x--{head}"
    return head
