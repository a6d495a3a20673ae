"""Entries that should not be where they are. Kept by accident of other clients, never by ours."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from s3dash.core import paths
from s3dash.core.index import Entry
from s3dash.core.index_care import Zombie
from s3dash.core.partitions import PEER_TOPS, is_shard_name, partition
from s3dash.engine import intents, neighbours
from s3dash.engine.context import Context
from s3dash.engine.index_care.picture import MONOLITH, Picture
from s3dash.engine.jobs import each
from s3dash.errors import NotFound, S3DashError
from s3dash.objectstore.port import ObjectInfo

Tombstones = Mapping[str, frozenset[str]]
"""By path the tags of versions that were deleted; another version may be there since."""

INTERNAL = "no client ever syncs this path"
TWICE = "its own shard has it too"
ELSEWHERE = "it lies in a foreign shard"
DELETED = "its object is gone, and its deletion is on record"
NO_DATA = "its object is gone: nothing but a push of it can bring it back"


def foreign(ctx: Context, picture: Picture) -> frozenset[str]:
    """The namespaces that a solo index names paths of. Raises what the store raises."""
    if ctx.keys.namespace is not None:
        return frozenset()
    heads = {rel.partition("/")[0] for _, rel, _ in picture.all_entries() if "/" in rel}
    asked = (name for name in heads - PEER_TOPS if paths.is_namespace(name))
    return frozenset(neighbours.registered(ctx, asked))


def misplaced(picture: Picture, others: Collection[str]) -> Iterator[Zombie]:
    """What the documents alone show. `others`: the namespaces that are registered."""
    seen: set[str] = set()
    for name, rel, _ in picture.all_entries():
        head, slash, _ = rel.partition("/")
        if not paths.is_data(rel):
            yield Zombie(path=rel, shard=name, reason=INTERNAL)
        elif slash and head in others:
            yield Zombie(path=rel, shard=name, reason=f"it belongs to the namespace {head}")
        elif name != MONOLITH and (home := home_of(rel)) not in (None, name):
            if rel in seen or rel in picture.entries.get(home or "", ()):
                yield Zombie(path=rel, shard=name, reason=TWICE)
            else:
                seen.add(rel)
                yield Zombie(path=rel, shard=name, reason=ELSEWHERE, home=home or "")


def home_of(rel: str) -> str | None:
    """The shard where a path belongs; None for what can be in none."""
    if paths.blocked_reason(rel) is not None:
        return None
    name = partition(rel)
    return name if is_shard_name(name) else None


def deleted(
    ctx: Context, picture: Picture, known: Iterable[Zombie], tombstones: Tombstones
) -> list[Zombie]:
    """Entries of versions whose deletion is on record, their object gone. Not the `known`.

    Costs a request for each that is on record. Raises what the store raises.
    """
    done = {(z.shard, z.path) for z in known}
    found = [
        (name, rel)
        for name, rel, entry in picture.all_entries()
        if entry.tag in tombstones.get(rel, ()) and (name, rel) not in done
    ]
    gone = absent(ctx, {rel for _, rel in found})
    return [Zombie(path=rel, shard=name, reason=DELETED) for name, rel in found if rel in gone]


def deletions_on_record(ctx: Context) -> Tombstones:
    """What commits deleted, without the paths that a later one on record brought back.

    A request for each record.
    """
    said = intents.read_all(ctx)
    return {
        rel: frozenset(tags)
        for rel, tags in said.tombstones.items()
        if tags and rel not in said.latest
    }


def absent(ctx: Context, rels: Collection[str]) -> set[str]:
    """Those of the paths that have no object: a request each. Raises what the store raises."""
    return set(rels) - heads(ctx, rels).keys()


def heads(ctx: Context, rels: Collection[str]) -> dict[str, ObjectInfo]:
    """The objects of these paths that are there: a request each. Raises what the store raises."""
    jobs = each(
        lambda rel: head(ctx, rel),
        sorted(rels),
        workers=ctx.settings.pull_concurrency,
        cancel=ctx.cancel,
        name="s3dash-head",
    )
    found = {}
    for rel, outcome in jobs:
        if isinstance(outcome, S3DashError):
            raise outcome
        if outcome is not None:
            found[rel] = outcome
    ctx.cancel.check()
    return found


def head(ctx: Context, rel: str) -> ObjectInfo | None:
    """The object of a path; None when there is none. Raises what the store raises."""
    try:
        return ctx.store.head(ctx.keys.data(rel))
    except NotFound:
        return None


def sound(picture: Picture, zombies: Iterable[Zombie]) -> Mapping[str, Entry]:
    """What the index says there is: by path, its own shard's word first, without the zombies."""
    out = {(z.shard, z.path) for z in zombies if not z.home}
    entries: dict[str, Entry] = {}
    for name, rel, entry in picture.all_entries():
        if (name, rel) not in out and (rel not in entries or home_of(rel) == name):
            entries[rel] = entry
    return entries
