"""Whose the top of a cache is, where the configuration binds it to no namespace.

Sidecar and index copy lie there for the plain clients of one place, the datastore without a
namespace or one of its namespaces. Whoever else works in the cache is a guest, and keeps its own:
else a whole pull here would end the lazy mode there, and a push clear the marks of others.
"""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from s3dash.core.paths import NAMESPACE_MANIFEST, SIDECAR_FILE, is_namespace
from s3dash.core.settings import SOLO, Datastore
from s3dash.engine.addresses import state_file
from s3dash.engine.context import Context
from s3dash.local import fsio, tally
from s3dash.local.state import State


def settled(settings: Datastore) -> Datastore:
    """The same, with the `home` that the cache shows where nothing says it. Raises LocalError."""
    if settings.namespace is None or settings.home is not None:
        return settings
    home = _home(settings, settings.namespace)
    return settings if home is None else replace(settings, home=home)


def fence(ctx: Context) -> None:
    """Mark a guest's directory in a solo cache as a namespace's: by its local manifest the host's
    clients, ours and plain ones, know what they are to leave alone. Raises LocalError.

    One that is registered has another in the bucket, which says whose it is.
    """
    settings, base = ctx.settings, ctx.cache.base
    if not settings.is_guest or settings.home != SOLO or not base.is_dir():
        return
    if not _lies(base / NAMESPACE_MANIFEST):
        manifest = {"namespace": settings.namespace, "repoId": settings.repo_id, "registeredAt": ""}
        fsio.write_atomic(base / NAMESPACE_MANIFEST, msgspec.json.encode(manifest))


def _home(settings: Datastore, own: str) -> str | None:
    """None: it is our own, or nobody's yet."""
    cache, has_own = settings.cache, _has_own(settings.cache, own)
    if _is_synced(settings, None):
        return SOLO
    for name in tally.directories(cache):
        if name == own or not is_namespace(name) or _has_own(cache, name):
            continue
        if _is_synced(settings, name):
            return name
    strange = _lies(cache / SIDECAR_FILE) and not _lies(cache / own)
    return SOLO if has_own or (strange and not _is_synced(settings, own)) else None


def _has_own(cache: Path, namespace: str) -> bool:
    return _lies(cache / namespace / SIDECAR_FILE)


def _is_synced(settings: Datastore, namespace: str | None) -> bool:
    """Whether this cache was ever synced with it by an s3dash."""
    path = state_file(replace(settings, namespace=namespace))
    if not _lies(path):
        return False
    state = State(path, read_only=True)
    try:
        return state.has_base()
    finally:
        state.close()


def _lies(path: Path) -> bool:
    with fsio.telling(f"{path} cannot be looked at"):
        return path.exists()
