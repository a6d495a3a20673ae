"""The peers' sidecar, `<cache>/.datastore-sync-state.json`: what is dirty, and what was verified.

Paths in `dirtyPaths` are relative to the cache directory (a namespace is their first segment).
Source: the shared-datastore protocol, versions 1 and 2.
"""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from s3dash.core import paths

MAX_DIRTY_PATHS = 200


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that s3dash reads and writes; `unknown` carries all others through."""

    version: int = 2
    remoteIndexETag: str = ""
    lastVerifiedAt: str = ""
    localDirty: bool = False
    dirtyPaths: tuple[str, ...] = ()
    bulkInvalidated: bool = False
    lazyPullActive: bool = False
    dirtyPathsOverflowed: bool = False
    commitSeq: int | None = None
    unknown: dict[str, Any] = {}

    @property
    def walk_everything(self) -> bool:
        return self.bulkInvalidated or self.dirtyPathsOverflowed

    def marked(self, rel: str) -> bool:
        """True when this path, or a directory above it, is marked dirty."""
        return bool(self.dirtyPaths) and paths.covers(frozenset(self.dirtyPaths), rel)


_KNOWN = frozenset(Sidecar.__struct_fields__) - {"unknown"}
_OBJECT = msgspec.json.Decoder(dict[str, Any])

LOST = Sidecar(localDirty=True, bulkInvalidated=True)
"""What a missing or broken sidecar means: walk everything."""


def decode(raw: bytes) -> Sidecar:
    """A broken sidecar is `LOST`; a path in it that escapes the cache means «walk everything»."""
    try:
        fields = _OBJECT.decode(raw)
        known = {k: v for k, v in fields.items() if k in _KNOWN}
        sidecar = msgspec.convert(known, Sidecar)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return LOST
    if sidecar.version not in (1, 2):
        return LOST
    unknown = {k: v for k, v in fields.items() if k not in _KNOWN}
    sidecar = msgspec.structs.replace(sidecar, version=2, unknown=unknown)
    good = tuple(p for p in sidecar.dirtyPaths if paths.blocked_reason(p) is None)
    if len(good) != len(sidecar.dirtyPaths):
        return msgspec.structs.replace(
            sidecar, dirtyPaths=good, bulkInvalidated=True, localDirty=True
        )
    return sidecar


def encode(sidecar: Sidecar) -> bytes:
    fields = msgspec.to_builtins(sidecar)
    unknown = fields.pop("unknown")
    if fields["commitSeq"] is None:
        del fields["commitSeq"]
    return msgspec.json.format(msgspec.json.encode({**fields, **unknown}), indent=2)


def mark(sidecar: Sidecar, rels: Iterable[str]) -> Sidecar:
    """Mark paths dirty; past 200 paths, «walk everything» instead."""
    marks = list(sidecar.dirtyPaths)
    known = set(marks)
    for rel in rels:
        if not paths.covers(known, rel) or not known:
            known.add(rel)
            marks.append(rel)
    if len(marks) > MAX_DIRTY_PATHS:
        return msgspec.structs.replace(
            sidecar,
            localDirty=True,
            dirtyPaths=tuple(marks[:MAX_DIRTY_PATHS]),
            bulkInvalidated=True,
            dirtyPathsOverflowed=True,
        )
    dirty = bool(marks) or sidecar.bulkInvalidated
    return msgspec.structs.replace(sidecar, localDirty=dirty, dirtyPaths=tuple(marks))


def settle(
    sidecar: Sidecar, *, still_dirty: Collection[str], seen: Collection[str] | None
) -> Sidecar:
    """Clear what was pushed or found clean, keep what is still dirty.

    `seen` are the marks that were known when the walk began (None: a whole walk, all of them);
    a mark that a peer added since is kept. `still_dirty` are paths, in the sidecar's form.
    """
    known = set(seen) if seen is not None else set(sidecar.dirtyPaths)
    later = [m for m in sidecar.dirtyPaths if m not in known]
    cleared = msgspec.structs.replace(
        sidecar,
        dirtyPaths=tuple(later),
        bulkInvalidated=False,
        dirtyPathsOverflowed=False,
        localDirty=False,
    )
    return mark(cleared, still_dirty)
