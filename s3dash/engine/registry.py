"""Who a namespace belongs to: its manifest, written once, by whoever comes first.

A manifest is never replaced and never deleted here. The same repository again is fine, another one
is refused with the id that is written there (source: the shared-datastore protocol).
"""

from collections.abc import Callable, Collection

import msgspec

from s3dash.core import paths
from s3dash.core.cancel import CancelToken
from s3dash.core.keys import Keys
from s3dash.core.outlook import Registered, Registration, Standing
from s3dash.core.partitions import PEER_TOPS
from s3dash.core.report import Leftover
from s3dash.core.tenants import MANIFEST_MOST, Manifest, decode_manifest
from s3dash.engine import leftovers, standings, trust
from s3dash.engine.cas import Cas
from s3dash.engine.context import Context
from s3dash.engine.decided import Turn
from s3dash.engine.remote import IndexReader
from s3dash.engine.view import View
from s3dash.errors import (
    NamespaceTaken,
    NotFound,
    PreconditionFailed,
    ReadOnly,
    UsageError,
)
from s3dash.objectstore.port import Capabilities, ObjectStore

ID_MOST = 200
"""Characters of a repository's id."""


class Registry:
    """On the facade: `engine.registry`."""

    def __init__(
        self,
        ctx: Context,
        view: View,
        *,
        turn: Turn,
        told: Callable[[Collection[Standing]], None] = lambda _: None,
    ) -> None:
        self._ctx = ctx
        self._view = view
        self._turn = turn
        self._told = told

    def register(
        self, namespace: str | None = None, *, repo_id: str = "", cancel: CancelToken | None = None
    ) -> Registration:
        """Write the manifest of a namespace, if there is none. Three requests at the most.

        `namespace` None is the one that this engine works in; `repo_id` empty the configured one.
        Raises NamespaceTaken for another repository's, UsageError when a name or an id lacks or
        cannot be one, ReadOnly, UnsafeEndpoint, and what the store raises.
        """
        settings = self._ctx.settings
        name, owner = namespace or settings.namespace, repo_id or settings.repo_id
        if name is None:
            raise UsageError("which namespace?", hint="name one: `s3dash namespaces register NAME`")
        _check_name(name)
        _check_id(owner, name)
        if settings.readonly:
            raise ReadOnly("this datastore was opened to look only; nothing was written")
        with self._turn(cancel) as ctx:  # whoever owns the cache: nothing of it is touched
            return claim(ctx, name, owner, trust.capabilities(ctx))

    def details(self) -> list[Registered]:
        """Every namespace, registered or with an index, and the current one; by name.

        A delimiter listing, then two to three small requests each, and two more for who made the
        last commit. What cannot be read of one is told at its row. Raises what the listing raises.
        """
        return standings.heads(self._ctx, candidates(self._ctx))

    def standings(self) -> list[Standing]:
        """Where this cache stands with every namespace; see `engine/standings.py` for the cost."""
        with self._turn(None) as ctx:
            found = standings.all_of(ctx, self._view, candidates(ctx))
        self._told(found)
        return found

    def leftovers(self) -> list[Leftover]:
        """What the cache holds beside what this engine works with. Asks the bucket nothing."""
        return leftovers.find(self._ctx)


def claim(ctx: Context, name: str, owner: str, can: Capabilities) -> Registration:
    """Write the manifest if there is none, within an operation. Raises as `Registry.register`."""
    _check_name(name)
    _check_id(owner, name)
    found = known(read_manifest(ctx.store, name), name, owner)
    if found is None:
        _spare_solo(ctx, name)
        found = _write(ctx, name, owner)
        if not can.create:  # `locking = "unsafe"`: nobody else refuses a second manifest
            known(read_manifest(ctx.store, name), name, owner)
    return found


