"""The objects of a datastore or namespace, by one listing."""

from s3dash.core import paths
from s3dash.engine.context import Context
from s3dash.engine.unindexed import is_mark, namespaces_among
from s3dash.objectstore.port import ObjectInfo

COUNTED = 5000


def data_objects(ctx: Context) -> dict[str, ObjectInfo]:
    """The data objects by path; without what belongs to a namespace, in solo mode.

    Raises Cancelled, and what the store raises.
    """
    lead = len(ctx.keys.root)
    found: dict[str, ObjectInfo] = {}
    marks: list[str] = []
    with ctx.stage.during("comparing", "listing the objects"):
        for number, info in enumerate(ctx.store.list(ctx.keys.root), 1):
            if number % COUNTED == 0:
                ctx.cancel.check()
                ctx.stage.count(f"{number:,} objects listed")
            rel = info.key[lead:]
            if is_mark(rel):
                marks.append(rel)
            if paths.is_data(rel) and not rel.endswith("/"):
                found[rel] = info
    others = set() if ctx.keys.namespace else namespaces_among(marks)
    if not others:
        return found
    return {rel: info for rel, info in found.items() if rel.partition("/")[0] not in others}
