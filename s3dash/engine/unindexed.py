"""A datastore whose index is missing: what a listing of its objects says there is."""

from collections.abc import Iterable

import msgspec

from s3dash.clock import iso
from s3dash.core import paths
from s3dash.core.index import Entry, entry_problem
from s3dash.core.keys import Keys
from s3dash.core.partitions import PEER_TOPS
from s3dash.objectstore.port import ObjectStore

_INDEXES = (Keys().meta, Keys().monolith)


class Found(msgspec.Struct):
    """By path: an entry for each object, without a hash; its ETag; why others cannot be files."""

    entries: dict[str, Entry] = msgspec.field(default_factory=dict)
    etags: dict[str, str] = msgspec.field(default_factory=dict)
    blocked: dict[str, str] = msgspec.field(default_factory=dict)


def found(store: ObjectStore, keys: Keys) -> Found:
    """Lists all that is there; in solo mode without what belongs to namespaces.

    Raises what the store raises.
    """
    infos = [i for i in store.list(keys.root) if not i.key.endswith("/")]
    rels = {i.key[len(keys.root) :]: i for i in infos}
    others = set() if keys.namespace else namespaces_among(rels)
    result = Found()
    for rel, info in rels.items():
        if not paths.is_data(rel) or rel.partition("/")[0] in others:
            continue
        modified = iso(info.last_modified) if info.last_modified else ""
        entry = Entry(key=rel, size=info.size, lastModified=modified)
        if reason := entry_problem(rel, entry, key_prefix_bytes=len(keys.root)):
            result.blocked[rel] = reason
        else:
            result.entries[rel] = entry
            result.etags[rel] = info.etag
    return result


def namespaces_among(rels: Iterable[str]) -> set[str]:
    """First segments that carry a namespace manifest, or an index: other repositories' subtrees."""
    return {rel.partition("/")[0] for rel in rels if is_mark(rel)}


def is_mark(rel: str) -> bool:
    """Whether an object of this name makes the directory that it lies in a namespace.

    One that was pushed to before it was registered has an index, and no manifest.
    """
    head, _, rest = rel.partition("/")
    return rest == paths.NAMESPACE_MANIFEST or (
        rest in _INDEXES and head not in PEER_TOPS and paths.is_namespace(head)
    )