def candidates(ctx: Context) -> list[str]:
    """Names that may be a namespace's, by one delimiter listing; the current one always."""
    listed = {n for n in ctx.store.list_dirs("") if paths.is_namespace(n) and n not in PEER_TOPS}
    return sorted(listed | ({ctx.keys.namespace} if ctx.keys.namespace else set()))


def read_manifest(store: ObjectStore, namespace: str) -> Manifest | None:
    """What the manifest says, None when there is none.

    Raises NamespaceTaken for one that cannot be read: somebody wrote it, and it stays.
    """
    try:
        raw = store.get_range(Keys(namespace).manifest, start=0, length=MANIFEST_MOST)
    except NotFound:
        return None
    manifest = decode_manifest(raw)
    if manifest is None:
        raise NamespaceTaken(
            f"the manifest of namespace {namespace} cannot be read; nothing was written",
            hint=f"look at the object {Keys(namespace).manifest}",
        )
    return manifest


def known(manifest: Manifest | None, name: str, owner: str) -> Registration | None:
    """The registration that stands, when it is ours. Raises NamespaceTaken."""
    if manifest is None:
        return None
    if manifest.repo_id != owner:
        whose = f"repository {manifest.repo_id}" if manifest.repo_id else "nobody that it names"
        raise NamespaceTaken(
            f"namespace {name} belongs to {whose}, not to {owner}; nothing was written",
            hint="choose another name, or register with the id of the repository it belongs to",
        )
    return Registration(
        namespace=name, repo_id=manifest.repo_id, registered_at=manifest.registered_at
    )


def _write(ctx: Context, name: str, owner: str) -> Registration:
    at = ctx.now()
    body = {"namespace": name, "repoId": owner, "registeredAt": at}
    raw = msgspec.json.format(msgspec.json.encode(body), indent=2)
    cas = Cas(ctx.store, ctx.patience, ctx.cancel.check)
    try:
        cas.put(Keys(name).manifest, raw, version=None)
    except PreconditionFailed:  # somebody was first, meanwhile
        found = known(read_manifest(ctx.store, name), name, owner)
        if found is None:
            raise
        return found
    ctx.note("info", "namespaces", f"registered {name} for repository {owner}")
    return Registration(namespace=name, repo_id=owner, registered_at=at, created=True)


def _check_name(name: str) -> None:
    if not paths.is_namespace(name):
        raise UsageError(
            f"{name} cannot be a namespace",
            hint="one path segment of letters, digits, '.', '_' and '-'",
        )
    if name in PEER_TOPS:
        raise UsageError(
            f"{name} cannot be a namespace: it is a directory of every datastore",
            hint="choose another name",
        )


def _check_id(owner: str, name: str) -> None:
    if not owner:
        raise UsageError(
            f"for which repository is {name} to be registered? Nothing says its id",
            hint="--repo-id ID, or `repo_id` in the configuration, or a .swamp.yaml with a repoId",
        )
    if len(owner) > ID_MOST or not owner.isprintable():
        raise UsageError("this cannot be the id of a repository", hint="the repoId of .swamp.yaml")


def _spare_solo(ctx: Context, name: str) -> None:
    """A directory of a datastore without namespaces is none: registered, it would be fenced off.

    Costs nothing where the namespace is empty, or has an index of its own.
    """
    store, keys = ctx.store, Keys(name)
    if next(iter(store.list(f"{name}/")), None) is None or _has_index(store, keys):
        return
    solo = Keys(None)
    if not _has_index(store, solo):
        return
    entries = IndexReader(store, solo).load().entries
    if any(rel.startswith(f"{name}/") for rel in entries):
        raise UsageError(
            f"{name} is a directory of the datastore without namespaces; nothing was written",
            hint="choose another name: its files would belong to nobody",
        )


def _has_index(store: ObjectStore, keys: Keys) -> bool:
    if next(iter(store.list(keys.index_dir)), None) is not None:
        return True
    try:
        store.head(keys.monolith)
    except NotFound:
        return False
    return True
