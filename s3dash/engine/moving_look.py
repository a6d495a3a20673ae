"""Both places of a datastore that moves: what is in the one, what is in the other, what is left.

Nothing is written here. Objects are found by listing the directories that the indexes name, so
that the subtrees of other namespaces are never walked through.
"""

from collections.abc import Callable, Iterable

import msgspec

from s3dash.core import paths
from s3dash.core.index import Entry
from s3dash.core.moves import Phase, place_name
from s3dash.core.partitions import PEER_TOPS
from s3dash.core.text import count
from s3dash.engine import moved, neighbours
from s3dash.engine.all_of import all_of
from s3dash.engine.context import Context
from s3dash.engine.remote import RemoteIndex
from s3dash.engine.sameness import same
from s3dash.errors import NotFound, UsageError
from s3dash.objectstore.port import Capabilities, ObjectInfo

Objects = dict[str, ObjectInfo]
"""By path, relative to the place."""


class Places(msgspec.Struct, frozen=True):
    """`src` is left for `dst`. `guard` raises LockLost when no further write may be issued."""

    src: Context
    dst: Context
    can: Capabilities = msgspec.field(default_factory=Capabilities)
    guard: Callable[[], None] = lambda: None

    @property
    def namespace(self) -> str:
        return self.src.keys.namespace or self.dst.keys.namespace or ""

    @property
    def to_solo(self) -> bool:
        return self.dst.keys.namespace is None

    @property
    def solo(self) -> Context:
        return self.dst if self.to_solo else self.src

    @property
    def bound(self) -> Context:
        return self.src if self.to_solo else self.dst


class Look(msgspec.Struct):
    """`here` and `ours` are of the place that is left, `there` and `theirs` of the new one.

    `fenced` are first segments that belong to registered namespaces; nothing below is touched.
    """

    record: moved.Noted | None
    here: RemoteIndex
    there: RemoteIndex
    fenced: frozenset[str] = frozenset()
    ours: Objects = msgspec.field(default_factory=dict)
    theirs: Objects = msgspec.field(default_factory=dict)

    @property
    def phase(self) -> Phase | None:
        return self.record.record.phase if self.record else None

    @property
    def wanted(self) -> list[str]:
        """The paths that are to be in the new place, sorted."""
        return sorted(rel for rel in self.here.entries if not self.is_fenced(rel))

    @property
    def named(self) -> dict[str, Entry]:
        """What the new place's index names; what was only found by a listing is no entry."""
        return {} if self.there.rebuilt else self.there.entries

    def is_fenced(self, rel: str) -> bool:
        return "/" in rel and rel.partition("/")[0] in self.fenced


def look(places: Places) -> Look:
    """Raises what the store raises, IndexCorrupt, and UsageError when nothing can be moved."""
    record = moved.find(places.src)
    if record is not None and record.record.phase != "done":
        _refuse_another(places, record)
    found = Look(record, places.src.reader.load(), places.dst.reader.load())
    found.fenced = _fenced(places, found)
    _refuse_hopeless(places, found)
    return objects_again(places, found)


def objects_again(places: Places, found: Look) -> Look:
    """The same with the objects of both places listed anew."""
    rels = {*found.here.entries, *found.there.entries}
    found.ours = _objects(places.src, rels, found)
    found.theirs = _objects(places.dst, rels, found)
    return found


def _refuse_another(places: Places, record: moved.Noted) -> None:
    if record.record.target == places.dst.keys.namespace:
        return
    raise UsageError(
        f"{place_name(places.src.keys.namespace)} is being moved to "
        f"{place_name(record.record.target)} already (begun {record.record.at} "
        f"by {record.record.by})",
        hint="end that migration first: run it again",
    )


def _fenced(places: Places, found: Look) -> frozenset[str]:
    """Registered namespaces among the first segments; in solo mode their files look like ours."""
    rels = (*found.here.entries, *found.there.entries)
    heads = {rel.partition("/")[0] for rel in rels if "/" in rel} - PEER_TOPS
    names = {head for head in heads if paths.is_namespace(head)}
    return frozenset({*neighbours.registered(places.solo, names), places.namespace})


def _refuse_hopeless(places: Places, found: Look) -> None:
    """What would collide in the new place, or has no index that could be moved."""
    if found.here.is_broken and found.phase != "committed":
        raise UsageError(
            f"the index of {place_name(places.src.keys.namespace)} is missing or incomplete",
            hint="`s3dash push` or `s3dash index repair` puts it right; then move it",
        )
    versions = {index.version for index in (found.here, found.there) if index.docs}
    if len(versions) > 1 and found.here.entries:
        raise UsageError(
            "the indexes of both places have different versions",
            hint="`s3dash index migrate` brings the older one to version 2",
        )
    below = [rel for rel in found.here.entries if found.is_fenced(rel)]
    if below and (places.to_solo or not _is_registered(places)):
        raise UsageError(
            f"{count(len(below), 'file')} would collide with a namespace, first {below[0]}",
            hint=f"`s3dash namespaces repair {places.namespace}` looks at such files"
            if places.to_solo
            else "choose another name for the namespace",
        )
    longer = len(places.dst.keys.root.encode()) - len(places.src.keys.root.encode())
    limit = paths.MAX_KEY_BYTES - places.src.key_prefix_bytes - longer
    far = [rel for rel in found.wanted if len(rel.encode()) > limit]
    if far:
        raise UsageError(f"{count(len(far), 'key')} would be too long there, first {far[0]}")


def _is_registered(places: Places) -> bool:
    return places.namespace in neighbours.registered(places.solo, [places.namespace])


def refuse_if_in_use(places: Places, found: Look) -> None:
    """A migration that begins needs a new place that is empty, or holds the very same."""
    if found.record is not None and found.record.record.target == places.dst.keys.namespace:
        return
    here = found.here.entries
    own = [rel for rel in found.there.entries if rel not in here]
    own += [r for r, e in found.named.items() if r in here and here[r].tag != e.tag]
    if not own and not found.there.docs:
        own = [
            rel
            for rel, info in found.theirs.items()
            if rel not in found.ours or not same(places.src, found.ours[rel], info)
        ]
    if own:
        raise UsageError(
            f"{place_name(places.dst.keys.namespace)} has content of its own: "
            f"{count(len(own), 'file')}, first {sorted(own)[0]}; nothing was changed",
            hint="move that away first, or choose another place",
        )


# --- objects ------------------------------------------------------------------------------


def _objects(ctx: Context, rels: Iterable[str], found: Look) -> Objects:
    """The data objects of a place in the directories of `rels`, and those of `rels` at its top."""
    mine = [rel for rel in rels if not found.is_fenced(rel)]
    tops = sorted({rel.partition("/")[0] for rel in mine if "/" in rel})
    got: Objects = {}
    for _, below in all_of(ctx, lambda top: _below(ctx, top), tops, name="s3dash-look"):
        got.update(below)
    alone = sorted(rel for rel in mine if "/" not in rel)
    heads = all_of(ctx, lambda rel: head(ctx, ctx.keys.data(rel)), alone, name="s3dash-look")
    for rel, info in heads:
        if info is not None:
            got[rel] = info
    return got


def _below(ctx: Context, top: str) -> Objects:
    lead = len(ctx.keys.root)
    listed = ctx.store.list(f"{ctx.keys.data(top)}/")
    return {i.key[lead:]: i for i in listed if paths.is_data(i.key[lead:])}


def head(ctx: Context, key: str) -> ObjectInfo | None:
    try:
        return ctx.store.head(key)
    except NotFound:
        return None


def extras(ctx: Context) -> Objects:
    """What moves beside the data: control records, the datastore's id, the catalog; by name."""
    lead = len(ctx.keys.root)
    names = f"{ctx.keys.root}{paths.CONTROL_DIR}/"
    found = {i.key[lead:]: i for i in ctx.store.list(names) if i.key != moved.key_of(ctx.keys)}
    catalog = head(ctx, ctx.keys.root + paths.CATALOG_EXPORT)
    if catalog is not None:
        found[paths.CATALOG_EXPORT] = catalog
    return found
